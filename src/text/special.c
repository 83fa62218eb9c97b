#include "text/special.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* The rolling hash: a polynomial in this number over the bytes, modulo 2^64. */
#define BASE 0x9ddfea08eb382d69u

static uint64_t hash_of(const char *s, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++) h = h * BASE + (uint8_t)s[i] + 1;
    return h;
}

static int by_length_then_hash(const void *a, const void *b)
{
    const struct special_entry *x = a, *y = b;
    if (x->text.n != y->text.n) return x->text.n > y->text.n ? -1 : 1;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void length_fill(struct special_length *length, const struct special_entry *entries)
{
    length->power = 1;
    for (size_t i = 1; i < length->n; i++) length->power *= BASE;
    for (size_t i = length->first; i < length->last; i++)
        if (entries[i].always) length->any_always = true;
}

enum status special_init(struct special *s, struct special_entry *entries, size_t n,
                         struct err *err)
{
    *s = (struct special){.entries = entries, .n_entries = n};
    for (size_t i = 0; i < n; i++) {
        entries[i].hash = hash_of(entries[i].text.s, entries[i].text.n);
        s->leads[(uint8_t)entries[i].text.s[0]] = true;
    }
    if (n) qsort(entries, n, sizeof *entries, by_length_then_hash);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && entries[end].text.n == entries[i].text.n;) end++;
        if (s->n_lengths == SPECIAL_LENGTHS_MAX) {
            special_deinit(s);
            return err_set(err, ST_SUPPORT,
                           "tokenizer.ggml.token_type: the control and user-defined tokens have "
                           "more than %d different lengths",
                           SPECIAL_LENGTHS_MAX);
        }
        struct special_length *length = &s->lengths[s->n_lengths++];
        *length = (struct special_length){.n = entries[i].text.n, .first = i, .last = end};
        length_fill(length, entries);
    }
    return ST_OK;
}

void special_deinit(struct special *s)
{
    free(s->entries);
    *s = (struct special){0};
}

void special_spans_deinit(struct special_spans *spans)
{
    free(spans->span);
    *spans = (struct special_spans){0};
}

static enum status add_span(struct special_spans *spans, size_t at, size_t n, int32_t id)
{
    if (!n) return ST_OK;
    if (spans->n == spans->cap) {
        size_t cap = spans->cap ? 2 * spans->cap : 16;
        struct special_span *grown = realloc(spans->span, cap * sizeof *grown);
        if (!grown) return ST_MEMORY;
        spans->span = grown;
        spans->cap = cap;
    }
    spans->span[spans->n++] = (struct special_span){at, n, id};
    return ST_OK;
}

/* The entry of this length with this hash that is these bytes, NULL when there is none. */
static const struct special_entry *find_entry(const struct special *s,
                                              const struct special_length *length, uint64_t hash,
                                              const char *bytes, bool all)
{
    size_t low = length->first, high = length->last;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->entries[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < length->last && s->entries[low].hash == hash; low++) {
        const struct special_entry *entry = &s->entries[low];
        if ((all || entry->always) && !memcmp(entry->text.s, bytes, length->n)) return entry;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cut one raw span around the entries of one length. */
static enum status cut_span(const struct special *s, const struct special_length *length,
                            const char *text, struct special_span raw, bool all,
                            struct special_spans *out)
{
    size_t at = raw.at, end = raw.at + raw.n, w = length->n;
    CHECK(w > 0);
    while (end - at >= w) {
        uint64_t hash = hash_of(text + at, w);
        const struct special_entry *hit = NULL;
        size_t i = at;
        for (;; i++) {
            if (s->leads[(uint8_t)text[i]] && (hit = find_entry(s, length, hash, text + i, all)))
                break;
            if (end - i == w) break;
            hash -= ((uint8_t)text[i] + 1u) * length->power;
            hash = hash * BASE + (uint8_t)text[i + w] + 1;
        }
        if (!hit) break;
        TRY(add_span(out, at, i - at, -1));
        CHECK(i + w <= end);
        at = i + w;
        while (hit->strip_right && at < end && is_space(text[at])) at++;
        TRY(add_span(out, i, at - i, hit->id));
    }
    return add_span(out, at, end - at, -1);
}

static bool any_lead(const struct special *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s->leads[(uint8_t)text[i]]) return true;
    return false;
}

enum status special_split(const struct special *s, const char *text, size_t n, bool all,
                          struct special_spans *out)
{
    out->n = 0;
    TRY(add_span(out, 0, n, -1));
    if (!any_lead(s, text, n)) return ST_OK;
    struct special_spans next = {0};
    enum status st = ST_OK;
    for (size_t k = 0; k < s->n_lengths && st == ST_OK; k++) {
        const struct special_length *length = &s->lengths[k];
        if (!all && !length->any_always) continue;
        next.n = 0;
        for (size_t i = 0; i < out->n && st == ST_OK; i++) {
            struct special_span span = out->span[i];
            if (span.id < 0 && span.n >= length->n)
                st = cut_span(s, length, text, span, all, &next);
            else
                st = add_span(&next, span.at, span.n, span.id);
        }
        struct special_spans swap = *out;
        *out = next;
        next = swap;
    }
    special_spans_deinit(&next);
    return st;
}
