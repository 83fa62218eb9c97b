/* The options of all policies, in the order in which help and reports show them. */
#include "decode/policy.h"

#include <math.h>

#define AT(member) offsetof(ead_policy_options, member)
#define OF(kind)   (1u << EAD_POLICY_##kind)
#define DRAFTING                                                                                   \
    (OF(SPECULATIVE) | OF(EAD_PLUS) | OF(TYPICAL) | OF(RELAXED) | OF(CASCADE) | OF(LENIENT) |      \
     OF(FLY) | OF(FSD) | OF(BILD))

static const char *const writers[] = {[EAD_SMALL] = "small", [EAD_LARGE] = "large", NULL};
static const char *const lengths[] = {"heuristic", "confidence", "survival", NULL};
static const char *const cascades[] = {[EAD_CASCADE_CHOW] = "chow",
                                       [EAD_CASCADE_DIFF] = "diff",
                                       [EAD_CASCADE_OPT] = "opt",
                                       [EAD_CASCADE_V1] = "v1",
                                       [EAD_CASCADE_V2] = "v2",
                                       [EAD_CASCADE_V3] = "v3",
                                       NULL};
static const char *const divergences[] = {
    [EAD_DIVERGENCE_KL] = "kl", [EAD_DIVERGENCE_JS] = "js", [EAD_DIVERGENCE_TV] = "tv", NULL};
static const char *const slacks[] = {[EAD_SLACK_RATIO] = "ratio", [EAD_SLACK_LEAD] = "lead", NULL};
static const char *const steps[] = {[EAD_STEP_LINE] = "line", [EAD_STEP_BLANK] = "blank", NULL};

#define REAL(n, field, who, l, h, s, v, text)                                                      \
    {                                                                                              \
        .name = n, .type = EAD_OPTION_REAL, .offset = AT(field), .policies = who, .low = l,        \
        .high = h, .standard = s, .value = v, .help = text                                         \
    }
#define COUNT(n, field, who, l, h, s, text)                                                        \
    {                                                                                              \
        .name = n, .type = EAD_OPTION_INT, .offset = AT(field), .policies = who, .low = l,         \
        .high = h, .standard = s, .value = "N", .help = text                                       \
    }
#define WORD(n, field, who, list, s, text)                                                         \
    {                                                                                              \
        .name = n, .type = EAD_OPTION_WORD, .offset = AT(field), .policies = who,                  \
        .high = sizeof list / sizeof *list - 2, .standard = s, .words = list, .value = "NAME",     \
        .help = text                                                                               \
    }

static const ead_policy_option options[] = {
    {.name = "tau",
     .type = EAD_OPTION_REAL,
     .offset = AT(tau),
     .policies = OF(EAD) | OF(EAD_PLUS),
     .low = -INFINITY,
     .high = INFINITY,
     .standard = 1,
     .value = "BITS",
     .help = "the large model writes while the rolling entropy is above this"},
    {.name = "window",
     .letter = 'w',
     .type = EAD_OPTION_INT,
     .offset = AT(window),
     .policies = OF(EAD) | OF(EAD_PLUS) | OF(R2R) | OF(CUSTOM),
     .low = 1,
     .high = POLICY_WINDOW_MAX,
     .standard = 5,
     .value = "N",
     .help = "tokens in the rolling mean"},
    {.name = "dwell",
     .letter = 'd',
     .type = EAD_OPTION_INT,
     .offset = AT(dwell),
     .policies = OF(EAD) | OF(RANDOM),
     .low = 1,
     .high = INT32_MAX,
     .standard = 10,
     .value = "N",
     .help = "tokens a model writes at least before it hands over"},
    {.name = "start",
     .type = EAD_OPTION_WORD,
     .offset = AT(start),
     .policies = OF(EAD) | OF(RANDOM) | OF(CUSTOM),
     .low = EAD_SMALL,
     .high = EAD_LARGE,
     .standard = EAD_SMALL,
     .words = writers,
     .value = "NAME",
     .help = "who writes first: small or large"},
    {.name = "clear-window",
     .type = EAD_OPTION_FLAG,
     .offset = AT(clear_window),
     .policies = OF(EAD) | OF(CUSTOM),
     .high = 1,
     .help = "empty the window at a switch (default: it is kept)"},
    {.name = "share",
     .type = EAD_OPTION_REAL,
     .offset = AT(share),
     .policies = OF(RANDOM),
     .low = 0,
     .high = 1,
     .standard = 0.25,
     .value = "P",
     .help = "policy random: wanted share of large-model tokens"},
    {.name = "horizon",
     .type = EAD_OPTION_INT,
     .offset = AT(horizon),
     .policies = OF(RANDOM),
     .low = 0,
     .high = EAD_HORIZON_MAX,
     .standard = 0,
     .value = "N",
     .help = "policy random: the share is wanted over texts of about N tokens; 0: in the\n"
             "long run"},
    {.name = "draft",
     .type = EAD_OPTION_INT,
     .offset = AT(draft),
     .policies = DRAFTING,
     .low = EAD_DRAFT_SURVIVAL,
     .high = EAD_DRAFT_MAX,
     .words = lengths,
     .value = "N",
     .help = "tokens of a draft, or heuristic, confidence or survival; 0: as many as the\n"
             "policy's source takes"},
    COUNT("draft-min", draft_min, DRAFTING, 0, EAD_DRAFT_MAX, 0,
          "a draft that --draft-min-p stops with fewer tokens is dropped, unless tokens\n"
          "are drawn"),
    REAL("draft-min-p", draft_min_p, DRAFTING, 0, 1, 0, "P",
         "a draft stops before a token whose probability is below"),
    REAL("confidence", confidence, DRAFTING, 0, 1, 0.4, "P",
         "draft confidence: it stops behind a token whose probability is below;\n"
         "refitted as the text goes on"),
    REAL("small-cost", small_cost, DRAFTING, 0, 1, 0.25, "X",
         "draft survival: a step of the small model, relative to one of the large"),
    REAL("row-cost", row_cost, DRAFTING, 0, 1, 0.06, "X",
         "draft survival: a further row of a pass, likewise"),
    REAL("epsilon", epsilon, OF(TYPICAL), 0, 1, 0.09, "P",
         "typical: p(x) > min(epsilon, delta e^-H(p))"),
    REAL("delta", delta, OF(TYPICAL), 0, 1, 0.3, "P", "typical: delta of that"),
    REAL("posterior", posterior, OF(TYPICAL), 0, 100, 1, "T",
         "typical: temperature of p where tokens are not drawn; 0: exact"),
    COUNT("relaxed-top", relaxed_top, OF(RELAXED), 1, INT32_MAX, 10,
          "relaxed: a draft must be among the best so many"),
    REAL("relaxed-delta", relaxed_delta, OF(RELAXED), 0, 1, 0.6, "P",
         "relaxed: and at most so much less probable than the best"),
    WORD("rule", rule, OF(CASCADE), cascades, EAD_CASCADE_V3,
         "cascade: chow, diff, opt, v1, v2 or v3"),
    REAL("slack", slack, OF(CASCADE) | OF(LENIENT) | OF(JUDGE) | OF(EAD_PLUS), 0, 1, 0.5, "A",
         "how much less probable than the best a kept token may be, or a of the\n"
         "cascade's rule; 0: exact (of cascade: v2 and v3, when greedy)"),
    WORD("slack-by", slack_by, OF(JUDGE) | OF(EAD_PLUS), slacks, EAD_SLACK_RATIO,
         "judge, ead+: a kept token may be less probable than the best by this share of\n"
         "it (ratio), or by so much probability (lead)"),
    REAL("mentor", mentor, OF(LENIENT), 0, INFINITY, 0, "NATS",
         "lenient: what is kept may be so far from the large model, in place of --slack;\n"
         "0: off"),
    COUNT("fly-window", fly_window, OF(FLY), 1, EAD_DRAFT_MAX, 6,
          "fly: tokens that must agree behind an overruled one"),
    REAL("fly-entropy", fly_entropy, OF(FLY), 0, INFINITY, 0.3, "NATS",
         "fly: entropy of the large model's best three from which on it is overruled"),
    WORD("divergence", divergence, OF(FSD) | OF(CUSTOM), divergences, EAD_DIVERGENCE_JS,
         "fsd: kl, js or tv"),
    REAL("fsd-limit", fsd_limit, OF(FSD), 0, INFINITY, 0.4, "NATS",
         "fsd: how far apart the two distributions may be"),
    REAL("fallback", fallback, OF(BILD), 0, 1, 0.6, "P",
         "bild: the small model gives up a token whose probability is below"),
    REAL("rollback", rollback, OF(BILD), 0, INFINITY, 3, "NATS",
         "bild: a token that surprises the large model by more is cut"),
    REAL("uncertainty", uncertainty, OF(RSTITCH), 0, 1, 0.03, "H",
         "rstitch: entropy over that of all tokens alike, in both directions"),
    REAL("critical", critical, OF(R2R), 0, INFINITY, 0.45, "NATS",
         "r2r: mean entropy from which on a token is the large model's"),
    REAL("step-entropy", step_entropy, OF(STEP), 0, INFINITY, 1, "NATS",
         "step: entropy of a step's first token from which on it is the large model's"),
    WORD("step-end", step_end, OF(STEP), steps, EAD_STEP_BLANK,
         "step: a step ends at a line or blank"),
    REAL("risk", risk, OF(JUDGE), 0, INFINITY, 0.5, "R",
         "judge: risk of a token that calls the large model: a probability with the\n"
         "profile's table, bits without"),
    REAL("risk-sum", risk_sum, OF(JUDGE), 0, INFINITY, 0.8, "R",
         "judge: and of all drafts together"),
    COUNT("unjudged", unjudged, OF(JUDGE) | OF(EAD_PLUS), 0, EAD_DRAFT_MAX, 0,
          "so many drafts are judged whatever their risk; 0: never for their number"),
    {.name = "tail",
     .type = EAD_OPTION_FLAG,
     .offset = AT(tail),
     .policies = OF(JUDGE) | OF(EAD_PLUS),
     .high = 1,
     .help = "drafts at a text's end are judged whatever their risk (default: they stand)"},
    COUNT("agree", agree, OF(EAD_PLUS), 1, EAD_DRAFT_MAX, 8,
          "ead+: drafts in a row that must agree before the small model is free"),
};

const ead_policy_option *policy_option(size_t i)
{
    return i < sizeof options / sizeof *options ? &options[i] : NULL;
}

double policy_option_value(const ead_policy_options *o, const ead_policy_option *option)
{
    const void *at = (const char *)o + option->offset;
    switch (option->type) {
    case EAD_OPTION_REAL: return *(const double *)at;
    case EAD_OPTION_INT: return *(const int *)at;
    case EAD_OPTION_FLAG: return *(const bool *)at;
    case EAD_OPTION_WORD: return *(const int *)at;
    }
    return NAN;
}

static void set(ead_policy_options *o, const ead_policy_option *option)
{
    void *at = (char *)o + option->offset;
    switch (option->type) {
    case EAD_OPTION_REAL: *(double *)at = option->standard; break;
    case EAD_OPTION_WORD:
    case EAD_OPTION_INT: *(int *)at = (int)option->standard; break;
    case EAD_OPTION_FLAG: *(bool *)at = option->standard > 0; break;
    }
}

void policy_defaults(ead_policy_options *out)
{
    *out = (ead_policy_options){.kind = EAD_POLICY_EAD};
    for (size_t i = 0; policy_option(i); i++) set(out, policy_option(i));
}
