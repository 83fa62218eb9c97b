/* How this room reports: an ead_status, and one sentence in the caller's ead_error. */
#ifndef EAD_EVAL_FAULT_H
#define EAD_EVAL_FAULT_H

#include "ead.h"

#include <jansson.h>

/* Fill `error` (NULL is allowed) and return `status`, so that a caller can `return fault(...)`. */
ead_status fault(ead_error *error, ead_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* EAD_MEMORY and "no memory for ...": the one way to say so. `what` is a format. */
ead_status fault_memory(ead_error *error, const char *what, ...)
    __attribute__((format(printf, 2, 3)));

/* After jsonio_read gave NULL: no memory, or what is wrong in which line of `path`, the first of
 * the text being `line`. */
ead_status fault_json(const json_error_t *bad, const char *path, size_t line, ead_error *error);

#endif
