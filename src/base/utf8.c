#include "base/utf8.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdint.h>

/* The second byte is where RFC 3629 forbids overlong forms, surrogates and what lies too high. */
static bool second_fits(uint8_t lead, uint8_t second)
{
    if (lead == 0xe0) return second >= 0xa0 && second <= 0xbf;
    if (lead == 0xed) return second >= 0x80 && second <= 0x9f;
    if (lead == 0xf0) return second >= 0x90 && second <= 0xbf;
    if (lead == 0xf4) return second >= 0x80 && second <= 0x8f;
    return second >> 6 == 2;
}

int utf8_char(const char *s, size_t n)
{
    CHECK(n);
    uint8_t lead = (uint8_t)s[0];
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    int len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (int i = 1; i < len; i++) {
        if ((size_t)i == n) return -1;
        uint8_t c = (uint8_t)s[i];
        if (i == 1 ? !second_fits(lead, c) : c >> 6 != 2) return 0;
    }
    return len;
}
