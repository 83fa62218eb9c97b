#include "eval/sample.h"

#include <stdlib.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

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
        const size_t from = i + (size_t)(bits(&seed) % (n - i));
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
    return bits(&state);
}
