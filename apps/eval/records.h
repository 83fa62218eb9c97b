/* What a run left in results.jsonl and times.jsonl, as a table: a row for each setting, in the
 * order in which they first occur, and in it a cell for each problem. */
#ifndef EAD_EVAL_RECORDS_H
#define EAD_EVAL_RECORDS_H

#include "ead.h"
#include "eval/load.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    bool present, timed;     /* has a result; has a time */
    bool correct, cut;       /* cut: ended by length */
    bool unanswered;         /* its prompt did not fit into the context */
    int level;               /* 0: unknown */
    const char *subject;     /* "": unknown */
    const char *gold, *pred; /* pred NULL: none was found */
    uint64_t text;           /* a digest of the answer; 0: the line has none */
    double tokens, large, switches;
    double open;               /* decisions that bounds of entropies left open */
    double judged, taken_back; /* drafts; tokens */
    double decode_rows[EAD_WRITERS], catchup_rows[EAD_WRITERS];
    double catchup_passes[EAD_WRITERS]; /* NaN where the line does not tell */
    double seconds, writing;            /* writing: decode and catch-up of both models */
    double decode_seconds[EAD_WRITERS], decode_steps[EAD_WRITERS];
    double catchup_seconds[EAD_WRITERS];
    struct load load;      /* NaN: not said */
    int parallel, threads; /* texts that shared passes with it; 0: not said */
};

struct record_setting {
    const char *name;
    ead_policy_kind policy;
    double tau;              /* NaN: none */
    int window;              /* 0: none */
    struct record **records; /* [n_problems]; NULL: not there */
};

struct records {
    struct record_setting *settings;
    size_t n_settings, n_problems;
    int *problems; /* index in the data file of each column, ascending */
    void *owner;
};

/* Of several directories as if their files stood one behind the other. A file that is absent counts
 * as empty. When a line occurs twice the later one counts. */
ead_status records_read(const char *const *dirs, size_t n_dirs, struct records **out,
                        ead_error *error);
void records_free(struct records *records);

/* NULL when there is none. */
const struct record_setting *records_setting(const struct records *records, const char *name);
const struct record *records_of(const struct records *records, const struct record_setting *s,
                                int problem);

#endif
