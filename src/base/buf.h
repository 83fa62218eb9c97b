/*
 * A growing byte buffer with a ceiling. Text is gathered here: rendered chat templates, detokenised
 * pieces, JSON lines. The content is always followed by a NUL byte that is not counted in `len`, so
 * it can be handed to C functions when it holds no NUL of its own.
 */
#ifndef EAD_BASE_BUF_H
#define EAD_BASE_BUF_H

#include "base/status.h"

#include <stddef.h>

struct buf {
    char *data; /* owned; NULL until the first byte */
    size_t len, cap;
    size_t max; /* ceiling in bytes; 0 means BUF_MAX_DEFAULT */
};

#define BUF_MAX_DEFAULT ((size_t)1 << 30)

/* Append n bytes. ST_MEMORY when the ceiling or the heap is reached; the content is kept. */
MUST_USE enum status buf_add(struct buf *buf, const void *bytes, size_t n);
MUST_USE enum status buf_add_str(struct buf *buf, const char *s);
MUST_USE enum status buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drop the first n bytes (n <= len). */
void buf_consume(struct buf *buf, size_t n);
void buf_clear(struct buf *buf);
void buf_deinit(struct buf *buf);

#endif
