#include "eval/unicode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the valid UTF-8 character at s[0..n), or 0. */
static size_t character(const char *s, size_t n)
{
    const uint8_t *b = (const uint8_t *)s;
    if (b[0] && b[0] < 0x80) return 1;
    size_t len = b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : b[0] >= 0xe0 && b[0] < 0xf0 ? 3 : 4;
    if (b[0] < 0xc2 || b[0] > 0xf4 || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((b[i] & 0xc0) != 0x80) return 0;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
        (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
        return 0;
    return len;
}

char *unicode_text(const char *text, size_t n)
{
    char *out = malloc(3 * n + 1), *to = out;
    if (!out) return NULL;
    for (size_t at = 0; at < n;) {
        size_t len = character(text + at, n - at);
        memcpy(to, len ? text + at : "\xef\xbf\xbd", len ? len : 3);
        to += len ? len : 3;
        at += len ? len : 1;
    }
    *to = 0;
    return out;
}

json_t *unicode_json(const char *text, size_t n)
{
    char *clean = unicode_text(text, n);
    json_t *out = clean ? json_string_nocheck(clean) : NULL;
    free(clean);
    return out;
}
