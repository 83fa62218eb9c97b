#include "server/stop.h"

#include <string.h>

/* Where the string is complete first, among places that end in the fresh bytes: the byte behind it,
 * or 0. */
static size_t end_of(const struct ask_stop *s, const char *text, size_t n, size_t fresh)
{
    const size_t old = n - fresh, before = s->bytes - 1;
    for (size_t at = old > before ? old - before : 0; at + s->bytes <= n; at++)
        if (!memcmp(text + at, s->text, s->bytes)) return at + s->bytes;
    return 0;
}

/* Bytes at the end of the text that may begin the string: 0 to all but one of it. */
static size_t begun(const struct ask_stop *s, const char *text, size_t n)
{
    for (size_t have = s->bytes - 1 < n ? s->bytes - 1 : n; have; have--)
        if (!memcmp(text + n - have, s->text, have)) return have;
    return 0;
}

struct stop_found stop_find(const struct ask *a, const char *text, size_t n, size_t fresh)
{
    size_t end = 0, held = 0;
    struct stop_found found = {0};
    for (int i = 0; i < a->n_stops; i++) {
        const struct ask_stop *s = &a->stops[i];
        const size_t e = end_of(s, text, n, fresh), begin = e - s->bytes;
        if (!e || (end && (e > end || (e == end && begin >= found.shown)))) continue;
        end = e;
        found = (struct stop_found){.shown = begin, .stopped = true};
    }
    if (found.stopped) return found;
    for (int i = 0; i < a->n_stops; i++) {
        const size_t b = begun(&a->stops[i], text, n);
        held = b > held ? b : held;
    }
    return (struct stop_found){.shown = n - held};
}
