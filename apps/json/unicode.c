#include "json/unicode.h"

#include "base/utf8.h"
#include "json/jsonio.h"

#include <stdlib.h>
#include <string.h>

char *unicode_text(const char *text, size_t n)
{
    char *out = malloc(3 * n + 1), *to = out;
    if (!out) return NULL;
    for (size_t at = 0; at < n;) {
        const int len = text[at] ? utf8_char(text + at, n - at) : 0;
        const size_t kept = len > 0 ? (size_t)len : 0;
        memcpy(to, kept ? text + at : "\xef\xbf\xbd", kept ? kept : 3);
        to += kept ? kept : 3;
        at += kept ? kept : 1;
    }
    *to = 0;
    return out;
}

json_t *unicode_json(const char *text, size_t n)
{
    char *clean = unicode_text(text, n);
    if (!clean) jsonio_lacks();
    json_t *out = clean ? json_string_nocheck(clean) : NULL;
    free(clean);
    return out;
}
