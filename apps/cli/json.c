#include "cli/json.h"

#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
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

char *json_clean(const char *text, size_t n)
{
    char *clean = malloc(3 * n + 1), *to = clean;
    if (!clean) return NULL;
    for (size_t at = 0; at < n;) {
        size_t len = character(text + at, n - at);
        memcpy(to, len ? text + at : "\xef\xbf\xbd", len ? len : 3);
        to += len ? len : 3;
        at += len ? len : 1;
    }
    *to = 0;
    return clean;
}

json_t *json_text(const char *text, size_t n)
{
    char *clean = json_clean(text, n);
    json_t *out = clean ? json_string(clean) : NULL;
    free(clean);
    return out;
}

json_t *json_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

const char *json_digits(double x, char out[32])
{
    for (int digits = 9; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    return out;
}

int json_write(const char *path, const json_t *value)
{
    const bool standard = !strcmp(path, "-");
    FILE *to = standard ? stdout : fopen(path, "w");
    if (!to) return fail("%s: cannot create: %s", path, strerror(errno));
    int bad = json_dumpf(value, to, JSON_INDENT(1)) || fputc('\n', to) == EOF;
    if (standard ? fflush(to) : fclose(to)) bad = 1;
    return bad ? fail("%s: cannot write: %s", path, strerror(errno)) : EXIT_OK;
}
