/* Texts with places to fill in: Python's "%s" % value and "{}".format(value), and HTML escapes. */
#ifndef EAD_TEXT_JINJA_FORMAT_H
#define EAD_TEXT_JINJA_FORMAT_H

#include "text/jinja/run.h"

/* `values` is a tuple of them, a dict for "%(name)s", or one value. */
MUST_USE enum status format_percent(struct jinja_run *run, struct jv format, struct jv values,
                                    struct jv *out);
MUST_USE enum status format_braces(struct jinja_run *run, struct jv format,
                                   const struct arguments *args, struct jv *out);
/* "&", "<", ">" and quotes as entities; what is marked as safe stays. */
MUST_USE enum status format_escape(struct jinja_run *run, struct jv v, struct jv *out);

#endif
