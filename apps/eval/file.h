/* Files that are written whole or not at all: what is written goes to a temporary file beside the
 * wanted one and takes its name once it is safe on the disk. A pipe or a device is written as it
 * is: its name is not ours to give away. */
#ifndef EAD_EVAL_FILE_H
#define EAD_EVAL_FILE_H

#include "ead.h"

#include <stdio.h>

struct file_out {
    FILE *to;
    char *path, *temporary; /* temporary NULL: what `path` names is written itself */
};

ead_status file_create(const char *path, struct file_out *out, ead_error *error);
/* Flush, sync, rename; the object is spent, also on failure. */
ead_status file_commit(struct file_out *out, ead_error *error);
/* Forget what was written. */
void file_discard(struct file_out *out);
/* Could it be written? Leaves everything as it is. */
ead_status file_try(const char *path, ead_error *error);

/* DIR/NAME, to be freed; NULL without memory. */
char *file_join(const char *dir, const char *name);
/* The last part of a path, to be freed; NULL without memory. */
char *file_name(const char *path);

#endif
