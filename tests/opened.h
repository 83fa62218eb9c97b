/*
 * A tiny model from metadata to weights, as far as it opens: what a config is, and what is refused
 * by name.
 */
#ifndef EAD_TESTS_OPENED_H
#define EAD_TESTS_OPENED_H

#include "tiny.h"

struct opened {
    struct tiny_image *image;
    struct gguf *g;
    struct config config;
    struct weights weights;
    enum status st;
    struct err err;
};

void opened_try(const struct tiny *t, struct opened *o);
/* The same, and the test fails unless it opens. */
void opened_must(const struct tiny *t, struct opened *o);
void opened_release(struct opened *o);

void opened_accept(const struct tiny *t);
/* The error must have both texts. */
void opened_refuse(const struct tiny *t, enum status st, const char *field, const char *found);

struct tiny *opened_model(const char *arch); /* in F16 */
/* Another tensor, of floats. */
void opened_add(struct tiny *t, const char *name, uint64_t cols, uint64_t rows);
/* "ARCH.NAME"; the width of a mixture's feed-forward is an expert's */
const char *opened_key(char out[TINY_NAME_MAX], const char *arch, const char *name);

#endif
