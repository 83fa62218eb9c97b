#include "server/listing.h"

#include "server/ask.h"
#include "json/jsonio.h"
#include "json/unicode.h"

#include <math.h>
#include <string.h>

/* null where a range has no end, and for a threshold that nothing reaches. */
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* A list with an entry less is no list. */
static void add(json_t *all, json_t *value)
{
    if (json_array_append_new(all, value)) jsonio_lacks();
}

/* A number, or the word that it stands for. */
static json_t *default_json(const ead_policy_option *o, const ead_policy_options *defaults)
{
    const double x = ead_policy_value(defaults, o);
    if (o->type == EAD_OPTION_WORD) return json_string(o->words[(int)x]);
    if (o->words && x < 0) return json_string(o->words[-(int)x - 1]);
    return number(x);
}

static json_t *option_json(const ead_policy_option *o, const ead_policy_options *defaults)
{
    static const char *const types[] = {[EAD_OPTION_REAL] = "real",
                                        [EAD_OPTION_INT] = "int",
                                        [EAD_OPTION_FLAG] = "flag",
                                        [EAD_OPTION_WORD] = "word"};
    json_t *words = o->words ? json_array() : NULL, *policies = json_array();
    const ead_policy_info *info;
    for (int kind = 0; (info = ead_policy_describe((ead_policy_kind)kind)); kind++)
        if (o->policies & 1u << kind) add(policies, json_string(info->name));
    for (int i = 0; words && o->words[i]; i++) add(words, json_string(o->words[i]));
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o*,s:o,s:s}", "name", o->name, "type", types[o->type],
                     "low", number(o->low), "high", number(o->high), "default",
                     default_json(o, defaults), "words", words, "policies", policies, "help",
                     o->help);
}

static json_t *options_json(const ead_policy_options *defaults)
{
    json_t *all = json_array();
    for (size_t i = 0; ead_policy_option_at(i); i++)
        add(all, option_json(ead_policy_option_at(i), defaults));
    return all;
}

static json_t *policies_json(void)
{
    json_t *all = json_array();
    const ead_policy_info *info;
    for (int kind = 0; (info = ead_policy_describe((ead_policy_kind)kind)); kind++)
        if (!info->needs_data && kind != EAD_POLICY_CUSTOM) add(all, json_string(info->name));
    return all;
}

static json_t *model_json(const struct server_models *m, ead_writer w)
{
    if (!m->models[w]) return json_null();
    const ead_model_info info = ead_model_describe(m->models[w]);
    return json_pack("{s:o,s:s?,s:I,s:I}", "name", unicode_json(m->names[w], strlen(m->names[w])),
                     "architecture", info.arch, "parameters", (json_int_t)info.n_params, "bytes",
                     (json_int_t)info.bytes);
}

static json_t *ead_json(const struct server_models *m, int n_ctx)
{
    const ead_policy_options *p = &m->duo.policy;
    return json_pack("{s:s,s:o,s:i,s:i,s:i,s:b,s:o,s:o,s:o,s:o}", "policy",
                     ead_policy_describe(p->kind)->name, "tau", number(p->tau), "window", p->window,
                     "dwell", p->dwell, "context", n_ctx, "template", m->chat != NULL, "large",
                     model_json(m, EAD_LARGE), "small", model_json(m, EAD_SMALL), "policies",
                     policies_json(), "options", options_json(p));
}

static json_t *entry(const char *id, int n_ctx, int64_t since, json_t *more)
{
    return json_pack("{s:s,s:s,s:I,s:s,s:i,s:o}", "id", id, "object", "model", "created",
                     (json_int_t)since, "owned_by", "ead", "max_model_len", n_ctx, "ead", more);
}

json_t *listing_build(const struct server_models *m, int n_ctx, int64_t since)
{
    jsonio_begin();
    json_t *data = json_array();
    add(data, entry(ask_targets[ASK_PAIR], n_ctx, since, ead_json(m, n_ctx)));
    if (m->models[EAD_LARGE])
        add(data, entry(ask_targets[ASK_LARGE], n_ctx, since, model_json(m, EAD_LARGE)));
    if (m->models[EAD_SMALL])
        add(data, entry(ask_targets[ASK_SMALL], n_ctx, since, model_json(m, EAD_SMALL)));
    return jsonio_whole(json_pack("{s:s,s:o}", "object", "list", "data", data));
}
