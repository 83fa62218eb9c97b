/*
 * Server-sent events from any bytes. The first two bytes of an input say where the rest is cut and
 * how high the ceiling is; the events of the pieces must be those of the whole, and a reader that
 * knows nothing of pieces must find them too.
 */
#include "net/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static void keep(struct buf *all, const char *data, size_t n)
{
    const uint32_t length = (uint32_t)n;
    require(buf_add(all, &length, sizeof length) == ST_OK && buf_add(all, data, n) == ST_OK);
}

/* Events of text[n] in pieces of 1 to `cut` bytes; *cut_off as sse_is_cut has it. */
static enum status read_pieces(const char *text, size_t n, size_t cut, size_t max, struct buf *all,
                               bool *cut_off)
{
    struct sse s = {.max = max};
    struct sse_event event;
    struct err err = {0};
    enum status st = ST_OK;
    for (size_t at = 0, size = 1; at < n && !st; size = size % cut + 1) {
        size_t piece = n - at < size ? n - at : size;
        const char *bytes = text + at;
        at += piece;
        while (!(st = sse_next(&s, &bytes, &piece, &event, &err)) && event.data) {
            require(event.n <= max && !event.data[event.n]);
            keep(all, event.data, event.n);
        }
        require(st || !piece);
    }
    require(s.line.len <= max && s.event.len <= max);
    require(st == ST_OK || (st == ST_FORMAT && err.message[0]));
    *cut_off = sse_is_cut(&s);
    sse_deinit(&s);
    return st;
}

/* ---- the plain reader -------------------------------------------------------------------- */

/* Length of the line at text[n], and in *end what ends it: 0, 1 or 2 bytes. */
static size_t line_of(const char *text, size_t n, size_t *end)
{
    size_t i = 0;
    while (i < n && text[i] != '\n' && text[i] != '\r') i++;
    *end = i == n ? 0 : text[i] == '\r' && i + 1 < n && text[i + 1] == '\n' ? 2 : 1;
    return i;
}

static void read_plainly(const char *text, size_t n, struct buf *all)
{
    struct buf event = {0};
    if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        n -= 3;
    }
    while (n) {
        size_t end, length = line_of(text, n, &end);
        if (!end) break;
        if (!length && event.len) {
            keep(all, event.data, event.len - 1);
            buf_clear(&event);
        } else if (length >= 4 && !memcmp(text, "data", 4) && (length == 4 || text[4] == ':')) {
            const size_t colon = length > 4, space = length > 5 && text[5] == ' ';
            const size_t begin = 4 + colon + space;
            require(buf_add(&event, text + begin, length - begin) == ST_OK);
            require(buf_add(&event, "\n", 1) == ST_OK);
        }
        text += length + end;
        n -= length + end;
    }
    buf_deinit(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const size_t cut = data[0] % 32u + 1, max = data[1] < 128 ? SSE_MAX_DEFAULT : data[1] - 127u;
    const char *text = (const char *)data + 2;
    struct buf pieces = {0}, whole = {0}, plain = {0};
    bool cut_in_pieces, cut_whole;
    const enum status st = read_pieces(text, size - 2, cut, max, &pieces, &cut_in_pieces);
    require(read_pieces(text, size - 2, 1, max, &whole, &cut_whole) == st);
    require(pieces.len == whole.len && (st || cut_in_pieces == cut_whole));
    require(!whole.len || !memcmp(pieces.data, whole.data, whole.len));
    if (!st) {
        read_plainly(text, size - 2, &plain);
        require(plain.len == whole.len);
        require(!plain.len || !memcmp(plain.data, whole.data, plain.len));
    }
    buf_deinit(&pieces);
    buf_deinit(&whole);
    buf_deinit(&plain);
    return 0;
}
