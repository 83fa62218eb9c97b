/*
 * The options of a policy as calibration found them, with what they were found for: models, target,
 * data. A file of one JSON object:
 *
 *     {"ead_profile": 1,
 *      "policy": {"tau": 0.12, "window": 5, "dwell": 10},
 *      "models": {"small": {"name": "small.gguf", "parameters": 406176, "vocab": 512}, "large":
 * ...}, "target": {"large_share": 0.25}, "measured": {"accuracy": 0.74, "kept": 0.93,
 * "large_share": 0.248, "time": 0.41}, "data": {"file": "calibration.jsonl", "problems": 500}}
 *
 * Reading needs the first three; the rest is an account for people.
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
    double tau;
    int window, dwell;
    struct profile_model models[EAD_WRITERS];
    const char *target;                 /* "large_share", "keep" or "speedup"; NULL after reading */
    double wanted;                      /* its value */
    double accuracy, kept, share, time; /* measured; NaN: unknown, left out */
    const char *data;                   /* name of the file; NULL after reading */
    int problems;
};

ead_status profile_read(const char *path, struct profile *out, ead_error *error);
/* Whole or not at all. */
ead_status profile_write(const char *path, const struct profile *profile, ead_error *error);

/* What a profile says of a model. */
struct profile_model profile_model(const ead_model *model, const char *path);
/* Is this the model that the profile was made with? By its sizes, as far as they are known: files
 * get renamed, and servers move. */
bool profile_fits(const struct profile_model *wanted, const ead_model *model);

#endif
