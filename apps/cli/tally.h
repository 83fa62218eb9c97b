/* What answers of a server cost, by its own accounts: `usage`, and in it what `ead serve` adds. */
#ifndef EAD_CLI_TALLY_H
#define EAD_CLI_TALLY_H

#include "ead.h"

#include <jansson.h>
#include <stdbool.h>

struct tally {
    json_int_t answers, tokens, prompt, cached, switches;
    bool by_model; /* the server tells who wrote: */
    ead_work work[EAD_WRITERS];
    double cost;    /* parameter cost times tokens */
    double entropy; /* bits, summed over `n_entropy` tokens */
    json_int_t n_entropy;
    double seconds; /* as they passed here */
};

/* Take in a usage; what it lacks or says in another type counts as none. */
void tally_read(struct tally *t, const json_t *usage);
void tally_add(struct tally *to, const struct tally *from);

/* One line in brackets about one answer, on standard error. */
void tally_show_line(const struct tally *t, bool interrupted, bool color);
/* All of it, as report_print shows a run. */
void tally_show(const struct tally *t);

#endif
