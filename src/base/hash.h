/* A hash that tells things apart; it guards nothing against who wants them to collide. */
#ifndef EAD_BASE_HASH_H
#define EAD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bits. */
static inline uint64_t hash_bytes(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * 1099511628211u;
    return h;
}

#endif
