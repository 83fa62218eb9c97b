/*
 * A file that is being fetched: NAME.part, with NAME.part.sha256 that says which bytes it is to
 * hold, so that what an earlier pull left is gone on from, or thrown away where it is of another
 * file. It becomes NAME only once it is whole, right and on the disk; NAME.sha256 stays beside it,
 * as sha256sum writes and checks it.
 *
 * Who opens one holds the folder's lock (folder.h).
 */
#ifndef EAD_HUB_PART_H
#define EAD_HUB_PART_H

#include "base/status.h"
#include "hub/listing.h"
#include "hub/sha256.h"
#include "hub/watch.h"

#include <stdbool.h>

struct part {
    char *path;        /* NAME */
    char *part, *note; /* NAME.part and its sum's file */
    const struct listed *file;
    int fd;
    int64_t have;      /* bytes on the disk */
    struct sha256 sum; /* of those */
    struct err fault;  /* of part_add */
};

/* Is NAME there, with the size and sum that the hub names? Only a file that nobody has checked yet
 * is read for that. */
MUST_USE enum status part_is_there(const char *path, const struct listed *file,
                                   const struct watch *watch, bool *there, struct err *err);

MUST_USE enum status part_open(const char *path, const struct listed *file,
                               const struct watch *watch, struct part *out, struct err *err);

/* More bytes; false leaves the reason in `fault`. */
bool part_add(struct part *p, const char *bytes, size_t n);
/* Nothing of it counts. */
MUST_USE enum status part_restart(struct part *p, struct err *err);
/* All bytes are there: make it NAME. ST_FORMAT, and it is deleted, where they are not the right
 * ones. */
MUST_USE enum status part_finish(struct part *p, struct err *err);

void part_close(struct part *p);

#endif
