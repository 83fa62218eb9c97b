#include "eval/profile.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/option.h"
#include "eval/risk.h"
#include "json/jsonio.h"
#include "json/name.h"
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

/* What an option is called in a profile. */
static const ead_policy_option *find_field(const char *field)
{
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        char name[NAME_MAX_BYTES];
        name_in_json(option->name, name);
        if (!strcmp(name, field)) return option;
    }
    return NULL;
}

/* A number, a truth or a word, as the option has it; what is infinite is a word, too. */
static bool read_value(const ead_policy_option *option, const json_t *given, double *out)
{
    if (json_is_string(given)) {
        const bool known = option_read(option, json_string_value(given), out);
        return known && (option->type == EAD_OPTION_INT ? *out < 0 : option->words || isinf(*out));
    }
    if (option->type == EAD_OPTION_FLAG) {
        *out = json_is_true(given);
        return json_is_boolean(given);
    }
    char text[OPTION_TEXT_MAX];
    snprintf(text, sizeof text, "%.17g", json_number_value(given));
    return option->type != EAD_OPTION_WORD && json_is_number(given) &&
           option_read(option, text, out);
}

static ead_status read_option(const struct jsonl_field *policy, const char *name,
                              ead_policy_options *to, ead_error *error)
{
    char range[OPTION_RANGE_MAX];
    double x;
    const ead_policy_option *option = find_field(name);
    if (!option || !option_concerns(option, to->kind)) {
        snprintf(range, sizeof range, "an option of policy %s",
                 ead_policy_describe(to->kind)->name);
        return jsonl_unfit(policy, name, range, error);
    }
    if (read_value(option, json_object_get(policy->object, name), &x)) {
        option_put(option, to, x);
        return EAD_OK;
    }
    option_range(option, range);
    return jsonl_unfit(policy, name, range, error);
}

/* The first version: the three knobs of ead. */
static ead_status read_first(const struct jsonl_field *policy, struct profile *out,
                             ead_error *error)
{
    static const char *const names[] = {"tau", "window", "dwell"};
    ead_status st = EAD_OK;
    for (int i = 0; i < 3 && !st; i++) st = read_option(policy, names[i], &out->policy, error);
    return st;
}

static ead_status read_policy(const struct jsonl_field *policy, struct profile *out,
                              ead_error *error)
{
    const char *name, *field;
    json_t *value;
    ead_status st = jsonl_text(policy, "name", &name, error);
    if (st) return st;
    const int kind = ead_policy_parse(name);
    if (kind < 0 || !option_tells_all((ead_policy_kind)kind))
        return jsonl_unfit(policy, "name", "the name of a policy that options tell all of", error);
    out->policy.kind = (ead_policy_kind)kind;
    json_object_foreach((json_t *)(uintptr_t)policy->object, field, value)
    {
        if (!st && strcmp(field, "name") != 0) st = read_option(policy, field, &out->policy, error);
    }
    return st;
}

static ead_status read_table(const struct jsonl_field *top, struct profile *out, ead_error *error)
{
    char place[PATH_MAX + 32];
    struct jsonl_field table;
    if (!option_wants_table(&out->policy)) return EAD_OK;
    snprintf(place, sizeof place, "%s: table", top->path);
    ead_status st = enter(top, "table", place, &table, error);
    if (!st) st = risk_read(&table, &out->table, error);
    out->has_table = !st;
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
    ead_status st = jsonl_whole(top, "ead_profile", 1, 2, &version, error);
    if (!st) st = enter(top, "policy", top->path, &policy, error);
    if (!st) st = version == 1 ? read_first(&policy, out, error) : read_policy(&policy, out, error);
    if (!st) st = read_table(top, out, error);
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
    struct profile read = {.policy = ead_duo_defaults().policy,
                           .accuracy = NAN,
                           .kept = NAN,
                           .share = NAN,
                           .modelled = NAN,
                           .time = NAN};
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

static json_t *json_policy(const ead_policy_options *rule)
{
    const ead_policy_option *option;
    json_t *out = json_pack("{s:s}", "name", ead_policy_describe(rule->kind)->name);
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        char name[NAME_MAX_BYTES];
        if (!option_concerns(option, rule->kind)) continue;
        name_in_json(option->name, name);
        json_object_set_new(out, name, option_json(option, ead_policy_value(rule, option)));
    }
    return out;
}

static json_t *json_measured(const struct profile *p)
{
    const struct {
        const char *name;
        double value;
    } all[] = {{"accuracy", p->accuracy},
               {"kept", p->kept},
               {"large_share", p->share},
               {"modelled_time", p->modelled},
               {"time", p->time}};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (isfinite(all[i].value)) json_object_set_new(out, all[i].name, json_real(all[i].value));
    return out;
}

static json_t *json_costs(const struct profile *p)
{
    if (!isfinite(p->modelled)) return NULL;
    return json_pack("{s:f, s:f}", "small", p->small_cost, "row", p->row_cost);
}

static json_t *json_profile(const struct profile *p)
{
    return json_pack("{s:i, s:o, s:o*, s:{s:o, s:o}, s:{s:f}, s:o*, s:o, s:o*, s:{s:o, s:i}}",
                     "ead_profile", 2, "policy", json_policy(&p->policy), "table",
                     p->has_table ? risk_json(&p->table) : NULL, "models", "small",
                     json_model(&p->models[EAD_SMALL]), "large", json_model(&p->models[EAD_LARGE]),
                     "target", p->target, p->wanted, "tries",
                     p->tries ? json_integer(p->tries) : NULL, "measured", json_measured(p),
                     "costs", json_costs(p), "data", "file", unicode_json(p->data, strlen(p->data)),
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

ead_policy_options profile_rule(const struct profile *profile)
{
    ead_policy_options rule = profile->policy;
    rule.table = profile->has_table ? &profile->table : NULL;
    return rule;
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
