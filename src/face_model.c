/* The public face: models and text. Contracts are in ead.h. */
#include "face.h"

#include "base/team.h"
#include "text/detok.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)EAD_IO == ST_IO && (int)EAD_FORMAT == ST_FORMAT && (int)EAD_FULL == ST_FULL &&
                   (int)EAD_CANCELLED == ST_CANCELLED,
               "public and inner statuses are numbered alike");
_Static_assert((int)EAD_ADD_BOS == VOCAB_BOS && (int)EAD_PARSE_SPECIAL == VOCAB_SPECIAL &&
                   (int)EAD_ADD_EOS == VOCAB_EOS,
               "flags are alike");
_Static_assert((int)EAD_TEXT_START == DETOK_START && (int)EAD_SHOW_SPECIAL == DETOK_SPECIAL,
               "flags are alike");

_Static_assert(sizeof(((ead_error *)0)->message) == ERR_MESSAGE_MAX, "messages are equally long");

ead_status face_report(enum status st, const struct err *err, ead_error *error)
{
    if (error) {
        *error = (ead_error){.status = (ead_status)st};
        if (st != ST_OK) memcpy(error->message, err->message, sizeof error->message);
    }
    return (ead_status)st;
}

const char *ead_cpu_name(size_t i)
{
    return i < KERN_LEVEL_COUNT ? kern_level_name((enum kern_level)i) : NULL;
}

static enum status refuse_level(const char *found, struct err *err)
{
    char names[128] = "";
    for (int i = 0; i < KERN_LEVEL_COUNT; i++) {
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s",
                 !i                         ? ""
                 : i < KERN_LEVEL_COUNT - 1 ? ", "
                                            : " or ",
                 kern_level_name((enum kern_level)i));
    }
    return err_set(err, ST_ARG, "cpu: expected %s, found \"%.32s\"", names, found);
}

enum status face_kern(const char *cpu, const struct kern **out, struct err *err)
{
    *out = kern_best();
    if (!cpu) return ST_OK;
    int level = kern_level_parse(cpu);
    if (level < 0) return refuse_level(cpu, err);
    *out = kern_table((enum kern_level)level);
    return *out ? ST_OK : err_set(err, ST_SUPPORT, "cpu: this machine lacks %s", cpu);
}

enum status face_cache(const char *name, enum kern_cache *out, struct err *err)
{
    const int type = name ? kern_cache_parse(name) : KERN_CACHE_F16;
    if (type < 0)
        return err_set(err, ST_ARG, "cache type: expected f16 or q8_0, found \"%.32s\"", name);
    *out = (enum kern_cache)type;
    return ST_OK;
}

const char *ead_version(void)
{
    return EAD_VERSION;
}

/* ---- models ------------------------------------------------------------------------------ */

_Static_assert((int)EAD_PACK_MAPPED == MODEL_PACK_MAPPED &&
                   (int)EAD_PACK_WRITTEN == MODEL_PACK_WRITTEN &&
                   (int)EAD_PACK_UNWRITTEN == MODEL_PACK_UNWRITTEN,
               "public and inner outcomes are numbered alike");

ead_model_options ead_model_defaults(void)
{
    return (ead_model_options){0};
}

ead_status ead_model_open(const char *path, const ead_model_options *options, ead_model **out,
                          ead_error *error)
{
    const ead_model_options o = options ? *options : ead_model_defaults();
    const struct model_options inner = {
        .vocab_only = o.vocab_only, .pack_cache = o.pack_cache, .threads = o.threads};
    struct err err = {0};
    if (o.threads < 0 || o.threads > TEAM_THREADS_MAX)
        return face_report(err_set(&err, ST_ARG, "threads: expected 0 to %d, found %d",
                                   TEAM_THREADS_MAX, o.threads),
                           &err, error);
    ead_model *model = calloc(1, sizeof *model);
    enum status st = model ? model_open(path, &inner, &model->model, &err)
                           : err_memory(&err, "the description of %s", path);
    if (st == ST_OK)
        *out = model;
    else
        free(model);
    return face_report(st, &err, error);
}

void ead_model_close(ead_model *model)
{
    if (!model) return;
    if (model->remote)
        remote_close(model->remote);
    else
        model_close(model->model);
    free(model);
}

ead_model_info ead_model_describe(const ead_model *model)
{
    if (model->remote) return face_describe_remote(model);
    const struct model *m = model->model;
    const struct config *c = &m->config;
    const bool unwritten = m->pack == MODEL_PACK_UNWRITTEN;
    return (ead_model_info){.arch = c->arch ? c->arch->name : NULL,
                            .n_layer = c->n_layer,
                            .d_model = c->d_model,
                            .d_ff = c->d_ff,
                            .n_head = c->n_head,
                            .n_head_kv = c->n_head_kv,
                            .head_dim = c->head_dim,
                            .n_ctx_train = c->n_ctx_train,
                            .n_logits = m->weights.n_logits,
                            .n_vocab = model_n_vocab(m),
                            .n_params = m->weights.n_params,
                            .n_active = m->weights.n_active,
                            .bytes = gguf_file_bytes(m->gguf),
                            .repacked = m->weights.panels.capacity,
                            .pack = (ead_pack)m->pack,
                            .pack_fault = unwritten ? m->pack_fault.message : NULL};
}

const char *ead_model_note(const ead_model *model, size_t i)
{
    return model->remote ? remote_note(model->remote, i) : vocab_note(model->model->vocab, i);
}

ead_status ead_model_compare(const ead_model *a, const ead_model *b, ead_error *error)
{
    struct err err = {0};
    int32_t same;
    return face_report(vocab_compare(a->model->vocab, b->model->vocab, &same, &err), &err, error);
}

/* ---- text -------------------------------------------------------------------------------- */

ead_status ead_tokenize(const ead_model *model, const char *text, size_t bytes, unsigned flags,
                        int32_t **ids, size_t *n_ids, ead_error *error)
{
    struct err err = {0};
    struct ids all = {0};
    enum status st = vocab_encode(model->model->vocab, text, bytes, flags, &all, &err);
    if (st == ST_OK) {
        *ids = all.id;
        *n_ids = all.n;
    } else {
        ids_deinit(&all);
    }
    return face_report(st, &err, error);
}

bool ead_text_brings_bos(const ead_model *model, const char *text, size_t bytes, unsigned flags)
{
    return vocab_brings_bos(model->model->vocab, text, bytes, flags);
}

const char *ead_token_text(const ead_model *model, int32_t id, size_t *bytes)
{
    if (id < 0 || id >= vocab_size(model->model->vocab)) return NULL;
    return vocab_piece(model->model->vocab, id, bytes);
}

int32_t ead_token_bos(const ead_model *model)
{
    return vocab_specials(model->model->vocab)->bos;
}

bool ead_token_is_end(const ead_model *model, int32_t id)
{
    return vocab_is_eog(model->model->vocab, id);
}

struct ead_detok {
    struct detok state;
    struct buf text;
};

ead_status ead_detok_open(const ead_model *model, unsigned flags, ead_detok **out, ead_error *error)
{
    struct err err = {0};
    ead_detok *d = calloc(1, sizeof *d);
    if (!d) return face_report(err_memory(&err, "a detokeniser"), &err, error);
    detok_init(&d->state, model->model->vocab, flags);
    *out = d;
    return EAD_OK;
}

void ead_detok_close(ead_detok *detok)
{
    if (!detok) return;
    buf_deinit(&detok->text);
    free(detok);
}

ead_status ead_detok_add(ead_detok *detok, int32_t id, const char **text, size_t *bytes,
                         ead_error *error)
{
    struct err err = {0};
    buf_clear(&detok->text);
    enum status st = id < 0 ? detok_flush(&detok->state, &detok->text)
                            : detok_add(&detok->state, id, &detok->text);
    if (st != ST_OK) return face_report(err_memory(&err, "text"), &err, error);
    *text = detok->text.data ? detok->text.data : "";
    *bytes = detok->text.len;
    return EAD_OK;
}

void ead_free(void *returned)
{
    free(returned);
}
