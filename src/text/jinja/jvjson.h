/* JSON to values, and values to JSON as Python writes it. */
#ifndef EAD_TEXT_JINJA_JVJSON_H
#define EAD_TEXT_JINJA_JVJSON_H

#include "text/jinja/run.h"

struct jvjson_style {
    bool ascii;                   /* escape what is not */
    bool sorted;                  /* keys in order */
    const char *indent;           /* of one level; NULL: all on one line */
    struct jv between, after_key; /* separators */
};

/* Append; a fault for what JSON has no form for. */
MUST_USE enum status jvjson_write(struct jinja_run *run, const struct jvjson_style *style,
                                  struct jv v);

/* Read a JSON text of n bytes into values of the pool. ST_FORMAT names line and column. */
MUST_USE enum status jvjson_read(struct pool *pool, const char *s, size_t n, struct jv *out,
                                 struct err *err);

#endif
