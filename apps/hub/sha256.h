/* SHA-256 (FIPS 180-4), for bytes that come in pieces. */
#ifndef EAD_HUB_SHA256_H
#define EAD_HUB_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_HEX = 64, SHA256_BLOCK = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;                    /* read so far */
    unsigned char block[SHA256_BLOCK]; /* the beginning of the next block: bytes % SHA256_BLOCK */
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *bytes, size_t n);
/* The sum in lower-case hexadecimal. `s` is used up. */
void sha256_end(struct sha256 *s, char hex[SHA256_HEX + 1]);

#endif
