/*
 * A policy with the options that calibration found, and what they were found for: models, target,
 * data. A file of one JSON object:
 *
 *     {"ead_profile": 2,
 *      "policy": {"name": "judge", "slack": 0.2, "risk": 0.1, "risk_sum": 0.3, "unjudged": 63},
 *      "table": {"edges": [0.1, ...], "tokens": [17, ...], "risk": [[0.001, ...], ...]},
 *      "models": {"small": {"name": "small.gguf", "parameters": 406176, "vocab": 512},
 *                 "large": ...},
 *      "target": {"keep": 0.99}, "tries": 24,
 *      "measured": {"accuracy": 0.74, "kept": 0.99, "large_share": 0.048, "modelled_time": 0.3,
 *                   "time": 0.31},
 *      "costs": {"small": 0.25, "row": 0.06},
 *      "data": {"file": "calibration.jsonl", "problems": 500}}
 *
 * Reading needs the version, the policy's name and the models; options that are not there have
 * their standards, and "table" is there where the policy goes by one. The rest is an account for
 * people. Version 1 knew ead alone: its policy has "tau", "window" and "dwell", and no name.
 */
#ifndef EAD_EVAL_PROFILE_H
#define EAD_EVAL_PROFILE_H

#include "ead.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROFILE_NAME_MAX = 128 };

struct profile_model {
    char name[PROFILE_NAME_MAX]; /* of the file, without its folder; an address */
    uint64_t parameters;         /* 0: not known, of a model behind an API */
    int vocab;                   /* tokens */
};

struct profile {
    ead_policy_options policy; /* without its table */
    bool has_table;
    ead_risk table;
    struct profile_model models[EAD_WRITERS];
    const char *target; /* "large_share", "keep" or "speedup"; NULL after reading */
    double wanted;      /* its value */
    int tries;          /* 0: it was no search by tries */
    double accuracy, kept, share, modelled, time; /* measured; NaN: unknown, left out */
    double small_cost, row_cost;                  /* that `modelled` was modelled with */
    const char *data;                             /* name of the file; NULL after reading */
    int problems;
};

ead_status profile_read(const char *path, struct profile *out, ead_error *error);
/* Whole or not at all. */
ead_status profile_write(const char *path, const struct profile *profile, ead_error *error);

/* The policy with its table, which is the profile's. */
ead_policy_options profile_rule(const struct profile *profile);

/* What a profile says of a model. */
struct profile_model profile_model(const ead_model *model, const char *path);
/* Is this the model that the profile was made with? By its sizes, as far as they are known: files
 * get renamed, and servers move. */
bool profile_fits(const struct profile_model *wanted, const ead_model *model);

#endif
