/* Values as text: Python's str(), repr() and json.dumps(). */
#ifndef EAD_TEXT_JINJA_SHOW_H
#define EAD_TEXT_JINJA_SHOW_H

#include "base/buf.h"
#include "text/jinja/value.h"

/* Append; ST_MEMORY where the buffer is full. Undefined is nothing. */
MUST_USE enum status show_str(struct buf *out, struct jv v);
MUST_USE enum status show_repr(struct buf *out, struct jv v);
/* The shortest digits that read back as f: "0.1", "1e+16", "inf". */
MUST_USE enum status show_float(struct buf *out, double f);

#endif
