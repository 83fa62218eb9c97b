#include "eval/setting.h"

#include "eval/fault.h"
#include "eval/option.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------- */

/* Tells tables apart: FNV-1a over all that a policy sees of one. */
static uint32_t digest(const ead_risk *table)
{
    uint32_t hash = 2166136261u;
    const struct {
        const void *at;
        size_t bytes;
    } parts[] = {{&table->n_classes, sizeof table->n_classes},
                 {table->ids, (size_t)(table->n_classes - 1) * sizeof *table->ids},
                 {table->edges, sizeof table->edges},
                 {table->risk, sizeof table->risk}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t k = 0; k < parts[i].bytes; k++)
            hash = (hash ^ ((const uint8_t *)parts[i].at)[k]) * 16777619u;
    return hash;
}

/* The threshold of ead is what a person looks for, whether it differs or not. */
static bool is_named(const ead_policy_option *option, const ead_policy_options *rule,
                     const ead_policy_options *base)
{
    if (!option_concerns(option, rule->kind)) return false;
    if (rule->kind == EAD_POLICY_EAD && !strcmp(option->name, "tau")) return true;
    return ead_policy_value(rule, option) != ead_policy_value(base, option);
}

static const char oracle[] = "oracle";

bool setting_is_oracle(const struct setting *s)
{
    return s->rule.kind == EAD_POLICY_CUSTOM;
}

bool setting_name(const ead_policy_options *rule, const ead_policy_options *base,
                  char out[SETTING_NAME_MAX])
{
    const ead_policy_option *option;
    size_t n = (size_t)snprintf(out, SETTING_NAME_MAX, "%s", ead_policy_describe(rule->kind)->name);
    for (size_t i = 0; (option = ead_policy_option_at(i)) && n < SETTING_NAME_MAX; i++) {
        char value[OPTION_TEXT_MAX];
        if (!is_named(option, rule, base)) continue;
        option_show(option, ead_policy_value(rule, option), value);
        n += (size_t)snprintf(out + n, SETTING_NAME_MAX - n, " %s=%s", option->name, value);
    }
    if (n < SETTING_NAME_MAX && rule->table && option_wants_table(rule))
        n += (size_t)snprintf(out + n, SETTING_NAME_MAX - n, " table=%08" PRIx32,
                              digest(rule->table));
    return n < SETTING_NAME_MAX;
}

/* ---- as it is written -------------------------------------------------------------------- */

/* The first of `list` that ends before one of `ends`, without blanks around it; *list moves behind
 * it. False where there is none. */
static bool next_word(const char **list, const char *ends, const char **word, int *n)
{
    if (!*list) return false;
    *word = *list + strspn(*list, " \t");
    const size_t whole = strcspn(*word, ends);
    *n = (int)whole;
    *list = (*word)[whole] ? *word + whole + 1 : NULL;
    while (*n && strchr(" \t", (*word)[*n - 1])) --*n;
    return true;
}

/* The names of the policies that a setting can have, or of the options that one has. */
static void list_names(int kind, char *out, size_t room)
{
    size_t n = 0;
    *out = 0;
    for (int i = 0; n < room; i++) {
        const ead_policy_info *info = kind < 0 ? ead_policy_describe((ead_policy_kind)i) : NULL;
        const ead_policy_option *option = kind < 0 ? NULL : ead_policy_option_at((size_t)i);
        if (!info && !option) break;
        const bool counts = info ? option_tells_all((ead_policy_kind)i)
                                 : option_concerns(option, (ead_policy_kind)kind);
        if (counts)
            n += (size_t)snprintf(out + n, room - n, "%s%s", n ? ", " : "",
                                  info ? info->name : option->name);
    }
}

static ead_status read_kind(const char *word, int n, const char *label, ead_policy_kind *out,
                            ead_error *error)
{
    char name[32], names[256];
    snprintf(name, sizeof name, "%.*s", n, word);
    const int kind = n < (int)sizeof name ? ead_policy_parse(name) : -1;
    if (kind >= 0 && option_tells_all((ead_policy_kind)kind)) {
        *out = (ead_policy_kind)kind;
        return EAD_OK;
    }
    if (!strcmp(name, oracle))
        return fault(error, EAD_ARGUMENT, "%s: %s stands in lists of eval, without options", label,
                     oracle);
    list_names(-1, names, sizeof names);
    return fault(error, EAD_ARGUMENT, "%s: expected one of %s, found \"%.*s\"", label, names, n,
                 word);
}

/* "NAME=VALUE" of a policy. */
static ead_status read_option(const char *word, int n, const char *label, ead_policy_options *to,
                              ead_error *error)
{
    char text[96], list[256], range[OPTION_RANGE_MAX];
    const char *policy = ead_policy_describe(to->kind)->name;
    snprintf(text, sizeof text, "%.*s", n, word);
    char *value = strchr(text, '=');
    if (!value || n >= (int)sizeof text)
        return fault(error, EAD_ARGUMENT, "%s: %s: expected NAME=VALUE, found \"%.*s\"", label,
                     policy, n, word);
    *value++ = 0;
    const ead_policy_option *option = option_find(text);
    if (!option || !option_concerns(option, to->kind)) {
        list_names(to->kind, list, sizeof list);
        return fault(error, EAD_ARGUMENT, "%s: %s has no option \"%s\"; it has %s", label, policy,
                     text, *list ? list : "none");
    }
    double x;
    if (option_read(option, value, &x)) {
        option_put(option, to, x);
        return EAD_OK;
    }
    option_range(option, range);
    return fault(error, EAD_ARGUMENT, "%s: %s: %s: expected %s, found \"%s\"", label, policy, text,
                 range, value);
}

/* `given`: the options that were. */
static ead_status read_setting(const char *text, int bytes, const ead_policy_options *base,
                               const char *label, ead_policy_options *out, unsigned *n_given,
                               bool *has_tau, ead_error *error)
{
    char whole[SETTING_NAME_MAX];
    const char *at = whole, *word;
    int n;
    snprintf(whole, sizeof whole, "%.*s", bytes, text);
    if (bytes >= SETTING_NAME_MAX)
        return fault(error, EAD_ARGUMENT, "%s: expected at most %d bytes, found %d", label,
                     SETTING_NAME_MAX - 1, bytes);
    *out = *base;
    *n_given = 0;
    *has_tau = false;
    next_word(&at, " \t", &word, &n);
    ead_status st = read_kind(word, n, label, &out->kind, error);
    while (!st && next_word(&at, " \t", &word, &n)) {
        if (!n) continue;
        st = read_option(word, n, label, out, error);
        ++*n_given;
        *has_tau |= !strncmp(word, "tau=", 4);
    }
    return st;
}

ead_status setting_read(const char *text, const ead_policy_options *base, const char *label,
                        ead_policy_options *out, ead_error *error)
{
    unsigned given;
    bool has_tau;
    return read_setting(text, (int)strlen(text), base, label, out, &given, &has_tau, error);
}

/* ---- thresholds -------------------------------------------------------------------------- */

enum { TAUS_MAX = 256 };

struct taus {
    double list[TAUS_MAX];
    size_t n;
};

static ead_status read_tau(const char *word, int n, double *out, ead_error *error)
{
    char text[64], *end;
    snprintf(text, sizeof text, "%.*s", n, word);
    *out = strtod(text, &end);
    if (!n || *end || end == text || n >= (int)sizeof text || !isfinite(*out))
        return fault(error, EAD_ARGUMENT, "tau: expected a number of bits, found \"%.*s\"", n,
                     word);
    return EAD_OK;
}

static ead_status read_taus(const char *list, struct taus *to, ead_error *error)
{
    const char *word;
    to->n = 0;
    for (int n; next_word(&list, ",", &word, &n);) {
        double tau;
        ead_status st = read_tau(word, n, &tau, error);
        if (st) return st;
        for (size_t i = 0; i < to->n; i++)
            if (to->list[i] == tau)
                return fault(error, EAD_ARGUMENT, "tau: %.*s stands in the list twice", n, word);
        if (to->n == TAUS_MAX)
            return fault(error, EAD_ARGUMENT, "tau: expected at most %d", TAUS_MAX);
        to->list[to->n++] = tau;
    }
    return EAD_OK;
}

/* ---- the settings ------------------------------------------------------------------------ */

struct making {
    struct settings *s;
    const struct taus *taus;
    size_t room;
    bool random, oracle; /* stood in the list, random without options: what follows others is
                          * added last */
};

static ead_status append(struct making *m, const struct setting *one, ead_error *error)
{
    struct settings *s = m->s;
    if (s->n == m->room) {
        const size_t room = m->room ? 2 * m->room : 32;
        struct setting *more = realloc(s->list, room * sizeof *more);
        if (!more) return fault_memory(error, "the settings");
        s->list = more;
        m->room = room;
    }
    s->list[s->n++] = *one;
    return EAD_OK;
}

static ead_status add(struct making *m, const ead_policy_options *rule, ead_error *error)
{
    struct setting one = {.rule = *rule, .of = -1};
    if (!setting_name(rule, &m->s->base, one.name))
        return fault(error, EAD_ARGUMENT, "setting: the name has no room in %d bytes: %s",
                     SETTING_NAME_MAX, one.name);
    for (size_t i = 0; i < m->s->n; i++)
        if (!strcmp(m->s->list[i].name, one.name)) return EAD_OK;
    return append(m, &one, error);
}

static bool is_oracle(const char *text, int bytes)
{
    for (; bytes && strchr(" \t", *text); bytes--) text++;
    while (bytes && strchr(" \t", text[bytes - 1])) bytes--;
    return (size_t)bytes == strlen(oracle) && !memcmp(text, oracle, strlen(oracle));
}

static ead_status add_written(struct making *m, const char *text, int bytes, const char *label,
                              ead_error *error)
{
    ead_policy_options rule;
    unsigned n_given;
    bool has_tau;
    if (is_oracle(text, bytes)) {
        m->oracle = true;
        return EAD_OK;
    }
    ead_status st = read_setting(text, bytes, &m->s->base, label, &rule, &n_given, &has_tau, error);
    if (st) return st;
    if (rule.kind == EAD_POLICY_RANDOM && !n_given) {
        m->random = true;
        return EAD_OK;
    }
    if (rule.kind != EAD_POLICY_EAD || has_tau || !m->taus->n) return add(m, &rule, error);
    for (size_t i = 0; i < m->taus->n && !st; i++) {
        rule.tau = m->taus->list[i];
        st = add(m, &rule, error);
    }
    return st;
}

static ead_status add_all(struct making *m, const struct settings_wish *wish, ead_error *error)
{
    const char *list = wish->policies, *word;
    ead_status st = EAD_OK;
    for (int n; !st && next_word(&list, ",", &word, &n);)
        st = add_written(m, word, n, "policy", error);
    for (size_t i = 0; i < wish->n_more && !st; i++)
        st = add_written(m, wish->more[i], (int)strlen(wish->more[i]), "setting", error);
    for (size_t i = 0; i < wish->n_rules && !st; i++) st = add(m, &wish->rules[i], error);
    return st;
}

/* Small first, then large, and the others in their order. */
static void arrange(struct settings *s)
{
    static const ead_policy_kind first[] = {EAD_POLICY_SMALL, EAD_POLICY_LARGE};
    size_t to = 0;
    for (int f = 0; f < 2; f++)
        for (size_t i = to; i < s->n; i++) {
            if (s->list[i].rule.kind != first[f]) continue;
            const struct setting one = s->list[i];
            memmove(&s->list[to + 1], &s->list[to], (i - to) * sizeof one);
            s->list[to++] = one;
        }
}

static ead_status add_oracle(struct making *m, ead_error *error)
{
    struct setting one = {.rule = m->s->base, .of = -1};
    for (size_t i = 0; i < m->s->n; i++)
        if (m->s->list[i].rule.kind == EAD_POLICY_LARGE) one.of = (int)i;
    if (one.of < 0)
        return fault(error, EAD_ARGUMENT, "policy: %s needs %s beside it, whose text it repeats",
                     oracle, ead_policy_describe(EAD_POLICY_LARGE)->name);
    one.rule.kind = EAD_POLICY_CUSTOM;
    snprintf(one.name, sizeof one.name, "%s", oracle);
    return append(m, &one, error);
}

/* One of "random" behind all others for each of ead, called like it. */
static ead_status add_random(struct making *m, ead_error *error)
{
    struct settings *s = m->s;
    const char *random = ead_policy_describe(EAD_POLICY_RANDOM)->name;
    const size_t n = s->n;
    ead_status st = EAD_OK;
    for (size_t i = 0; i < n && !st; i++) {
        struct setting one = {.rule = s->list[i].rule, .of = (int)i};
        if (one.rule.kind != EAD_POLICY_EAD) continue;
        one.rule.kind = EAD_POLICY_RANDOM;
        snprintf(one.name, sizeof one.name, "%s%s", random, strchr(s->list[i].name, ' '));
        st = append(m, &one, error);
    }
    if (st) return st;
    if (s->n > n) return EAD_OK;
    return fault(error, EAD_ARGUMENT, "policy: %s needs %s beside it, whose shares it takes",
                 random, ead_policy_describe(EAD_POLICY_EAD)->name);
}

ead_status settings_open(const struct settings_wish *wish, struct settings **out, ead_error *error)
{
    struct taus taus = {.n = 0};
    struct making m = {.s = calloc(1, sizeof *m.s), .taus = &taus};
    if (!m.s) return fault_memory(error, "the settings");
    m.s->base = wish->base;
    ead_status st = wish->taus ? read_taus(wish->taus, &taus, error) : EAD_OK;
    if (!st) st = add_all(&m, wish, error);
    arrange(m.s);
    if (!st && m.oracle) st = add_oracle(&m, error);
    if (!st && m.random) st = add_random(&m, error);
    if (!st && !m.s->n) st = fault(error, EAD_ARGUMENT, "policy: expected at least one");
    if (st)
        settings_close(m.s);
    else
        *out = m.s;
    return st;
}

void settings_close(struct settings *settings)
{
    if (!settings) return;
    free(settings->list);
    free(settings);
}
