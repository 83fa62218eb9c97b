/*
 * Problems with known answers. Read are JSONL (one object a line), one JSON array, and a directory
 * of MATH's *.json files in the order of their paths; a file may be a pipe. Two layouts of an
 * object: MATH's (problem, level, type or subject, solution, answer) and gsm8k's (question, answer
 * ending in "#### 18").
 */
#ifndef EAD_EVAL_DATASET_H
#define EAD_EVAL_DATASET_H

#include "ead.h"

#include <stdbool.h>
#include <stddef.h>

enum dataset_format { DATASET_MATH, DATASET_GSM8K };

struct eval_problem {
    const char *text;
    const char *gold;    /* the answer alone, as written */
    int level;           /* 1 to 5; 0 unknown */
    const char *subject; /* "" unknown */
    const char *id;      /* the file's own, or its path or line; never empty */
};

struct dataset {
    struct eval_problem *problems;
    size_t n; /* at least 1 */
    enum dataset_format format;
    size_t n_skipped; /* records that no problem could be read from */
    char *skipped;    /* what is wrong with the first of them; NULL: none */
    char *name;       /* the last part of its path; "-" for what can be read once only */
    void *owner;      /* what the texts live in */
};

/* `path` "-" is standard input; `format` is "math", "gsm8k" or "auto" (by the fields of the first
 * object). Errors name file, line and field. With skip_bad a record that no problem can be read
 * from is counted and left out. */
ead_status dataset_open(const char *path, const char *format, bool skip_bad, struct dataset **out,
                        ead_error *error);
void dataset_close(struct dataset *dataset);

#endif
