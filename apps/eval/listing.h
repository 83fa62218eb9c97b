/* The files below a directory, in the order of their paths. */
#ifndef EAD_EVAL_LISTING_H
#define EAD_EVAL_LISTING_H

#include "ead.h"

#include <stddef.h>

enum { LISTING_DEPTH_MAX = 8 }; /* directories within each other; links are not followed */

struct listing {
    char **paths; /* n of them, sorted byte by byte */
    size_t n, room;
};

/* All files whose name ends in `suffix`. */
ead_status listing_open(const char *directory, const char *suffix, struct listing *out,
                        ead_error *error);
void listing_close(struct listing *listing);

#endif
