/*
 * In front of the heap: every allocation of this program is counted, and one of them can be made to
 * fail, in the C library and in the libraries behind ours too. For a program of one file.
 *
 * Under a sanitizer the heap belongs to that: then HEAP_SEEN is 0 and the linker puts these
 * functions in front of our own objects alone (HEAP_WRAPPED, cmake/tests.cmake), or of nothing.
 */
#ifndef EAD_TESTS_HEAP_H
#define EAD_TESTS_HEAP_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define HEAP_SEEN 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(undefined_behavior_sanitizer)
#define HEAP_SEEN 0
#endif
#endif
#ifndef HEAP_SEEN
#define HEAP_SEEN 1
#endif

/* Where nothing is seen, nothing may use them. */
#define HEAP_COUNT __attribute__((unused)) static
HEAP_COUNT atomic_int heap_allocations; /* so far */
HEAP_COUNT atomic_int heap_held;        /* blocks and mappings that are not released */
HEAP_COUNT atomic_int heap_until;       /* so many from now on, the last one fails; 0: none does */
HEAP_COUNT atomic_bool heap_for_good;   /* and after it all */

#if HEAP_SEEN || defined(HEAP_WRAPPED)

static bool heap_fails(void)
{
    atomic_fetch_add(&heap_allocations, 1);
    const int left = atomic_load(&heap_until) > 0 ? atomic_fetch_sub(&heap_until, 1) - 1 : -1;
    if (left > 0 || (left < 0 && !atomic_load(&heap_for_good))) return false;
    errno = ENOMEM;
    return true;
}

static void *heap_count(void *p)
{
    if (p && p != MAP_FAILED) atomic_fetch_add(&heap_held, 1); /* NOLINT */
    return p;
}

#ifdef HEAP_WRAPPED
#define HEAP(name)      __wrap_##name
#define HEAP_REAL(name) __real_##name
#else
#define HEAP(name)      name
#define HEAP_REAL(name) __libc_##name
#endif
/* Visible, so that other libraries call these as well. */
#define SEEN __attribute__((visibility("default")))

void *HEAP_REAL(malloc)(size_t n);
void *HEAP_REAL(calloc)(size_t n, size_t size);
void *HEAP_REAL(realloc)(void *p, size_t n);
void HEAP_REAL(free)(void *p);
SEEN void *HEAP(malloc)(size_t n);
SEEN void *HEAP(calloc)(size_t n, size_t size);
SEEN void *HEAP(realloc)(void *p, size_t n);
SEEN void HEAP(free)(void *p);
SEEN void *HEAP(mmap)(void *at, size_t n, int protection, int flags, int fd, off_t offset);
SEEN int HEAP(munmap)(void *at, size_t n);

void *HEAP(malloc)(size_t n)
{
    return heap_fails() ? NULL : heap_count(HEAP_REAL(malloc)(n));
}

void *HEAP(calloc)(size_t n, size_t size)
{
    return heap_fails() ? NULL : heap_count(HEAP_REAL(calloc)(n, size));
}

void *HEAP(realloc)(void *p, size_t n)
{
    if (heap_fails()) return NULL;
    return p ? HEAP_REAL(realloc)(p, n) : heap_count(HEAP_REAL(realloc)(p, n));
}

void HEAP(free)(void *p)
{
    if (p) atomic_fetch_sub(&heap_held, 1);
    HEAP_REAL(free)(p);
}

void *HEAP(mmap)(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if (heap_fails()) return MAP_FAILED;                                                /* NOLINT */
    return heap_count((void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset)); /* NOLINT */
}

int HEAP(munmap)(void *at, size_t n)
{
    atomic_fetch_sub(&heap_held, 1);
    return (int)syscall(SYS_munmap, at, n);
}

#ifdef HEAP_WRAPPED
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
    const size_t n = strlen(s) + 1;
    char *copy = HEAP(malloc)(n);
    return copy ? memcpy(copy, s, n) : NULL;
}
#endif

#endif

/* The nth allocation from now on fails, and with `for_good` every one after it. */
static inline void heap_fail_at(int n, bool for_good)
{
    atomic_store(&heap_for_good, false);
    atomic_store(&heap_until, n);
    atomic_store(&heap_for_good, for_good);
}

/* Did it? From now on none fails. */
static inline bool heap_failed(void)
{
    atomic_store(&heap_for_good, false);
    return atomic_exchange(&heap_until, 0) <= 0;
}

/* What a program returns that has nothing to do here: CTest says Skipped. */
static inline int heap_skipped(void)
{
    puts("skipped: this build does not let us in front of the heap");
    return 77;
}

#endif
