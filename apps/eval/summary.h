/*
 * What a run shows: for every setting, and again for every level and every subject, accuracy and
 * cost. Settings are compared over the problems that both have results for; a run that was stopped
 * has such gaps.
 *
 * Terms (docs/METHOD.md):
 *   kept       accuracy relative to the large model alone, over common problems
 *   share      tokens that the large model wrote, of all
 *   cost       the paper's: (p N_L + (1-p) N_S) / N_L with p = share
 *   time       seconds relative to the large model alone, over common problems
 *   modelled   the same of modelled time (cost.h), which is the same on every machine
 *   overhead   seconds of writing over T_ideal = n_S t_S + n_L t_L, less 1. t is the time of a
 * decode step in the settings "small" and "large" of the same run; n are the tokens that each wrote
 * but for the first of a text, which comes out of the prompt's pass. Reading the prompt is on
 * neither side.
 *   gain       accuracy less that of random switching at the same share, over common problems
 *   against    accuracy less that of another setting, which the reader names
 */
#ifndef EAD_EVAL_SUMMARY_H
#define EAD_EVAL_SUMMARY_H

#include "ead.h"
#include "eval/cost.h"
#include "eval/load.h"
#include "eval/stats.h"

#include <jansson.h>
#include <stddef.h>

/* Every number may be NaN: not defined, or not measured. Shares are of 1. */
struct measure {
    double value;
    struct interval span; /* 95 % */
};

struct summary_row {
    const char *setting, *policy; /* policy: the name of one */
    double tau;
    double problems, paired, correct; /* counts; paired: those that "large" has as well */
    struct measure accuracy, kept, time, modelled, gain, against, against_time;
    double share, cost, seconds, overhead;
    double had;               /* processor time that was had, of what was wanted: load_share */
    double switches, catchup; /* a hundred tokens; catchup: rows */
    double passes, rows;      /* of the large model that write or judge, a hundred tokens */
    double lost;              /* tokens written and thrown away, a hundred tokens */
    double accepted;          /* of the drafts that were judged */
    double same;              /* answers that are the large model's own text, of those in common */
    double tokens;            /* a problem */
    double cut;               /* texts that ended by length */
    double unanswered;        /* problems whose prompts did not fit; they count as wrong */
};

struct summary_group {
    char *name; /* "Level 3"; "Algebra" */
    struct summary_row *rows;
};

struct summary {
    json_t *run; /* run.json; an empty object when there is none */
    size_t n_settings, n_problems;
    size_t n_wanted;       /* as run.json has it; 0 unknown */
    size_t n_skipped;      /* records of the data that were no problems, likewise */
    int parallel, threads; /* texts that shared passes at most while time was measured; 0 unknown */
    struct load load;      /* while time was measured; 0: not said */
    struct summary_row *rows;
    struct summary_group *levels, *subjects;
    size_t n_levels, n_subjects;
    struct records *records;
    struct cost cost;     /* that time was modelled with; */
    struct cost measured; /* and as it was in this run; NaN: not measured */
    const char *against;  /* borrowed */
};

struct summary_options {
    struct cost cost;
    const char *against; /* a setting's name, or a policy's for its first; NULL: none */
};

/* `options` may be NULL: usual costs. EAD_ARGUMENT when there is no setting of the name. */
ead_status summary_read(const char *dir, const struct summary_options *options,
                        struct summary **out, ead_error *error);
/* Of runs of other settings over the same problems; run.json is that of the first. */
ead_status summary_join(const char *const *dirs, size_t n_dirs,
                        const struct summary_options *options, struct summary **out,
                        ead_error *error);
void summary_free(struct summary *summary);

/* The row of a setting by its name or, without name, of a policy; NULL when there is none. */
const struct summary_row *summary_find(const struct summary *s, const char *setting,
                                       const char *policy);

#endif
