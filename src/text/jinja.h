/*
 * The language that chat templates are written in: Jinja, with the settings and additions of
 * Hugging Face's transformers (blocks trimmed, loop controls, generation blocks, raise_exception,
 * strftime_now, a plain tojson). docs/TEMPLATES.md says what is there and what is not. A template
 * sees the values that it is given, and has no way to a file, the environment or another process.
 */
#ifndef EAD_TEXT_JINJA_H
#define EAD_TEXT_JINJA_H

#include "base/buf.h"
#include "text/jinja/value.h"

#include <time.h>

struct jinja;

/* What one rendering may use up; it ends with an error of its own then. */
struct jinja_limits {
    size_t memory; /* bytes of values */
    size_t output; /* bytes of text, that in the making included */
    int64_t steps; /* operations */
    int depth;     /* of nested evaluation, macros included */
};
extern const struct jinja_limits jinja_limits_usual;

enum { JINJA_TEMPLATE_MAX = 1 << 20 }; /* bytes */

/* Read a template of n bytes. ST_FORMAT names the line; ST_SUPPORT: longer than the above. The text
 * need not outlive the call. */
MUST_USE enum status jinja_open(const char *text, size_t n, struct jinja **out, struct err *err);
void jinja_close(struct jinja *j);

/* Does the template mention a variable of this name? */
bool jinja_mentions(const struct jinja *j, const char *name);

/* Append the text for these variables. The pool holds them, and takes what the rendering makes; its
 * ceiling is set here. ST_ARG: the template refuses (raise_exception); ST_FORMAT: it is faulty for
 * these variables; ST_MEMORY: a limit. Messages name the line. After an error `out` holds what it
 * held before. */
MUST_USE enum status jinja_render(const struct jinja *j, const struct jv_dict *variables,
                                  const struct jinja_limits *limits, const struct tm *now,
                                  struct pool *pool, struct buf *out, struct err *err);

#endif
