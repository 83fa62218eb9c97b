/*
 * Write an answer to every problem under every setting, grade it, and keep a journal, in which a
 * run that was stopped finds where it was. Several problems share passes; that changes their time
 * and nothing else.
 */
#ifndef EAD_EVAL_RUNNER_H
#define EAD_EVAL_RUNNER_H

#include "ead.h"
#include "eval/dataset.h"
#include "eval/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runner_model {
    const ead_model *model; /* NULL: there is none */
    const char *path;       /* or address */
};

struct runner_progress {
    const char *setting;
    size_t done, total; /* problems times settings, those of an earlier run included */
    size_t here;        /* done in this run */
    double seconds;     /* of this run so far */
    int64_t tokens;     /* written in this run */
};

struct runner_options {
    struct runner_model models[EAD_WRITERS]; /* one may be missing when no setting needs it */
    const struct dataset *data;
    const char *data_path;
    struct settings *settings; /* shares of random settings are filled in */
    int limit;                 /* problems, drawn by `seed`; 0: all */
    uint64_t seed;
    int most;                 /* tokens of an answer at most */
    int parallel;             /* texts that share passes, from 1; more change times alone */
    int threads, n_ctx;       /* 0: as many as there are; as many as the prompts need */
    const char *cpu;          /* as in ead_duo_options */
    const char *cache_type;   /* as there */
    int top;                  /* log-probabilities asked for of models behind an API; 0: as usual */
    const char *question;     /* a text with {problem} in it; NULL: the model's chat template */
    const ead_template *chat; /* NULL: the models have none */
    const char *variables;    /* of the template; NULL: none */
    const char *now;          /* its clock; NULL: as in prompt.h */
    void (*show)(const char *prompt); /* gets the first one; may be NULL */
    const char *system;               /* system message; NULL: none */
    ead_sampler_options sampler;      /* its seed is replaced by one of each problem */
    const char *dir;                  /* made if it is not there */
    /* Called after every step; false stops the run. May be NULL. */
    bool (*progress)(void *context, const struct runner_progress *progress);
    void *context;
    /* Called of every token, those that were taken back before they stood among them; `text` is the
     * problem's place in the sample. False stops the run for want of memory. May be NULL. */
    bool (*observe)(void *observed, size_t text, const ead_token *token);
    void *observed;
};

struct runner_options runner_defaults(void);

/* EAD_CANCELLED when `progress` stopped it; what was done by then is kept, in order. Whatever else
 * fails leaves a journal that the next run goes on with. */
ead_status runner_run(const struct runner_options *options, ead_error *error);

#endif
