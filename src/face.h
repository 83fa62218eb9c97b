/* What the parts of the public face share: how an inner status and message become public ones. */
#ifndef EAD_FACE_H
#define EAD_FACE_H

#include "base/status.h"
#include "ead.h"
#include "engine/distribution.h"
#include "kern/kern.h"
#include "model/model.h"
#include "remote/remote.h"

struct ead_model {
    struct model *model;   /* of one behind an API: that of its vocabulary, borrowed */
    struct remote *remote; /* NULL: it is at hand */
};

/* ead_model_describe of one behind an API. */
ead_model_info face_describe_remote(const ead_model *model);

/* Translate the outcome of an inner call; `error` may be NULL. */
ead_status face_report(enum status st, const struct err *err, ead_error *error);

/* A kernel table by its public name; NULL is the best of this machine. */
MUST_USE enum status face_kern(const char *cpu, const struct kern **out, struct err *err);

/* A type of cache by its public name; NULL is f16. */
MUST_USE enum status face_cache(const char *name, enum kern_cache *out, struct err *err);

/* The n best of a distribution; scratch [d->n]. Returns how many there are. */
int face_best(const struct distribution *d, int n, struct candidate *scratch, ead_alternative *out);

#endif
