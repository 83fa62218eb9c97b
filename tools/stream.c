#include "stream.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const size_t stream_ahead[STREAM_DISTANCES] = {0, 2048, 8192};

void *stream_room(size_t bytes)
{
    const size_t huge = (size_t)1 << 21;
    bytes = (bytes + huge - 1) / huge * huge;
    void *room = aligned_alloc(huge, bytes);
    if (!room) return NULL;
    madvise(room, bytes, MADV_HUGEPAGE);
    return memset(room, 0, bytes);
}

struct member {
    stream_work *work;
    const void *context;
    int index, threads;
};

static void *member_run(void *of)
{
    const struct member *m = of;
    m->work(m->context, m->index, m->threads);
    return NULL;
}

double stream_run(int threads, stream_work *work, const void *context)
{
    struct member members[STREAM_THREADS_MAX];
    pthread_t ids[STREAM_THREADS_MAX];
    const double start = clock_seconds();
    for (int i = threads - 1; i >= 0; i--) {
        members[i] = (struct member){work, context, i, threads};
        if (i && pthread_create(&ids[i], NULL, member_run, &members[i])) abort();
    }
    member_run(&members[0]);
    for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
    return clock_seconds() - start;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reading {
    const uint64_t *data;
    size_t lines, ahead;
    uint64_t *sums; /* [threads], so that the reads count for something */
};

enum { LINE = 64 / sizeof(uint64_t) };

__attribute__((always_inline)) static inline uint64_t sum_lines(const uint64_t *at,
                                                                const uint64_t *end, size_t ahead)
{
    uint64_t sum = 0;
    for (; at < end; at += LINE) {
        if (ahead) __builtin_prefetch(at + ahead / sizeof *at, 0, 2);
        for (size_t i = 0; i < LINE; i++) sum += at[i];
    }
    return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t sum_in_vectors(const uint64_t *at,
                                                               const uint64_t *end, size_t ahead)
{
    return sum_lines(at, end, ahead);
}

static uint64_t sum(const uint64_t *at, const uint64_t *end, size_t ahead)
{
    return __builtin_cpu_supports("avx2") ? sum_in_vectors(at, end, ahead)
                                          : sum_lines(at, end, ahead);
}
#else
static uint64_t sum(const uint64_t *at, const uint64_t *end, size_t ahead)
{
    return sum_lines(at, end, ahead);
}
#endif

static void read_share(const void *context, int index, int threads)
{
    const struct reading *r = context;
    const size_t first = r->lines * (size_t)index / (size_t)threads;
    const size_t end = r->lines * (size_t)(index + 1) / (size_t)threads;
    r->sums[index] = sum(r->data + first * LINE, r->data + end * LINE, r->ahead);
}

double stream_read(const void *data, size_t bytes, int threads, size_t ahead)
{
    uint64_t sums[STREAM_THREADS_MAX];
    volatile uint64_t sink = 0;
    const struct reading r = {data, bytes / (LINE * sizeof *r.data), ahead, sums};
    const double seconds = stream_run(threads, read_share, &r);
    for (int i = 0; i < threads; i++) sink += sums[i];
    (void)sink;
    return (double)bytes / seconds;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stream_median(double *all, int n)
{
    qsort(all, (size_t)n, sizeof *all, by_value);
    return (all[n / 2] + all[(n - 1) / 2]) / 2;
}
