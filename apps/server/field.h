/*
 * The fields of a JSON object that a client sent. null is absent. A field of another type or beyond
 * its range is refused by its name; *out is left as it was where the field is absent. A boolean is
 * no number and a number no boolean. `path` is what stands before the name ("" or "ead.").
 */
#ifndef EAD_SERVER_FIELD_H
#define EAD_SERVER_FIELD_H

#include "server/refusal.h"

#include <stdint.h>

/* What of the values that a body may have was read so far. */
struct field_weight {
    size_t groups, commas;
};

struct field {
    const json_t *object;
    const char *path;
    struct refusal *refusal;
    struct field_weight *weight; /* of its body; NULL within a body's fields */
};

/* The value; NULL where it is absent or null. */
json_t *field_get(const struct field *f, const char *name);
/* Say what was expected of a field, and what was found; returns false. */
bool field_refuse(const struct field *f, const char *name, const char *expected);

bool field_flag(const struct field *f, const char *name, bool *out);
/* Whole numbers; 16.0 is one, for clients that write all numbers as reals. */
bool field_int(const struct field *f, const char *name, int64_t low, int64_t high, int64_t *out);
bool field_real(const struct field *f, const char *name, double low, double high, double *out);
/* Is entry i of a field's array an id below n? */
bool field_id(const struct field *f, const char *name, size_t i, const json_t *id, int n);
/* Borrowed from the object; without NUL inside, which no body has. */
bool field_text(const struct field *f, const char *name, const char **out);

/* What was found, in a few words: "an array", "2.0", "\"x\"". */
enum { FIELD_FOUND_MAX = 64 };
void field_found(const json_t *value, char out[FIELD_FOUND_MAX]);
/* The path of a field: "messages[0].content". */
void field_path(char out[96], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The values of a body take up to a hundred times its bytes once they are read. So many it may
 * have.
 */
enum {
    FIELD_GROUPS_MAX = 1 << 16, /* arrays and objects */
    FIELD_COMMAS_MAX = 1 << 20
};

/* JSON of some kind in a text of a body, within what the body has left of its limits; NULL where it
 * is none, or does not fit. */
json_t *field_json(const struct field *f, const char *text, size_t n);

/* Read a body: one JSON object, and what it weighs. NULL after saying in *r what is wrong. Of two
 * fields with one name the later one counts; a string that holds NUL (\u0000) is refused. */
json_t *field_read(const char *body, size_t n, struct field_weight *weight, struct refusal *r);

#endif
