/* How tokens are chosen, and who writes them. */
#include "server/ask_parts.h"

#include "json/name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- the sampler ------------------------------------------------------------------------- */

/* A number that the sampler keeps as a float. */
static bool read_float(const struct field *f, const char *name, double low, double high, float *out)
{
    double x = (double)*out;
    if (!field_real(f, name, low, high, &x)) return false;
    *out = (float)x;
    return true;
}

static bool read_count(const struct field *f, const char *name, int64_t high, int *out)
{
    int64_t x = *out;
    if (!field_int(f, name, -1, high, &x)) return false;
    *out = x < 0 ? 0 : (int)x;
    return true;
}

/* Without a seed, or with -1, two requests do not draw alike. */
static bool read_seed(const struct field *f, struct ask *a)
{
    int64_t seed = -1;
    if (!field_int(f, "seed", INT64_MIN, INT64_MAX, &seed)) return false;
    a->sampler.seed = (uint64_t)seed;
    if (seed != -1) return true;
    if (getrandom(&a->sampler.seed, sizeof a->sampler.seed, 0) == (ssize_t)sizeof a->sampler.seed)
        return true;
    return refuse(f->refusal, 500, NULL, "seed", "the system gives no random numbers");
}

/* ---- biases ------------------------------------------------------------------------------ */

static bool bad_bias(const struct field *f, const char *key)
{
    return refuse(f->refusal, 400, "invalid_value", "logit_bias",
                  "logit_bias: expected ids of the vocabulary with numbers from -100 to 100, found "
                  "\"%.40s\"",
                  key);
}

static bool read_biases(const struct ask_context *c, const struct field *f, struct ask *a,
                        const json_t *given)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, key, value)
    {
        char written[24]; /* one way for each id, so that none is there twice */
        const long id = strtol(key, NULL, 10);
        snprintf(written, sizeof written, "%ld", id);
        const double bias = json_number_value(value);
        if (strcmp(written, key) || id < 0 || id >= c->n_vocab || !json_is_number(value) ||
            !(fabs(bias) <= 100))
            return bad_bias(f, key);
        a->bias[a->sampler.n_bias++] = (ead_bias){(int32_t)id, (float)bias};
    }
    return true;
}

/* What ends a text is forbidden where it is to be ignored. */
static int count_ends(const struct ask_context *c)
{
    int n = 0;
    for (int32_t id = 0; id < c->n_vocab; id++) n += ead_token_is_end(ask_speaker(c), id);
    return n;
}

static void forbid_ends(const struct ask_context *c, struct ask *a)
{
    for (int32_t id = 0; id < c->n_vocab; id++) {
        if (!ead_token_is_end(ask_speaker(c), id)) continue;
        for (int i = 0; i < a->sampler.n_bias; i++)
            if (a->bias[i].id == id) a->bias[i] = a->bias[--a->sampler.n_bias];
        a->bias[a->sampler.n_bias++] = (ead_bias){id, -100};
    }
}

/* Is there a token that may be written? No id has two biases. */
static bool check_allowed(const struct ask_context *c, const struct field *f, const struct ask *a)
{
    int forbidden = 0;
    for (int i = 0; i < a->sampler.n_bias; i++) forbidden += a->bias[i].bias <= -100;
    if (forbidden < c->n_vocab) return true;
    return refuse(f->refusal, 400, "invalid_value", "logit_bias",
                  "logit_bias: all %d tokens are forbidden", c->n_vocab);
}

static bool read_bias(const struct ask_context *c, const struct field *f, struct ask *a)
{
    const json_t *given = field_get(f, "logit_bias");
    bool ignore_end = false;
    if (!field_flag(f, "ignore_eos", &ignore_end)) return false;
    if (given && (!json_is_object(given) || json_object_size(given) > ASK_BIASES_MAX))
        return field_refuse(f, "logit_bias", "an object of at most 1024 biases by id");
    const size_t n = json_object_size(given) + (size_t)(ignore_end ? count_ends(c) : 0);
    if (!n) return true;
    a->bias = calloc(n, sizeof *a->bias);
    if (!a->bias) return refuse_memory(f->refusal);
    if (given && !read_biases(c, f, a, given)) return false;
    if (ignore_end) forbid_ends(c, a);
    a->sampler.bias = a->bias;
    return check_allowed(c, f, a);
}

bool ask_sampler(const struct ask_context *c, const struct field *f, struct ask *a)
{
    ead_sampler_options *s = &a->sampler;
    *s = c->sampler;
    if (!read_float(f, "temperature", 0, 100, &s->temperature) ||
        !read_float(f, "top_p", 0, 1, &s->top_p) || !read_float(f, "min_p", 0, 1, &s->min_p) ||
        !read_float(f, "presence_penalty", -2, 2, &s->presence_penalty) ||
        !read_float(f, "frequency_penalty", -2, 2, &s->frequency_penalty) ||
        !read_float(f, "repeat_penalty", 1e-3, 1000, &s->repeat_penalty) ||
        !read_float(f, "repetition_penalty", 1e-3, 1000, &s->repeat_penalty) ||
        !read_count(f, "top_k", 1 << 24, &s->top_k) ||
        !read_count(f, "repeat_last_n", 2048, &s->repeat_last) || !read_seed(f, a))
        return false;
    if (s->top_p == 0) s->top_p = 1e-6f; /* the most probable alone */
    return read_bias(c, f, a);
}

/* ---- the policy -------------------------------------------------------------------------- */

/* An option has its own name, "clear-window", and the one that JSON's fields usually have,
 * "clear_window". */
static const char *find_name(const struct field *f, const ead_policy_option *option,
                             char out[NAME_MAX_BYTES])
{
    if (field_get(f, option->name)) return option->name;
    name_in_json(option->name, out);
    return out;
}

/* One of the option's words, of which the first stands for `first` and the next for `first` + step.
 */
static bool read_word(const struct field *f, const char *name, const ead_policy_option *option,
                      int first, int step, int *out)
{
    const char *word = NULL;
    if (!field_text(f, name, &word) || !word) return false;
    for (int i = 0; option->words[i]; i++)
        if (!strcmp(option->words[i], word)) {
            *out = first + i * step;
            return true;
        }
    char expected[256] = "";
    for (int i = 0; option->words[i]; i++) {
        const size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%s\"%s\"", i ? " or " : "",
                 option->words[i]);
    }
    return field_refuse(f, name, expected);
}

static bool read_option(const struct field *f, const ead_policy_option *option,
                        ead_policy_options *to)
{
    char in_json[NAME_MAX_BYTES];
    void *at = (char *)to + option->offset;
    const double most = 0x1p62;
    const double low = fmax(option->low, -most), high = fmin(option->high, most);
    int64_t n = 0;
    const char *name = find_name(f, option, in_json);
    if (!field_get(f, name)) return true;
    switch (option->type) {
    case EAD_OPTION_REAL:
        if (!field_real(f, name, low, high, at)) return false;
        if (*(double *)at >= most) *(double *)at = option->high; /* JSON has no infinity */
        return true;
    case EAD_OPTION_INT:
        if (option->words && json_is_string(field_get(f, name)))
            return read_word(f, name, option, -1, -1, at);
        if (!field_int(f, name, (int64_t)(option->words ? 0 : low), (int64_t)high, &n))
            return false;
        *(int *)at = (int)n;
        return true;
    case EAD_OPTION_FLAG: return field_flag(f, name, at);
    case EAD_OPTION_WORD: return read_word(f, name, option, 0, 1, at);
    }
    return true;
}

static bool read_kind(const struct ask_context *c, const struct field *f, struct ask *a)
{
    const char *name = NULL;
    if (!field_text(f, "policy", &name) || !name) return !field_get(f, "policy");
    const int kind = ead_policy_parse(name);
    const ead_policy_info *info = kind < 0 ? NULL : ead_policy_describe((ead_policy_kind)kind);
    if (!info || info->needs_data || kind == EAD_POLICY_CUSTOM)
        return refuse(f->refusal, 400, "invalid_value", "ead.policy",
                      "ead.policy: \"%.40s\" is no policy that a request can choose", name);
    for (int w = 0; w < EAD_WRITERS; w++)
        if (info->needs[w] && !c->models[w])
            return refuse(f->refusal, 400, "invalid_value", "ead.policy",
                          "ead.policy: \"%.40s\" needs a %s model, and there is none", name,
                          w == EAD_LARGE ? "large" : "small");
    a->policy.kind = (ead_policy_kind)kind;
    return true;
}

/* What is thought of the prompt's end, for a client that judges by it. */
static bool read_given(const struct ask_context *c, const struct field *inner, struct ask *a)
{
    int64_t n = 0;
    if (!field_int(inner, "given", 0, ASK_GIVEN_MAX, &n)) return false;
    a->given = (int)n;
    if (n && c->unscored)
        return refuse(inner->refusal, 400, "unsupported_value", "ead.given",
                      "ead.given: the models are behind an API, and are not asked of given tokens");
    if (n && (a->kind == ASK_CHAT || a->stream || a->echo))
        return refuse(inner->refusal, 400, "unsupported_value", "ead.given",
                      "ead.given: only a completion without stream and echo can have it");
    return true;
}

/* Who gives an option of the paper's rule where the server's policy judges, and does not look at
 * it, means that rule, as on the command line. */
static void follow_options(const struct field *f, ead_policy_options *policy)
{
    const unsigned mine = 1u << policy->kind;
    if (!ead_policy_describe(policy->kind)->judges) return;
    for (size_t i = 0; ead_policy_option_at(i); i++) {
        const ead_policy_option *option = ead_policy_option_at(i);
        char in_json[NAME_MAX_BYTES];
        if (!field_get(f, find_name(f, option, in_json)) || option->policies & mine) continue;
        if (option->policies & 1u << EAD_POLICY_EAD) policy->kind = EAD_POLICY_EAD;
    }
}

bool ask_policy(const struct ask_context *c, const struct field *f, struct ask *a)
{
    const json_t *given = field_get(f, "ead");
    const struct field inner = {given, "ead.", f->refusal, NULL};
    a->policy = c->policy;
    if (given && !json_is_object(given)) return field_refuse(f, "ead", "an object");
    if (given) {
        if (!field_flag(&inner, "trace", &a->trace) || !read_given(c, &inner, a) ||
            !read_kind(c, &inner, a))
            return false;
        for (size_t i = 0; ead_policy_option_at(i); i++)
            if (!read_option(&inner, ead_policy_option_at(i), &a->policy)) return false;
        if (!field_get(&inner, "policy")) follow_options(&inner, &a->policy);
    }
    if (a->target == ASK_LARGE) a->policy.kind = EAD_POLICY_LARGE;
    if (a->target == ASK_SMALL) a->policy.kind = EAD_POLICY_SMALL;
    return true;
}
