/* What the searches of `ead calibrate` share: runs of settings, each in a directory of its own
 * under one folder, since a run in one directory keeps to the settings it began with. */
#ifndef EAD_CLI_CALIBRATION_H
#define EAD_CLI_CALIBRATION_H

#include "cli/trial.h"
#include "eval/profile.h"
#include "eval/search.h"
#include "eval/summary.h"

struct calibration {
    struct trial *trial;
    const char *work; /* the folder */
    bool kept;        /* it stays, so that the same command can go on */
    char **dirs;      /* [n_dirs] of runs, the first one that of the models alone */
    size_t n_dirs, room;
};

/* What is wanted, and of how many tries. */
struct calibration_target {
    enum search_target kind;
    double wanted;
    int tries;
};

/* Run settings in the folder's NAME, or find that they were run. EXIT_FAIL after saying why. */
int calibration_run(struct calibration *c, const char *name, const struct settings_wish *wish);
/* The small and the large model alone: the first run. */
int calibration_run_alone(struct calibration *c);
/* Forget what a run that cannot go on left in NAME. */
int calibration_discard(const struct calibration *c, const char *name);
/* Runs as one summary: of all directories, or of those. */
int calibration_join(const char *const *dirs, size_t n_dirs, struct summary **out);
/* Models and data of a profile. */
void calibration_describe(const struct calibration *c, struct profile *profile);
/* Removes the folder where it is not kept. */
void calibration_close(struct calibration *c);

/* ---- the searches ------------------------------------------------------------------------ */

/* The smallest tau of ead at which the large model writes at most this share, into *row of
 * *summary, which the caller frees. */
int calibrate_share(struct calibration *c, double share, struct summary **summary,
                    const struct summary_row **row);

/* The best setting that was found of a policy. */
struct calibration_best {
    char name[SETTING_NAME_MAX];
    const char *dir; /* of its run, the calibration's */
    struct profile profile;
    struct search_point point;
};

/* Try settings of a policy, written as `text`: its knobs are turned but for options in there. */
int calibrate_policy(struct calibration *c, const char *text,
                     const struct calibration_target *target, struct calibration_best *best);
/* All policies that have knobs, separated by commas. */
enum { CALIBRATE_ALL_MAX = 512 };
void calibrate_all(char out[CALIBRATE_ALL_MAX]);

#endif
