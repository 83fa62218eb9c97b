/*
 * What calibration may turn of each policy, and between what: one table. A knob is an option of the
 * library with a range that holds all that is sensible, on a scale on which a step means about as
 * much everywhere; a place on it is a number from 0 to 1.
 */
#ifndef EAD_EVAL_KNOB_H
#define EAD_EVAL_KNOB_H

#include "ead.h"

#include <stdbool.h>

enum { KNOBS_MAX = 8 };

enum knob_scale {
    KNOB_EVEN,
    KNOB_LOG,
    KNOB_WORDS /* each word of the option has as much room */
};

struct knob {
    ead_policy_kind kind;
    const char *option;
    enum knob_scale scale;
    double low, high;
    const char *with; /* only where this option is held, */
    int word;         /* at this value, and in place of a row before it without; NULL: anywhere */
};

/* Row i of the table; NULL behind the last. */
const struct knob *knob_at(int i);

/* The knobs of a setting, as it is written: its policy's, but for options that stand in it. `text`
 * has passed setting_read, which gave `rule`. Returns how many there are. */
int knobs_of(const char *text, const ead_policy_options *rule, const struct knob *out[KNOBS_MAX]);
/* Is this option said in the setting's text? */
bool knob_is_held(const char *text, const char *option);

/* Turn it to a place: a real number with three digits. */
void knob_turn(const struct knob *knob, double place, ead_policy_options *to);
/* Where it is now, or the end of the scale that is nearest. */
double knob_place(const struct knob *knob, const ead_policy_options *now);

#endif
