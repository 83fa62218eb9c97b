/* The options of all policies, in the order in which help and reports show them. */
#include "decode/policy.h"

#include <math.h>

#define AT(member) offsetof(ead_policy_options, member)
#define OF(kind)   (1u << EAD_POLICY_##kind)

static const ead_policy_option options[] = {
    {.name = "tau",
     .type = EAD_OPTION_REAL,
     .offset = AT(tau),
     .policies = OF(EAD),
     .low = -INFINITY,
     .high = INFINITY,
     .standard = 1,
     .value = "BITS",
     .help = "the large model writes while the rolling entropy is above this"},
    {.name = "window",
     .letter = 'w',
     .type = EAD_OPTION_INT,
     .offset = AT(window),
     .policies = OF(EAD) | OF(CUSTOM),
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
     .type = EAD_OPTION_WRITER,
     .offset = AT(start),
     .policies = OF(EAD) | OF(RANDOM) | OF(CUSTOM),
     .low = EAD_SMALL,
     .high = EAD_LARGE,
     .standard = EAD_SMALL,
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
    case EAD_OPTION_WRITER: return (int)*(const ead_writer *)at;
    }
    return NAN;
}
