/* What came of one setting, relative to the large model alone: numbers to choose by, without the
 * intervals of a summary. */
#ifndef EAD_EVAL_OUTCOME_H
#define EAD_EVAL_OUTCOME_H

#include "eval/cost.h"

struct outcome {
    double accuracy;        /* of all problems that have a result */
    double kept, time;      /* over problems that both have; time is modelled */
    double measured, share; /* seconds likewise; tokens of the large model */
};

/* Of the setting called `name` in the run of DIR; `alone` is a run with the large model. EAD_FORMAT
 * when one of the two is not there. */
ead_status outcome_read(const char *alone, const char *dir, const char *name,
                        const struct cost *cost, struct outcome *out, ead_error *error);

#endif
