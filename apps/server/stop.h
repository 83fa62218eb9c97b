/*
 * Stop strings: a text ends before the first of them that it comes to hold, and none of it is shown
 * that might turn out to be the beginning of one. All of this is a function of the text so far.
 *
 * The text is cut at the earliest place where one begins among those that are complete first.
 */
#ifndef EAD_SERVER_STOP_H
#define EAD_SERVER_STOP_H

#include "server/ask.h"

struct stop_found {
    size_t shown; /* bytes of the text that may be shown */
    bool stopped; /* there it ends */
};

/* The last `fresh` of the n bytes of text are new since it was asked last. */
struct stop_found stop_find(const struct ask *a, const char *text, size_t n, size_t fresh);

#endif
