#include "eval/sample.h"

#include "base/rng.h"

#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

size_t sample_draw(size_t n, size_t limit, uint64_t seed, int *out)
{
    const size_t taken = limit && limit < n ? limit : n;
    for (size_t i = 0; i < n; i++) out[i] = (int)i;
    for (size_t i = 0; i < taken && taken < n; i++) { /* the head of a shuffle */
        const size_t from = i + (size_t)(rng_bits(&seed) % (n - i));
        const int drawn = out[from];
        out[from] = out[i];
        out[i] = drawn;
    }
    qsort(out, taken, sizeof *out, by_number);
    return taken;
}

uint64_t sample_seed(uint64_t seed, int problem)
{
    uint64_t state = seed ^ (uint64_t)problem * 0xd1342543de82ef95u;
    return rng_bits(&state);
}
