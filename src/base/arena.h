/*
 * One allocation for many owners. A session asks for its whole size once, carves its caches and
 * scratch out of it, and frees it in one call; nothing in a token's life allocates.
 *
 * Use: run the carving code twice. With `base == NULL` an arena only measures; then arena_commit
 * allocates what was measured and the same code carves for real. All that is carved is 64-byte
 * aligned, which is one cache line and one AVX-512 register.
 */
#ifndef EAD_BASE_ARENA_H
#define EAD_BASE_ARENA_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena {
    uint8_t *base;   /* NULL while measuring */
    size_t used;     /* bytes carved (or measured) so far, a multiple of 64 */
    size_t capacity; /* bytes owned; 0 while measuring */
    int overflow;    /* a size wrapped or passed the capacity; commit and check report it */
};

/* Room for `count` elements of `size` bytes; NULL while measuring or after an overflow. The memory
 * of a committed arena is zero. */
void *arena_carve(struct arena *arena, size_t count, size_t size);

/* Allocate what was measured and start carving from the front. ST_MEMORY names the size. */
MUST_USE enum status arena_commit(struct arena *arena, struct err *err);

/* All of a committed arena will be used, again and again: take huge pages, where the system grants
 * them. */
void arena_expect_use(const struct arena *arena);

/* Like arena_commit, but the memory is what lies in a file from `offset` on, a multiple of the
 * system's page size: read-only, and shared with all who map it. The file must hold what was
 * measured, and may be closed. It is about to be read, and the system is told. */
MUST_USE enum status arena_map(struct arena *arena, int fd, off_t offset, struct err *err);

/* Free the memory; the arena can measure again. */
void arena_deinit(struct arena *arena);

#endif
