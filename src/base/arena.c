#include "base/arena.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA_ALIGN = 64 };

void *arena_carve(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    CHECK(!arena->base || arena->used <= arena->capacity);
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 4 - arena->used) {
        arena->overflow = 1;
        return NULL;
    }
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    size_t at = arena->used;
    if (arena->base && bytes > arena->capacity - at) {
        arena->overflow = 1;
        return NULL;
    }
    arena->used = at + bytes;
    return arena->base ? arena->base + at : NULL;
}

enum status arena_commit(struct arena *arena, struct err *err)
{
    CHECK(!arena->base); /* it measures */
    if (arena->overflow)
        return err_set(err, ST_MEMORY, "the sizes asked for do not fit the address space");
    size_t bytes = arena->used ? arena->used : ARENA_ALIGN;
    /* Mapped rather than malloc'ed: what is carved takes memory only once it is written. */
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return err_memory(err, "caches and scratch, %zu MiB", bytes >> 20);
    *arena = (struct arena){.base = base, .capacity = bytes};
    return ST_OK;
}

void arena_expect_use(const struct arena *arena)
{
    (void)madvise(arena->base, arena->capacity, MADV_HUGEPAGE);
}

enum status arena_map(struct arena *arena, int fd, off_t offset, struct err *err)
{
    void *base = MAP_FAILED;
    CHECK(!arena->base && offset % ARENA_ALIGN == 0);
    if (!arena->overflow) base = mmap(NULL, arena->used, PROT_READ, MAP_SHARED, fd, offset);
    if (base == MAP_FAILED)
        return err_set(err, ST_IO, "cannot map %zu MiB: %s", arena->used >> 20, strerror(errno));
    (void)madvise(base, arena->used, MADV_WILLNEED);
    *arena = (struct arena){.base = base, .capacity = arena->used};
    return ST_OK;
}

void arena_deinit(struct arena *arena)
{
    if (arena->base) munmap(arena->base, arena->capacity);
    *arena = (struct arena){0};
}
