#include "base/pool.h"

#include <stdlib.h>

struct pool_chunk {
    struct pool_chunk *before;
    max_align_t data[];
};

enum { CHUNK_MIN = 16 << 10, ALIGN = sizeof(max_align_t) };

/* A chunk with room for n bytes, and for as much again: who extends the last one step by step moves
 * it seldom. Chunks grow with the pool. */
static bool add_chunk(struct pool *pool, size_t n)
{
    size_t size = n > CHUNK_MIN / 2 ? 2 * n : CHUNK_MIN;
    if (size < pool->used / 4) size = pool->used / 4;
    const size_t left = pool->max > pool->used ? pool->max - pool->used : 0;
    if (size > left) size = left;
    if (size < n) return false;
    struct pool_chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk) return false;
    chunk->before = pool->chunk;
    pool->chunk = chunk;
    pool->used += size;
    pool->at = (uint8_t *)chunk->data;
    pool->end = pool->at + size;
    return true;
}

void *pool_take(struct pool *pool, size_t n)
{
    if (n > SIZE_MAX / 4) return NULL;
    const size_t skip = (ALIGN - (uintptr_t)pool->at % ALIGN) % ALIGN;
    const size_t room = (size_t)(pool->end - pool->at);
    if (!pool->chunk || room < skip || room - skip < n) {
        if (!add_chunk(pool, n)) return NULL;
    } else {
        pool->at += skip;
    }
    uint8_t *out = pool->at;
    pool->at += n;
    return out;
}

bool pool_extend(struct pool *pool, const void *end, size_t n)
{
    if (!pool->chunk || end != pool->at || (size_t)(pool->end - pool->at) < n) return false;
    pool->at += n;
    return true;
}

void pool_deinit(struct pool *pool)
{
    while (pool->chunk) {
        struct pool_chunk *before = pool->chunk->before;
        free(pool->chunk);
        pool->chunk = before;
    }
    *pool = (struct pool){.max = pool->max};
}
