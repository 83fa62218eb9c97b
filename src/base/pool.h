/*
 * Memory for many small things that live and die together, with a ceiling: what a template's
 * syntax tree or the values of one rendering are made of. Taken in pieces, freed in one call.
 */
#ifndef EAD_BASE_POOL_H
#define EAD_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool_chunk;

struct pool {
    struct pool_chunk *chunk; /* the one that is taken from, with all before it; NULL at first */
    uint8_t *at, *end;        /* its free part */
    size_t used, max;         /* bytes asked of the heap, and at most that many */
};

/* n bytes for any type; NULL where the heap or the ceiling is reached. Not zeroed. */
void *pool_take(struct pool *pool, size_t n);

/* Make what was taken last, and ends at `end`, n bytes longer where it lies. False when something
 * was taken after it, or the chunk ends: nothing changes then. */
bool pool_extend(struct pool *pool, const void *end, size_t n);

/* Free everything; the pool can be taken from again. */
void pool_deinit(struct pool *pool);

#endif
