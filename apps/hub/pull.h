/* A model of the hub on the disk: fetched where it is not there yet. */
#ifndef EAD_HUB_PULL_H
#define EAD_HUB_PULL_H

#include "base/status.h"
#include "hub/watch.h"

#include <stddef.h>

struct pull_options {
    const char *cache;    /* the folder that all is kept in */
    const char *endpoint; /* this and the next two: see hub.h */
    const char *token;
    const char *ca_file;
    bool refresh; /* ask the hub even where all is there: has the revision moved? */
    const struct watch *watch;
};

/* Its files, of which the first opens all. */
struct pulled {
    char **paths; /* owned, and each of them */
    size_t n;
};

/* `name` is "hf:..." (wish.h). Where all is there, no connection is opened. */
MUST_USE enum status pull_model(const struct pull_options *o, const char *name, struct pulled *out,
                                struct err *err);
void pulled_deinit(struct pulled *p);

#endif
