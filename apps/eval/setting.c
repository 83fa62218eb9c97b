#include "eval/setting.h"

#include "eval/fault.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which settings stand. */
static const ead_policy_kind order[] = {EAD_POLICY_SMALL, EAD_POLICY_LARGE, EAD_POLICY_EAD,
                                        EAD_POLICY_RANDOM};
enum { N_POLICIES = sizeof order / sizeof *order, TAUS_MAX = 256 };

int setting_rank(ead_policy_kind kind)
{
    for (int i = 0; i < N_POLICIES; i++)
        if (order[i] == kind) return i;
    return -1;
}

static const char *name_of(ead_policy_kind kind)
{
    return ead_policy_describe(kind)->name;
}

void setting_policies(const char *quote, char out[SETTING_POLICIES_MAX])
{
    size_t n = 0;
    for (int i = 0; i < N_POLICIES && n < SETTING_POLICIES_MAX; i++)
        n += (size_t)snprintf(out + n, SETTING_POLICIES_MAX - n, "%s%s%s%s",
                              !i                   ? ""
                              : i < N_POLICIES - 1 ? ", "
                                                   : " or ",
                              quote, name_of(order[i]), quote);
}

ead_policy_options setting_rule(const struct settings *settings, size_t i)
{
    const struct setting *s = &settings->list[i];
    ead_policy_options rule = ead_duo_defaults().policy;
    rule.kind = s->kind;
    rule.tau = s->tau;
    rule.window = settings->window;
    rule.dwell = settings->dwell;
    rule.share = s->share;
    rule.horizon = s->horizon;
    return rule;
}

/* ---- the lists --------------------------------------------------------------------------- */

/* The word that begins at *at, without blanks around it; *at moves behind its comma. False behind
 * the last. */
static bool next_word(const char **at, const char **word, int *n)
{
    if (!*at) return false;
    *word = *at + strspn(*at, " \t");
    const char *comma = strchr(*word, ',');
    *n = comma ? (int)(comma - *word) : (int)strlen(*word);
    *at = comma ? comma + 1 : NULL;
    while (*n && ((*word)[*n - 1] == ' ' || (*word)[*n - 1] == '\t')) --*n;
    return true;
}

/* The rank of the policy that a word names, or -1. */
static int rank_of(const char *word, int n)
{
    for (int i = 0; i < N_POLICIES; i++) {
        const char *name = name_of(order[i]);
        if (strlen(name) == (size_t)n && !memcmp(name, word, (size_t)n)) return i;
    }
    return -1;
}

static ead_status read_policies(const char *list, bool wanted[N_POLICIES], ead_error *error)
{
    const char *word;
    for (int n; next_word(&list, &word, &n);) {
        char names[SETTING_POLICIES_MAX];
        const int rank = rank_of(word, n);
        setting_policies("", names);
        if (rank < 0)
            return fault(error, EAD_ARGUMENT, "policy: expected %s, found \"%.*s\"", names, n,
                         word);
        wanted[rank] = true;
    }
    if (wanted[3] && !wanted[2])
        return fault(error, EAD_ARGUMENT, "policy: %s needs %s beside it, whose shares it takes",
                     name_of(EAD_POLICY_RANDOM), name_of(EAD_POLICY_EAD));
    return EAD_OK;
}

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

static ead_status read_taus(const char *list, double taus[TAUS_MAX], size_t *count,
                            ead_error *error)
{
    const char *word;
    *count = 0;
    for (int n; next_word(&list, &word, &n);) {
        double tau;
        ead_status st = read_tau(word, n, &tau, error);
        if (st) return st;
        for (size_t i = 0; i < *count; i++)
            if (taus[i] == tau)
                return fault(error, EAD_ARGUMENT, "tau: %.*s stands in the list twice", n, word);
        if (*count == TAUS_MAX)
            return fault(error, EAD_ARGUMENT, "tau: expected at most %d", TAUS_MAX);
        taus[(*count)++] = tau;
    }
    return EAD_OK;
}

/* ---- the settings ------------------------------------------------------------------------ */

/* With as few digits as read back the same. */
static void name_tau(struct setting *s)
{
    char digits[32];
    for (int n = 1; n <= 17; n++) {
        snprintf(digits, sizeof digits, "%.*g", n, s->tau);
        if (strtod(digits, NULL) == s->tau) break;
    }
    snprintf(s->name, sizeof s->name, "%s tau=%s", name_of(s->kind), digits);
}

static void add(struct settings *s, ead_policy_kind kind, const double *tau, int of)
{
    struct setting *one = &s->list[s->n++];
    *one = (struct setting){.kind = kind, .of = of};
    snprintf(one->name, sizeof one->name, "%s", name_of(kind));
    if (!tau) return;
    one->tau = *tau;
    name_tau(one);
}

static void add_all(struct settings *s, const bool *wanted, const double *taus, size_t n_taus)
{
    for (int i = 0; i < 2; i++)
        if (wanted[i]) add(s, order[i], NULL, -1);
    const int first = (int)s->n;
    for (size_t i = 0; i < n_taus && wanted[2]; i++) add(s, EAD_POLICY_EAD, &taus[i], -1);
    for (size_t i = 0; i < n_taus && wanted[3]; i++)
        add(s, EAD_POLICY_RANDOM, &taus[i], first + (int)i);
}

ead_status settings_open(const char *names, const char *taus, int window, int dwell,
                         struct settings **out, ead_error *error)
{
    bool wanted[N_POLICIES] = {false};
    double list[TAUS_MAX];
    size_t n_taus;
    ead_status st = read_policies(names, wanted, error);
    if (!st) st = read_taus(taus, list, &n_taus, error);
    if (st) return st;
    struct settings *s = calloc(1, sizeof *s);
    if (s) s->list = calloc(2 * n_taus + 2, sizeof *s->list);
    if (!s || !s->list) {
        settings_close(s);
        return fault_memory(error, "the settings");
    }
    s->window = window;
    s->dwell = dwell;
    add_all(s, wanted, list, n_taus);
    *out = s;
    return EAD_OK;
}

void settings_close(struct settings *settings)
{
    if (!settings) return;
    free(settings->list);
    free(settings);
}
