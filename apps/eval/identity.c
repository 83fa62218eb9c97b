#include "eval/identity.h"

#include "base/hash.h"
#include "eval/fault.h"
#include "eval/file.h"
#include "json/unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- fingerprints ------------------------------------------------------------------------ */

enum { SPOTS = 256, SPOT_BYTES = 16384 };

/* Of a file by spots spread over it: a model may have many gigabytes, and training changes all of
 * them. */
static ead_status mix_file(const char *path, uint64_t *hash, off_t *bytes, ead_error *error)
{
    static uint8_t spot[SPOT_BYTES];
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool bad = fd < 0 || fstat(fd, &found);
    *hash = HASH_START;
    *bytes = bad ? 0 : found.st_size;
    const off_t step = *bytes / SPOTS > SPOT_BYTES ? *bytes / SPOTS : SPOT_BYTES;
    for (off_t at = 0; at < *bytes && !bad; at += step) {
        ssize_t n = pread(fd, spot, sizeof spot, at);
        bad = n < 0;
        if (n > 0) *hash = hash_more(*hash, spot, (size_t)n);
    }
    ead_status st =
        bad ? fault(error, EAD_IO, "%s: cannot read: %s", path, strerror(errno)) : EAD_OK;
    if (fd >= 0) close(fd);
    return st;
}

static uint64_t mix_data(const struct dataset *data)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < data->n; i++) {
        hash = hash_more(hash, data->problems[i].text, strlen(data->problems[i].text) + 1);
        hash = hash_more(hash, data->problems[i].gold, strlen(data->problems[i].gold) + 1);
    }
    return hash;
}

static json_t *hex(uint64_t hash)
{
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    return json_string(text);
}

/* ---- parts ------------------------------------------------------------------------------- */

static json_t *base_name(const char *path)
{
    char *name = file_name(path);
    json_t *out = name ? unicode_json(name, strlen(name)) : NULL;
    free(name);
    return out;
}

static json_t *file_part(const struct runner_model *m, uint64_t hash, off_t bytes)
{
    const ead_model_info info = ead_model_describe(m->model);
    json_t *active = info.n_active < info.n_params ? json_integer((json_int_t)info.n_active) : NULL;
    return json_pack("{s:o, s:I, s:I, s:o*, s:I, s:o}", "name", base_name(m->path), "bytes",
                     (json_int_t)bytes, "parameters", (json_int_t)info.n_params,
                     "active_parameters", active, "vocabulary", (json_int_t)info.n_vocab, "hash",
                     hex(hash));
}

/* Behind an API there is no file: where it is asked for and how is all that is known. */
static json_t *remote_part(const struct runner_model *m, int asked)
{
    const ead_model_info info = ead_model_describe(m->model);
    json_t *parameters = info.n_params ? json_integer((json_int_t)info.n_params) : NULL;
    json_t *top = asked ? json_integer(asked) : NULL;
    return json_pack("{s:o, s:o*, s:I, s:o*}", "name", unicode_json(m->path, strlen(m->path)),
                     "parameters", parameters, "vocabulary", (json_int_t)info.n_vocab,
                     "top_logprobs", top);
}

static ead_status model_part(const struct runner_options *o, ead_writer w, json_t **out,
                             ead_error *error)
{
    const struct runner_model *m = &o->models[w];
    uint64_t hash = 0;
    off_t bytes = 0;
    *out = NULL;
    if (!m->model) return EAD_OK;
    const bool remote = ead_model_is_remote(m->model);
    const ead_status st = remote ? EAD_OK : mix_file(m->path, &hash, &bytes, error);
    if (st) return st;
    *out = remote ? remote_part(m, o->top) : file_part(m, hash, bytes);
    return *out ? EAD_OK : fault_memory(error, "run.json");
}

static json_t *data_part(const struct identity *id)
{
    const struct runner_options *o = id->options;
    const struct dataset *d = o->data;
    json_t *skipped = d->n_skipped ? json_integer((json_int_t)d->n_skipped) : NULL;
    return json_pack(
        "{s:o, s:s, s:I, s:I, s:o*, s:o}", "file", unicode_json(d->name, strlen(d->name)), "format",
        d->format == DATASET_GSM8K ? "gsm8k" : "math", "problems", (json_int_t)id->n_problems, "of",
        (json_int_t)d->n, "skipped", skipped, "hash", hex(mix_data(d)));
}

static json_t *sampler_part(const ead_sampler_options *s)
{
    return json_pack("{s:f, s:i, s:f, s:f, s:f, s:i}", "temperature", (double)s->temperature,
                     "top_k", s->top_k, "top_p", (double)s->top_p, "min_p", (double)s->min_p,
                     "repeat_penalty", (double)s->repeat_penalty, "repeat_last", s->repeat_last);
}

static json_t *settings_part(const struct settings *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) json_array_append_new(list, json_string(s->list[i].name));
    return list;
}

/* Named where it is not the one that runs had before there was a choice, so that those go on. */
static const char *cache_part(const char *type)
{
    return type && strcmp(type, "f16") ? type : NULL;
}

ead_status identity_make(const struct identity *id, json_t **out, ead_error *error)
{
    const struct runner_options *o = id->options;
    json_t *models[EAD_WRITERS] = {NULL};
    ead_status st = model_part(o, EAD_SMALL, &models[EAD_SMALL], error);
    if (!st) st = model_part(o, EAD_LARGE, &models[EAD_LARGE], error);
    if (st) {
        json_decref(models[EAD_SMALL]);
        return st;
    }
    *out =
        json_pack("{s:i, s:{s:o*, s:o*}, s:o, s:I, s:o, s:i, s:i, s:s, s:s*, s:o, s:i, s:i, s:o}",
                  "ead_eval", 1, "models", "small", models[EAD_SMALL], "large", models[EAD_LARGE],
                  "data", data_part(id), "seed", (json_int_t)o->seed, "prompt",
                  unicode_json(id->shape, strlen(id->shape)), "predict", o->most, "ctx", id->n_ctx,
                  "cpu", id->cpu, "cache_type", cache_part(o->cache_type), "sampling",
                  sampler_part(&o->sampler), "window", o->settings->base.window, "dwell",
                  o->settings->base.dwell, "settings", settings_part(o->settings));
    return *out ? EAD_OK : fault_memory(error, "run.json");
}
