#include "eval/knob.h"

#include "eval/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OF(name) .kind = EAD_POLICY_##name
#define EVEN(name, text, l, h)                                                                     \
    {                                                                                              \
        OF(name), .option = text, .scale = KNOB_EVEN, .low = l, .high = h                          \
    }
#define LOG(name, text, l, h)                                                                      \
    {                                                                                              \
        OF(name), .option = text, .scale = KNOB_LOG, .low = l, .high = h                           \
    }
#define WORDS(name, text)                                                                          \
    {                                                                                              \
        OF(name), .option = text, .scale = KNOB_WORDS                                              \
    }
#define LOG_IF(name, held, value, text, l, h)                                                      \
    {                                                                                              \
        OF(name), .option = text, .scale = KNOB_LOG, .low = l, .high = h, .with = held,            \
                  .word = value                                                                    \
    }

/* clang-format off */
static const struct knob table[] = {
    LOG(EAD, "tau", 0.005, 5),              LOG(EAD, "window", 1, 16),
    LOG(EAD, "dwell", 1, 16),
    EVEN(RANDOM, "share", 0, 1),            LOG(RANDOM, "dwell", 1, 16),
    LOG(SPECULATIVE, "draft", 2, 63),       EVEN(SPECULATIVE, "draft-min-p", 0, 0.9),
    LOG_IF(SPECULATIVE, "draft", EAD_DRAFT_SURVIVAL, "small-cost", 0.02, 1),
    LOG_IF(SPECULATIVE, "draft", EAD_DRAFT_SURVIVAL, "row-cost", 0.005, 0.5),
    LOG(JUDGE, "risk", 0.005, 1),           LOG(JUDGE, "risk-sum", 0.01, 4),
    EVEN(JUDGE, "slack", 0, 0.95),
    LOG_IF(JUDGE, "slack-by", EAD_SLACK_LEAD, "slack", 0.01, 0.5),
    LOG(EAD_PLUS, "tau", 0.01, 5),          LOG(EAD_PLUS, "window", 1, 16),
    LOG(EAD_PLUS, "agree", 1, 32),          LOG(EAD_PLUS, "draft", 2, 32),
    EVEN(EAD_PLUS, "slack", 0, 0.95),
    LOG(TYPICAL, "draft", 2, 63),           EVEN(TYPICAL, "draft-min-p", 0, 0.9),
    LOG(TYPICAL, "epsilon", 0.005, 0.9),    LOG(TYPICAL, "delta", 0.02, 1),
    LOG(RELAXED, "draft", 2, 63),           EVEN(RELAXED, "draft-min-p", 0, 0.9),
    LOG(RELAXED, "relaxed-top", 1, 16),     EVEN(RELAXED, "relaxed-delta", 0, 0.99),
    LOG(CASCADE, "draft", 2, 63),           EVEN(CASCADE, "draft-min-p", 0, 0.9),
    WORDS(CASCADE, "rule"),                 EVEN(CASCADE, "slack", 0, 0.99),
    LOG(LENIENT, "draft", 2, 63),           EVEN(LENIENT, "draft-min-p", 0, 0.9),
    EVEN(LENIENT, "slack", 0, 0.99),
    LOG(FLY, "draft", 2, 63),               EVEN(FLY, "draft-min-p", 0, 0.9),
    LOG(FLY, "fly-window", 1, 12),          LOG(FLY, "fly-entropy", 0.02, 1),
    LOG(FSD, "draft", 2, 63),               EVEN(FSD, "draft-min-p", 0, 0.9),
    WORDS(FSD, "divergence"),               LOG(FSD, "fsd-limit", 0.005, 2),
    LOG(BILD, "draft", 4, 63),              EVEN(BILD, "fallback", 0.1, 0.99),
    LOG(BILD, "rollback", 0.3, 8),
    LOG(RSTITCH, "uncertainty", 0.0005, 0.5),
    LOG(R2R, "critical", 0.01, 3),          LOG(R2R, "window", 1, 8),
    LOG(STEP, "step-entropy", 0.005, 3),    WORDS(STEP, "step-end"),
};
/* clang-format on */
enum { N_TABLE = sizeof table / sizeof *table };

const struct knob *knob_at(int i)
{
    return i < N_TABLE ? &table[i] : NULL;
}

bool knob_is_held(const char *text, const char *option)
{
    const size_t n = strlen(option);
    for (const char *at = text; (at = strstr(at, option)); at++)
        if (at > text && strchr(" \t", at[-1]) && at[n] == '=') return true;
    return false;
}

static bool counts(const struct knob *knob, const char *text, const ead_policy_options *rule)
{
    return knob->kind == rule->kind && !knob_is_held(text, knob->option) &&
           (!knob->with || (knob_is_held(text, knob->with) &&
                            ead_policy_value(rule, option_find(knob->with)) == knob->word));
}

int knobs_of(const char *text, const ead_policy_options *rule, const struct knob *out[KNOBS_MAX])
{
    int n = 0;
    for (int i = 0; i < N_TABLE; i++) {
        int at = 0;
        if (!counts(&table[i], text, rule)) continue;
        while (at < n && strcmp(out[at]->option, table[i].option)) at++;
        if (at == KNOBS_MAX) continue;
        out[at] = &table[i];
        if (at == n) n++;
    }
    return n;
}

/* ---- places ------------------------------------------------------------------------------ */

/* Three digits are enough, and are what a setting is called. */
static double rounded(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.3g", x);
    return strtod(text, NULL);
}

static int count_words(const ead_policy_option *option)
{
    int n = 0;
    while (option->words[n]) n++;
    return n;
}

void knob_turn(const struct knob *knob, double place, ead_policy_options *to)
{
    const ead_policy_option *option = option_find(knob->option);
    double x = knob->low + place * (knob->high - knob->low);
    if (knob->scale == KNOB_LOG) x = knob->low * pow(knob->high / knob->low, place);
    if (knob->scale == KNOB_WORDS) {
        const int n = count_words(option), at = (int)(place * n);
        x = at < n ? at : n - 1;
    }
    option_put(option, to, option->type == EAD_OPTION_REAL ? rounded(x) : round(x));
}

double knob_place(const struct knob *knob, const ead_policy_options *now)
{
    const ead_policy_option *option = option_find(knob->option);
    const double x = ead_policy_value(now, option);
    if (knob->scale == KNOB_WORDS) return (x + 0.5) / count_words(option);
    if (!(x > knob->low)) return 0; /* where it stands for the policy's own choice, too */
    if (x >= knob->high) return 1;
    return knob->scale == KNOB_LOG ? log(x / knob->low) / log(knob->high / knob->low)
                                   : (x - knob->low) / (knob->high - knob->low);
}
