/* FNV-1a, 64 bits: it tells things apart, and guards nothing against who wants them to collide. */
#ifndef EAD_BASE_HASH_H
#define EAD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

/* Go on from `hash`: piece by piece gives the same as at once. */
static inline uint64_t hash_more(uint64_t hash, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ b[i]) * UINT64_C(1099511628211);
    return hash;
}

static inline uint64_t hash_bytes(const void *bytes, size_t n)
{
    return hash_more(HASH_START, bytes, n);
}

#endif
