#include "kern/kern.h"

#include "kern/kern_tables.h"

#include <string.h>

static const struct kern *table_ref(void)
{
    return &kern_ref;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static const struct kern *table_avxvnni(void)
{
    enum { AVX_VNNI = 1 << 4 }; /* eax of leaf 7, second part */
    unsigned a = 0, b, c, d;
    return table_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & AVX_VNNI) ? &kern_avxvnni
                                                                                     : NULL;
}

static const struct kern *table_avx512(void)
{
    int have = table_avx2() && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    return have ? &kern_avx512 : NULL;
}

/* Tiles are state that Linux gives to a process which asks for it; threads inherit it. */
static int have_tiles(void)
{
#if defined(__linux__)
    enum {
        REQUEST_PERMISSION = 0x1023 /* of arch_prctl */,
        TILE_DATA = 18 /* feature of xstate */
    };
    return !syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA);
#else
    return 0;
#endif
}

static const struct kern *table_amx(void)
{
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, AMX_INT8 = 1 << 25 }; /* edx of leaf 7 */
    const unsigned all = AMX_BF16 | AMX_TILE | AMX_INT8;
    unsigned a, b, c, d = 0;
    int have = table_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & all) == all;
    return have && have_tiles() ? &kern_amx : NULL;
}
#else
static const struct kern *table_avx2(void)
{
    return NULL;
}

static const struct kern *table_avxvnni(void)
{
    return NULL;
}

static const struct kern *table_avx512(void)
{
    return NULL;
}

static const struct kern *table_amx(void)
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
    [KERN_AVXVNNI] = {"avxvnni", table_avxvnni},
    [KERN_AVX512] = {"avx512", table_avx512},
    [KERN_AMX] = {"amx", table_amx},
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

const char *kern_level_name(enum kern_level level)
{
    return levels[level].name;
}

int kern_level_parse(const char *name)
{
    for (int level = 0; level < KERN_LEVEL_COUNT; level++)
        if (!strcmp(name, levels[level].name)) return level;
    return -1;
}

int kern_cache_parse(const char *name)
{
    static const char *const names[KERN_CACHE_COUNT] = {"f16", "q8_0"};
    for (int type = 0; type < KERN_CACHE_COUNT; type++)
        if (!strcmp(name, names[type])) return type;
    return -1;
}
