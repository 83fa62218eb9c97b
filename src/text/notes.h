/*
 * What a file lacks or says wrongly where that stops nothing: sentences, kept for whoever opened it
 * to show. The library never prints.
 */
#ifndef EAD_TEXT_NOTES_H
#define EAD_TEXT_NOTES_H

#include "base/status.h"

#include <stddef.h>

enum { NOTES_MAX = 16 };

/* Zero-initialise; notes_deinit frees it. */
struct notes {
    char *note[NOTES_MAX]; /* owned, NUL-terminated */
    size_t n;
};

/* Add a sentence that names the field, what was found and what is done instead. Beyond NOTES_MAX
 * they are left out. ST_MEMORY. */
MUST_USE enum status notes_add(struct notes *notes, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void notes_deinit(struct notes *notes);

#endif
