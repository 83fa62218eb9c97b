#include "eval/profile.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/option.h"
#include "json/jsonio.h"
#include "json/unicode.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const writers[EAD_WRITERS] = {[EAD_SMALL] = "small", [EAD_LARGE] = "large"};

/* ---- reading ----------------------------------------------------------------------------- */

/* The object under `name` of `in`; complaints about its fields begin with `place`. */
static ead_status enter(const struct jsonl_field *in, const char *name, const char *place,
                        struct jsonl_field *out, ead_error *error)
{
    *out = (struct jsonl_field){.path = place, .object = json_object_get(in->object, name)};
    return json_is_object(out->object) ? EAD_OK : jsonl_unfit(in, name, "an object", error);
}

static ead_status read_whole(const struct jsonl_field *policy, const char *name, int *out,
                             ead_error *error)
{
    const ead_policy_option *option = option_find(name);
    json_int_t whole;
    ead_status st =
        jsonl_whole(policy, name, (json_int_t)option->low, (json_int_t)option->high, &whole, error);
    if (!st) *out = (int)whole;
    return st;
}

static ead_status read_policy(const struct jsonl_field *policy, struct profile *out,
                              ead_error *error)
{
    ead_status st = jsonl_real(policy, "tau", &out->tau, error);
    if (!st) st = read_whole(policy, "window", &out->window, error);
    if (!st) st = read_whole(policy, "dwell", &out->dwell, error);
    return st;
}

static ead_status read_model(const struct jsonl_field *model, struct profile_model *out,
                             ead_error *error)
{
    const char *name;
    json_int_t parameters, vocab;
    ead_status st = jsonl_text(model, "name", &name, error);
    if (!st) st = jsonl_whole(model, "parameters", 0, INT64_MAX, &parameters, error);
    if (!st) st = jsonl_whole(model, "vocab", 1, INT_MAX, &vocab, error);
    if (st) return st;
    snprintf(out->name, sizeof out->name, "%s", name);
    out->parameters = (uint64_t)parameters;
    out->vocab = (int)vocab;
    return EAD_OK;
}

static ead_status read_models(const struct jsonl_field *top, struct profile *out, ead_error *error)
{
    char place[PATH_MAX + 32];
    struct jsonl_field models, model;
    ead_status st = enter(top, "models", top->path, &models, error);
    for (int w = 0; !st && w < EAD_WRITERS; w++) {
        snprintf(place, sizeof place, "%s: model \"%s\"", top->path, writers[w]);
        st = enter(&models, writers[w], place, &model, error);
        if (!st) st = read_model(&model, &out->models[w], error);
    }
    return st;
}

static ead_status read_profile(const struct jsonl_field *top, struct profile *out, ead_error *error)
{
    json_int_t version;
    struct jsonl_field policy;
    if (!json_is_object(top->object))
        return fault(error, EAD_FORMAT, "%s: expected a JSON object, found another value",
                     top->path);
    ead_status st = jsonl_whole(top, "ead_profile", 1, 1, &version, error);
    if (!st) st = enter(top, "policy", top->path, &policy, error);
    if (!st) st = read_policy(&policy, out, error);
    if (!st) st = read_models(top, out, error);
    return st;
}

ead_status profile_read(const char *path, struct profile *out, ead_error *error)
{
    json_error_t bad;
    FILE *file = fopen(path, "r");
    if (!file) return fault(error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    json_t *root = jsonl_load(file, &bad);
    const bool broken = ferror(file);
    const int reason = errno;
    fclose(file);
    if (broken) {
        json_decref(root);
        return fault(error, EAD_IO, "%s: cannot read: %s", path, strerror(reason));
    }
    if (!root) return fault_json(&bad, path, 1, error);
    struct profile read = {.accuracy = NAN, .kept = NAN, .share = NAN, .time = NAN};
    ead_status st = read_profile(&(struct jsonl_field){.path = path, .object = root}, &read, error);
    json_decref(root);
    if (!st) *out = read;
    return st;
}

/* ---- writing ----------------------------------------------------------------------------- */

static json_t *json_model(const struct profile_model *model)
{
    return json_pack("{s:o, s:I, s:i}", "name", unicode_json(model->name, strlen(model->name)),
                     "parameters", (json_int_t)model->parameters, "vocab", model->vocab);
}

static json_t *json_measured(const struct profile *p)
{
    const struct {
        const char *name;
        double value;
    } all[] = {
        {"accuracy", p->accuracy}, {"kept", p->kept}, {"large_share", p->share}, {"time", p->time}};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (isfinite(all[i].value)) json_object_set_new(out, all[i].name, json_real(all[i].value));
    return out;
}

static json_t *json_profile(const struct profile *p)
{
    return json_pack("{s:i, s:{s:f, s:i, s:i}, s:{s:o, s:o}, s:{s:f}, s:o, s:{s:o, s:i}}",
                     "ead_profile", 1, "policy", "tau", p->tau, "window", p->window, "dwell",
                     p->dwell, "models", "small", json_model(&p->models[EAD_SMALL]), "large",
                     json_model(&p->models[EAD_LARGE]), "target", p->target, p->wanted, "measured",
                     json_measured(p), "data", "file", unicode_json(p->data, strlen(p->data)),
                     "problems", p->problems);
}

ead_status profile_write(const char *path, const struct profile *profile, ead_error *error)
{
    struct file_out file;
    json_t *json = json_profile(profile);
    if (!json) return fault_memory(error, "the profile of %s", path);
    ead_status st = file_create(path, &file, error);
    if (!st && jsonio_write_file(json, file.to, JSON_INDENT(1) | JSON_REAL_PRECISION(6))) {
        fputc('\n', file.to);
        st = file_commit(&file, error);
    } else if (!st) {
        file_discard(&file);
        st = fault_memory(error, "the profile of %s", path);
    }
    json_decref(json);
    return st;
}

/* ---- models ------------------------------------------------------------------------------ */

struct profile_model profile_model(const ead_model *model, const char *path)
{
    const ead_model_info info = ead_model_describe(model);
    const char *slash = ead_model_is_remote(model) ? NULL : strrchr(path, '/');
    struct profile_model out = {.parameters = info.n_params, .vocab = info.n_vocab};
    snprintf(out.name, sizeof out.name, "%s", slash ? slash + 1 : path);
    return out;
}

bool profile_fits(const struct profile_model *wanted, const ead_model *model)
{
    const ead_model_info info = ead_model_describe(model);
    const bool known = wanted->parameters && info.n_params;
    return (!known || wanted->parameters == info.n_params) && wanted->vocab == info.n_vocab;
}
