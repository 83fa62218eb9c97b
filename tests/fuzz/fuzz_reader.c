/*
 * Answers of servers from any bytes. The first byte of an input chooses the dialect, the second how
 * many of the most probable tokens were asked for and whether the answer is a stream, the third
 * where that is cut. However it is cut, the tokens and the end are the same, and what is handed out
 * is what a text can be made of.
 */
#include "remote_reading.h"

#include "base/hash.h"

#include <math.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

struct heard {
    struct reader reader;
    uint64_t hash;
    int n;
};

static void require_stats(const struct reader *r, const struct distribution *d)
{
    const ead_stats *s = &d->stats;
    if (r->dialect->exact || r->top > 0)
        require(s->entropy_lo <= s->entropy && s->entropy <= s->entropy_hi && s->argmax >= 0);
    require(d->n_top <= r->top && d->n == r->n_vocab && s->argmax < r->n_vocab);
    for (int i = 0; i < d->n_top; i++) {
        require(d->top[i].id >= 0 && d->top[i].id < r->n_vocab && d->top[i].logit <= 0);
        require(!i || candidate_compare(&d->top[i - 1], &d->top[i]) < 0);
    }
}

static bool hear(void *context, const struct remote_token *t)
{
    struct heard *h = context;
    require(t->id >= 0 && t->id < h->reader.n_vocab);
    require(isnan(t->log_prob) || t->log_prob <= 0);
    require_stats(&h->reader, &t->dist);
    require(!h->reader.finish && ++h->n == h->reader.n);
    h->hash = hash_more(h->hash, &t->id, sizeof t->id);
    if (t->dist.n_top)
        h->hash = hash_more(h->hash, t->dist.top, (size_t)t->dist.n_top * sizeof *t->dist.top);
    return h->n < 100;
}

static void begin(struct heard *h, const uint8_t *data)
{
    static struct held vocabulary;
    static struct pieces *pieces;
    static const int tops[] = {0, 1, 2, READING_VOCAB};
    if (!pieces) reading_vocab(&vocabulary, &pieces);
    *h = (struct heard){.reader = {.dialect = dialect_at(data[0] % 5u),
                                   .pieces = pieces,
                                   .n_vocab = READING_VOCAB,
                                   .top = tops[data[1] % 4],
                                   .take = hear,
                                   .context = h},
                        .hash = HASH_START};
    reader_init(&h->reader);
}

static enum status finish(struct heard *h, enum status st, const struct err *err)
{
    const struct reader *r = &h->reader;
    require(st == ST_OK || (err->message[0] && r->failed == st));
    require(st || r->enough || (r->finish && !r->n_lost));
    require(r->n_lost >= 0 && r->n == h->n && r->cached_tokens >= -1 && r->prompt_tokens >= -1);
    reader_deinit(&h->reader);
    return st;
}

/* In pieces of 1 to `cut` bytes. */
static enum status hear_stream(struct heard *h, const char *text, size_t n, size_t cut)
{
    struct err err = {0};
    enum status st = ST_OK;
    for (size_t at = 0, size = 1; at < n && !st; size = size % cut + 1) {
        const size_t piece = n - at < size ? n - at : size;
        st = reader_feed(&h->reader, text + at, piece, &err);
        at += piece;
    }
    return finish(h, st ? st : reader_end(&h->reader, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard h, again;
    struct err err = {0};
    if (size < 3) return 0;
    const char *text = (const char *)data + 3;
    begin(&h, data);
    if (data[1] & 4) {
        finish(&h, reader_whole(&h.reader, text, size - 3, &err), &err);
        return 0;
    }
    const enum status st = hear_stream(&h, text, size - 3, data[2] % 64u + 1);
    begin(&again, data);
    require(hear_stream(&again, text, size - 3, 1) == st);
    require(h.hash == again.hash && h.n == again.n && h.reader.finish == again.reader.finish);
    return 0;
}
