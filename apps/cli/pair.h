/* What `run` and `chat` share: the options that open two models and steer them, and the opening. */
#ifndef EAD_CLI_PAIR_H
#define EAD_CLI_PAIR_H

#include "cli/args.h"
#include "cli/form.h"
#include "cli/opening.h"
#include "cli/steer.h"
#include "ead.h"

#include <stdint.h>

struct pair {
    const char *large_path, *small_path; /* NULL: not asked for */
    ead_model *large, *small;
    ead_model *vocab; /* of models behind an API; NULL where a model at hand has it */
    ead_duo *duo;
    char *shipped[EAD_WRITERS]; /* paths of the shipped pair, where it is used */
    ead_replay *replay;         /* a recorded trace, n_replay places of it */
    size_t n_replay;
};

/* Make the tables below, before any options are parsed. */
void pair_prepare(void);

/* The rows that both put behind their own option table; they fill pair_options. */
enum { PAIR_ROWS_MAX = 128 };
extern struct arg pair_args[];
extern int n_pair_args;
/* The same but for the options of some names, ended by NULL; without "replay" there is no policy of
 * that name either. */
void pair_rows(const char *const *without, struct arg to[PAIR_ROWS_MAX], int *n);

/* Filled by args_parse; defaults stand in pair.c. */
struct pair_options {
    const char *large, *small, *replay, *profile;
    const char *system;
    struct form_options form;
    int n;           /* tokens at most, -1 without end */
    int color, lost; /* an enum screen_color and screen_lost */
    int ctx, threads, cpu, cache;
    int choice;                /* of the policy, as an index of names */
    ead_policy_options policy; /* its kind once pair_check has been called */
    bool policy_given, eager_prompt, ignore_end;
    int on_failure; /* of the large model: 0 to stop, 1 to go on without it */
    struct opening opening;
    double temp, top_p, min_p, repeat_penalty;
    int top_k, repeat_last;
    unsigned long long seed;
};
extern struct pair_options pair_options;
extern const char *const pair_caches[];

/* "auto" and the library's levels, ended by NULL. */
enum { PAIR_CPUS_MAX = 16 };
extern const char *pair_cpus[PAIR_CPUS_MAX];

/* The rows of an option table that every command which computes has: `to` is an int, `more` ends
 * the help. */
/* clang-format off */
#define PAIR_CPU_ARG(to, more)                                                                     \
    {.kind = ARG_CHOICE,                                                                           \
     .name = "cpu",                                                                                \
     .value = "LEVEL",                                                                             \
     .out = &to,                                                                                   \
     .choices = pair_cpus,                                                                         \
     .help = "%s (default: auto)" more}
#define PAIR_CACHE_ARG(to, more)                                                                   \
    {.kind = ARG_CHOICE,                                                                           \
     .name = "cache-type",                                                                         \
     .value = "TYPE",                                                                              \
     .out = &to,                                                                                   \
     .choices = pair_caches,                                                                       \
     .help = "f16, or q8_0 for about half its memory: how keys and values of the context are\n"    \
             "kept (default: f16)" more}
/* clang-format on */

/* Say what contradicts in the options; 0 or EXIT_USAGE. Where no model is named, the shipped pair
 * is. */
int pair_check(const struct args *usage);
/* The policy alone, where the models are elsewhere. */
int pair_check_policy(const struct args *usage);

/* Open models, compare them, open the duo. EXIT_FAIL after saying why. pair_close in any case. */
int pair_open(struct pair *p);
/* The same without the duo, whose options it leaves in *options. */
int pair_load(struct pair *p, ead_duo_options *options);
void pair_close(struct pair *p);

/* The policy as the options have it, with the recording and the seed. */
ead_policy_options pair_policy(const struct pair *p);

/* Are the models in this process, all there are? */
bool pair_is_here(const struct pair *p);
/* Say that, and why, a text goes on without its large model. */
void pair_tell_loss(const struct pair *p);

/* The model that speaks for the pair where either would do: the large one if there is one. */
const ead_model *pair_speaker(const struct pair *p);

#endif
