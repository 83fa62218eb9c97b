#include "base/buf.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status buf_reserve(struct buf *buf, size_t extra)
{
    size_t max = buf->max ? buf->max : BUF_MAX_DEFAULT;
    if (extra >= max || buf->len >= max - extra) return ST_MEMORY;
    size_t need = buf->len + extra + 1;
    if (need <= buf->cap) return ST_OK;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need) cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data) return ST_MEMORY;
    buf->data = data;
    buf->cap = cap;
    return ST_OK;
}

enum status buf_add(struct buf *buf, const void *bytes, size_t n)
{
    TRY(buf_reserve(buf, n));
    if (n) memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    CHECK(buf->len < buf->cap);
    buf->data[buf->len] = 0;
    return ST_OK;
}

enum status buf_add_str(struct buf *buf, const char *s)
{
    return buf_add(buf, s, strlen(s));
}

enum status buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    enum status st = n < 0 ? ST_ARG : buf_reserve(buf, (size_t)n);
    if (st == ST_OK) {
        vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    return st;
}

void buf_consume(struct buf *buf, size_t n)
{
    CHECK(n <= buf->len);
    if (!n) return;
    memmove(buf->data, buf->data + n, buf->len - n + 1);
    buf->len -= n;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data) buf->data[0] = 0;
}

void buf_deinit(struct buf *buf)
{
    free(buf->data);
    size_t max = buf->max;
    *buf = (struct buf){.max = max};
}
