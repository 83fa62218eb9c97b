/* Who waits for a pull: is told of it, and may give it up. */
#ifndef EAD_HUB_WATCH_H
#define EAD_HUB_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
    /* Asked every 100 ms or less; false gives up (ST_CANCELLED). */
    bool (*go_on)(void *context);
    /* The file that is fetched, and bytes of it that are there; as often. */
    void (*progress)(void *context, const char *name, int64_t have, int64_t size);
    /* Something that a user should know, in a sentence without a newline. */
    void (*note)(void *context, const char *sentence);
    void *context;
};

static inline bool watch_goes_on(const struct watch *w)
{
    return w->go_on(w->context);
}

#endif
