#include "text/detok.h"

#include "base/check.h"
#include "base/utf8.h"

#include <string.h>

void detok_init(struct detok *d, const struct vocab *vocab, unsigned flags)
{
    *d = (struct detok){.vocab = vocab, .flags = flags};
    d->drop_space = flags & DETOK_START && vocab_specials(vocab)->space_prefix;
}

/* Bytes at the end of s that begin a character and do not finish it: 0 to 3. */
static size_t unfinished(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        if (((unsigned char)s[n - back] & 0xc0) == 0x80) continue; /* a later byte of one */
        return utf8_char(s + n - back, back) < 0 ? back : 0;
    }
    return 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Append what is held and the new bytes, less what their end leaves unfinished. */
static enum status emit(struct detok *d, const char *s, size_t n, struct buf *out)
{
    /* Only the last bytes of both together tell; a character has no more than four. */
    char tail[sizeof d->held + 4];
    size_t from_s = smaller(n, 4), n_tail = d->n_held + from_s;
    memcpy(tail, d->held, d->n_held);
    memcpy(tail + d->n_held, s + n - from_s, from_s);
    size_t keep = unfinished(tail, n_tail);

    CHECK(keep <= sizeof d->held && keep <= d->n_held + n);
    size_t whole = d->n_held + n - keep, old = smaller(d->n_held, whole);
    TRY(buf_add(out, d->held, old));
    TRY(buf_add(out, s, whole - old));
    memcpy(d->held, tail + n_tail - keep, keep);
    d->n_held = (uint8_t)keep;
    return ST_OK;
}

enum status detok_add(struct detok *d, int32_t id, struct buf *out)
{
    const struct vocab_specials *specials = vocab_specials(d->vocab);
    enum vocab_kind kind = vocab_kind(d->vocab, id);
    bool hidden = kind == VOCAB_CONTROL || kind == VOCAB_UNKNOWN;
    size_t n;
    const char *piece = vocab_piece(d->vocab, id, &n);
    if (hidden || kind == VOCAB_USER_DEFINED) {
        /* The encoder puts a space after each of these as it does at the start of a text. */
        d->drop_space = specials->space_prefix && (d->drop_space || d->flags & DETOK_START);
        return hidden && !(d->flags & DETOK_SPECIAL) ? ST_OK : emit(d, piece, n, out);
    }
    if (d->drop_space && n) {
        size_t drop = piece[0] == ' ';
        piece += drop;
        n -= drop;
        d->drop_space = false;
    }
    return emit(d, piece, n, out);
}

enum status detok_flush(struct detok *d, struct buf *out)
{
    TRY(buf_add(out, d->held, d->n_held));
    detok_init(d, d->vocab, d->flags);
    return ST_OK;
}

enum status detok_all(const struct vocab *vocab, const int32_t *ids, size_t n, unsigned flags,
                      struct buf *out)
{
    struct detok d;
    detok_init(&d, vocab, flags);
    for (size_t i = 0; i < n; i++) TRY(detok_add(&d, ids[i], out));
    return detok_flush(&d, out);
}
