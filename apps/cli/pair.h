/* What `run` and `chat` share: the options that open two models and steer them, and the opening. */
#ifndef EAD_CLI_PAIR_H
#define EAD_CLI_PAIR_H

#include "cli/args.h"
#include "ead.h"

#include <stdint.h>

struct pair {
    const char *large_path, *small_path; /* NULL: not asked for */
    ead_model *large, *small;
    ead_duo *duo;
    uint8_t *replay; /* writers of a recorded trace, n_replay of them */
    size_t n_replay;
};

/* The rows of the option table, to be put between a command's own; they fill pair_options. */
#define PAIR_ARGS                                                                                  \
    {.kind = ARG_HEADING, .help = "models"},                                                       \
        {.kind = ARG_TEXT,                                                                         \
         .name = "large",                                                                          \
         .letter = 'L',                                                                            \
         .value = "FILE",                                                                          \
         .out = &pair_options.large,                                                               \
         .help = "GGUF file of the large model"},                                                  \
        {.kind = ARG_TEXT,                                                                         \
         .name = "small",                                                                          \
         .letter = 'S',                                                                            \
         .value = "FILE",                                                                          \
         .out = &pair_options.small,                                                               \
         .help = "GGUF file of the small model; one of the two is enough"},                        \
        {.kind = ARG_INT,                                                                          \
         .name = "ctx",                                                                            \
         .letter = 'c',                                                                            \
         .value = "N",                                                                             \
         .out = &pair_options.ctx,                                                                 \
         .min = 1,                                                                                 \
         .max = 1 << 24,                                                                           \
         .help = "context in tokens (default: what both were trained on, at most 8192)"},          \
        {.kind = ARG_INT,                                                                          \
         .name = "threads",                                                                        \
         .letter = 't',                                                                            \
         .value = "N",                                                                             \
         .out = &pair_options.threads,                                                             \
         .min = 1,                                                                                 \
         .max = 256,                                                                               \
         .help = "threads (default: all processors)"},                                             \
        {.kind = ARG_CHOICE,                                                                       \
         .name = "cpu",                                                                            \
         .value = "LEVEL",                                                                         \
         .out = &pair_options.cpu,                                                                 \
         .choices = pair_cpus,                                                                     \
         .help = "auto, ref, avx2 or avx512 (default: auto)"},                                     \
        {.kind = ARG_HEADING, .help = "who writes"},                                               \
        {.kind = ARG_CHOICE,                                                                       \
         .name = "policy",                                                                         \
         .value = "NAME",                                                                          \
         .out = &pair_options.policy,                                                              \
         .choices = pair_policies,                                                                 \
         .given = &pair_options.policy_given,                                                      \
         .help = "ead, large, small, random or replay (default: ead)"},                            \
        {.kind = ARG_REAL,                                                                         \
         .name = "tau",                                                                            \
         .value = "BITS",                                                                          \
         .out = &pair_options.tau,                                                                 \
         .help = "the large model writes while the rolling entropy is above this (default: 1)"},   \
        {.kind = ARG_INT,                                                                          \
         .name = "window",                                                                         \
         .letter = 'w',                                                                            \
         .value = "N",                                                                             \
         .out = &pair_options.window,                                                              \
         .min = 1,                                                                                 \
         .max = 1024,                                                                              \
         .help = "tokens in the rolling mean (default: 5)"},                                       \
        {.kind = ARG_INT,                                                                          \
         .name = "dwell",                                                                          \
         .letter = 'd',                                                                            \
         .value = "N",                                                                             \
         .out = &pair_options.dwell,                                                               \
         .min = 1,                                                                                 \
         .max = 1 << 20,                                                                           \
         .help = "tokens a model writes at least before it hands over (default: 10)"},             \
        {.kind = ARG_CHOICE,                                                                       \
         .name = "start",                                                                          \
         .value = "NAME",                                                                          \
         .out = &pair_options.start,                                                               \
         .choices = pair_writers,                                                                  \
         .help = "who writes first: small or large (default: small)"},                             \
        {.kind = ARG_FLAG,                                                                         \
         .name = "clear-window",                                                                   \
         .out = &pair_options.clear_window,                                                        \
         .help = "empty the window at a switch (default: it is kept)"},                            \
        {.kind = ARG_FLAG,                                                                         \
         .name = "eager-prompt",                                                                   \
         .out = &pair_options.eager_prompt,                                                        \
         .help = "the large model reads the prompt at once, not at its first turn"},               \
        {.kind = ARG_REAL,                                                                         \
         .name = "share",                                                                          \
         .value = "P",                                                                             \
         .out = &pair_options.share,                                                               \
         .low = 0,                                                                                 \
         .high = 1,                                                                                \
         .help = "policy random: wanted share of large-model tokens (default: 0.25)"},             \
        {.kind = ARG_TEXT,                                                                         \
         .name = "replay",                                                                         \
         .value = "FILE",                                                                          \
         .out = &pair_options.replay,                                                              \
         .help = "policy replay: take the decisions from this trace"},                             \
        {.kind = ARG_HEADING, .help = "choosing tokens"},                                          \
        {.kind = ARG_REAL,                                                                         \
         .name = "temp",                                                                           \
         .value = "T",                                                                             \
         .out = &pair_options.temp,                                                                \
         .low = 0,                                                                                 \
         .high = 1000,                                                                             \
         .help = "temperature; 0 takes the most probable token (default: 0)"},                     \
        {.kind = ARG_INT,                                                                          \
         .name = "top-k",                                                                          \
         .value = "N",                                                                             \
         .out = &pair_options.top_k,                                                               \
         .min = 0,                                                                                 \
         .max = 1 << 24,                                                                           \
         .help = "draw among the N most probable (default: 0, all)"},                              \
        {.kind = ARG_REAL,                                                                         \
         .name = "top-p",                                                                          \
         .value = "P",                                                                             \
         .out = &pair_options.top_p,                                                               \
         .low = 1e-6,                                                                              \
         .high = 1,                                                                                \
         .help = "draw among the most probable that make up P (default: 1)"},                      \
        {.kind = ARG_REAL,                                                                         \
         .name = "min-p",                                                                          \
         .value = "P",                                                                             \
         .out = &pair_options.min_p,                                                               \
         .low = 0,                                                                                 \
         .high = 1,                                                                                \
         .help = "leave out what is less than P times as probable as the best (default: 0)"},      \
        {.kind = ARG_REAL,                                                                         \
         .name = "repeat-penalty",                                                                 \
         .value = "X",                                                                             \
         .out = &pair_options.repeat_penalty,                                                      \
         .low = 1e-3,                                                                              \
         .high = 1000,                                                                             \
         .help = "weaken tokens that were written lately (default: 1, off)"},                      \
        {.kind = ARG_INT,                                                                          \
         .name = "repeat-last",                                                                    \
         .value = "N",                                                                             \
         .out = &pair_options.repeat_last,                                                         \
         .min = 0,                                                                                 \
         .max = 2048,                                                                              \
         .help = "how many tokens back that reaches (default: 64)"},                               \
    {                                                                                              \
        .kind = ARG_SEED, .name = "seed", .value = "N", .out = &pair_options.seed,                 \
        .help = "of every random choice (default: 0)"                                              \
    }

/* Filled by args_parse; defaults stand in pair.c. */
struct pair_options {
    const char *large, *small, *replay;
    int ctx, threads, cpu;
    int policy, window, dwell, start;
    bool policy_given, clear_window, eager_prompt, ignore_end;
    double tau, share, temp, top_p, min_p, repeat_penalty;
    int top_k, repeat_last;
    unsigned long long seed;
};
extern struct pair_options pair_options;
extern const char *const pair_cpus[], *const pair_policies[], *const pair_writers[];

/* Say what contradicts in the options; 0 or EXIT_USAGE. */
int pair_check(const struct args *usage);

/* Open models, compare them, open the duo. EXIT_FAIL after saying why. pair_close in any case. */
int pair_open(struct pair *p);
void pair_close(struct pair *p);

/* The policy as the options have it, for changing one field of it in a chat. */
ead_policy_options pair_policy(const struct pair *p);

/* The model that speaks for the pair where either would do: the large one if there is one. */
const ead_model *pair_speaker(const struct pair *p);

#endif
