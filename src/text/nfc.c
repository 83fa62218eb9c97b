#include "text/nfc.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <utf8proc.h>

/* The first combining mark. What lies below is composed, stands by itself, and combines with
 * nothing before it: a text can be cut in front of it. */
enum { FIRST_MARK = 0x300, FIRST_MARK_LEAD = 0xcc, PARTS_MAX = 32, SHORT_RUN = 2 };

static const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;

static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)text[i] >= FIRST_MARK_LEAD) return false;
    return true;
}

/* Room for n elements of a size at *data, which may move. */
static enum status reserve(void *data, size_t *cap, size_t n, size_t size)
{
    if (n <= *cap) return ST_OK;
    size_t more = *cap ? *cap : 256;
    while (more < n) more *= 2;
    void *grown = realloc(*(void **)data, more * size);
    if (!grown) return ST_MEMORY;
    *(void **)data = grown;
    *cap = more;
    return ST_OK;
}

/* Bytes of the stretch that begins at s and can be composed alone: one character, with all behind
 * it that is not below FIRST_MARK. *good is false for a byte that is not UTF-8. */
static size_t stretch(const char *s, size_t n, bool *good)
{
    int len = utf8_char(s, n);
    *good = len > 0;
    if (!*good) return 1;
    size_t at = (size_t)len;
    while (at < n && (uint8_t)s[at] >= FIRST_MARK_LEAD && (len = utf8_char(s + at, n - at)) > 0)
        at += (size_t)len;
    return at;
}

/* The stretch as code points, each taken apart. */
static enum status decompose(struct nfc *nfc, const char *s, size_t n, size_t *n_points)
{
    size_t count = 0;
    int boundary = 0;
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t point;
        at += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)(n - at),
                                       &point);
        TRY(reserve(&nfc->points, &nfc->cap_points, count + PARTS_MAX, sizeof *nfc->points));
        count +=
            (size_t)utf8proc_decompose_char(point, nfc->points + count, PARTS_MAX, form, &boundary);
    }
    *n_points = count;
    return ST_OK;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint8_t class_of(int32_t point)
{
    return (uint8_t)utf8proc_get_property(point)->combining_class;
}

/* Order a run of marks by class, and within a class as they stand: a key holds the class, the
 * place, the code point. */
static enum status sort_run(struct nfc *nfc, int32_t *points, size_t n)
{
    TRY(reserve(&nfc->marks, &nfc->cap_marks, n, sizeof *nfc->marks));
    for (size_t i = 0; i < n; i++)
        nfc->marks[i] =
            (uint64_t)class_of(points[i]) << 56 | (uint64_t)i << 21 | (uint64_t)points[i];
    qsort(nfc->marks, n, sizeof *nfc->marks, ascending);
    for (size_t i = 0; i < n; i++) points[i] = (int32_t)(nfc->marks[i] & 0x1fffff);
    return ST_OK;
}

static enum status sort_marks(struct nfc *nfc, size_t n)
{
    for (size_t i = 0, end; i < n; i = end + 1) {
        for (end = i; end < n && class_of(nfc->points[end]);) end++;
        if (end - i >= SHORT_RUN) TRY(sort_run(nfc, nfc->points + i, end - i));
    }
    return ST_OK;
}

static enum status compose_stretch(struct nfc *nfc, const char *s, size_t n)
{
    size_t n_points;
    TRY(decompose(nfc, s, n, &n_points));
    TRY(sort_marks(nfc, n_points));
    utf8proc_ssize_t left = utf8proc_normalize_utf32(nfc->points, (utf8proc_ssize_t)n_points, form);
    for (utf8proc_ssize_t i = 0; i < left; i++) {
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t len = utf8proc_encode_char(nfc->points[i], bytes);
        TRY(buf_add(&nfc->text, bytes, (size_t)len));
    }
    return ST_OK;
}

enum status nfc_compose(struct nfc *nfc, const char *text, size_t n, const char **out,
                        size_t *out_n)
{
    *out = text;
    *out_n = n;
    if (is_plain(text, n)) return ST_OK;
    buf_clear(&nfc->text);
    size_t plain = 0; /* bytes from here to `at` are copied as they are */
    for (size_t at = 0, len; at < n; at += len) {
        bool good;
        len = stretch(text + at, n - at, &good);
        if (!good || is_plain(text + at, len)) continue;
        TRY(buf_add(&nfc->text, text + plain, at - plain));
        TRY(compose_stretch(nfc, text + at, len));
        plain = at + len;
    }
    TRY(buf_add(&nfc->text, text + plain, n - plain));
    *out = nfc->text.data ? nfc->text.data : "";
    *out_n = nfc->text.len;
    return ST_OK;
}

void nfc_deinit(struct nfc *nfc)
{
    buf_deinit(&nfc->text);
    free(nfc->points);
    free(nfc->marks);
    *nfc = (struct nfc){0};
}
