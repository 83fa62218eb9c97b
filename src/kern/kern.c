#include "kern/kern.h"

#include "kern/kern_tables.h"

#include <string.h>

static const struct kern *table_ref(void)
{
    return &kern_ref;
}

#if defined(__x86_64__)
#include <cpuid.h>

/* clang's __builtin_cpu_supports does not know this one. */
static int have_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static const struct kern *table_avx2(void)
{
    int have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && have_f16c();
    return have ? &kern_avx2 : NULL;
}

static const struct kern *table_avx512(void)
{
    int have = table_avx2() && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    return have ? &kern_avx512 : NULL;
}
#else
static const struct kern *table_avx2(void)
{
    return NULL;
}

static const struct kern *table_avx512(void)
{
    return NULL;
}
#endif

static const struct {
    const char *name;
    const struct kern *(*table)(void);
} levels[KERN_LEVEL_COUNT] = {
    [KERN_REF] = {"ref", table_ref},
    [KERN_AVX2] = {"avx2", table_avx2},
    [KERN_AVX512] = {"avx512", table_avx512},
};

const struct kern *kern_table(enum kern_level level)
{
    return (unsigned)level < KERN_LEVEL_COUNT ? levels[level].table() : NULL;
}

const struct kern *kern_best(void)
{
    const struct kern *best = NULL;
    for (int level = KERN_LEVEL_COUNT - 1; !best; level--) best = levels[level].table();
    return best;
}

int kern_level_parse(const char *name)
{
    for (int level = 0; level < KERN_LEVEL_COUNT; level++)
        if (!strcmp(name, levels[level].name)) return level;
    return -1;
}
