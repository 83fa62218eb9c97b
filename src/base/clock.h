/* Seconds, for durations: only the difference of two readings of one clock means anything. */
#ifndef EAD_BASE_CLOCK_H
#define EAD_BASE_CLOCK_H

#include <time.h>

static inline double clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* By the wall, unmoved when somebody sets the date. */
static inline double clock_seconds(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

#endif
