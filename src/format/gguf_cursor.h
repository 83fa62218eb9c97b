/*
 * A bounded cursor over the bytes of a GGUF file. Every read checks that it stays inside; a failure
 * names the field that was being read and where. Used by gguf.c alone.
 */
#ifndef EAD_FORMAT_GGUF_CURSOR_H
#define EAD_FORMAT_GGUF_CURSOR_H

#include "base/status.h"
#include "format/gguf.h"

struct gguf_cursor {
    const uint8_t *data;
    size_t size, at; /* at <= size, always */
};

MUST_USE enum status cursor_u32(struct gguf_cursor *c, uint32_t *out, const char *field,
                                struct err *err);
MUST_USE enum status cursor_u64(struct gguf_cursor *c, uint64_t *out, const char *field,
                                struct err *err);
MUST_USE enum status cursor_str(struct gguf_cursor *c, struct gguf_str *out, const char *field,
                                struct err *err);

/* Read a metadata pair and step over its value, whose every string is checked to lie inside. */
MUST_USE enum status cursor_kv(struct gguf_cursor *c, struct gguf_kv *out, struct err *err);

#endif
