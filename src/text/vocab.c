#include "text/vocab.h"

#include "text/nfc.h"
#include "text/vocab_inside.h"

#include <stdlib.h>
#include <string.h>

void vocab_close(struct vocab *v)
{
    if (!v) return;
    free(v->texts);
    free(v->kinds);
    free(v->pieces);
    free(v->piece_at);
    lexicon_deinit(&v->lex);
    special_deinit(&v->special);
    pretok_close(v->pretok);
    bpe_deinit(&v->bpe);
    spm_deinit(&v->spm);
    notes_deinit(&v->notes);
    free(v);
}

int32_t vocab_size(const struct vocab *v)
{
    return v->n;
}

int32_t vocab_real_size(const struct vocab *v)
{
    return v->real;
}

const char *vocab_model(const struct vocab *v)
{
    return v->pretok ? "gpt2" : "llama";
}

const char *vocab_pre(const struct vocab *v)
{
    return v->pretok ? pretok_rules(v->pretok)->name : "";
}

static bool in_range(const struct vocab *v, int32_t id)
{
    return id >= 0 && id < v->n;
}

const char *vocab_piece(const struct vocab *v, int32_t id, size_t *n)
{
    *n = in_range(v, id) ? v->piece_at[id + 1] - v->piece_at[id] : 0;
    return *n ? v->pieces + v->piece_at[id] : "";
}

struct gguf_str vocab_text(const struct vocab *v, int32_t id)
{
    return in_range(v, id) ? v->texts[id] : (struct gguf_str){"", 0};
}

enum vocab_kind vocab_kind(const struct vocab *v, int32_t id)
{
    return in_range(v, id) ? (enum vocab_kind)(v->kinds[id] & VOCAB_KIND_BITS) : VOCAB_UNUSED;
}

int32_t vocab_find(const struct vocab *v, const char *text, size_t n)
{
    return lexicon_find(&v->lex, text, n);
}

const struct vocab_specials *vocab_specials(const struct vocab *v)
{
    return &v->specials;
}

const char *vocab_note(const struct vocab *v, size_t i)
{
    return i < v->notes.n ? v->notes.note[i] : NULL;
}

bool vocab_is_eog(const struct vocab *v, int32_t id)
{
    return in_range(v, id) && v->kinds[id] & VOCAB_EOG_BIT;
}

/* ---- encode ------------------------------------------------------------------------------ */

struct encoding {
    const struct vocab *v;
    const char *text;
    struct ids *out;
    struct merge work;
    struct special_spans spans;
    struct nfc nfc;
    struct err *err;
};

static enum status encode_word(void *context, const char *word, size_t n)
{
    struct encoding *e = context;
    return bpe_encode(&e->v->bpe, &e->work, word, n, e->out);
}

static enum status encode_words(struct encoding *e, const char *text, size_t n)
{
    if (pretok_rules(e->v->pretok)->composes) TRY(nfc_compose(&e->nfc, text, n, &text, &n));
    return pretok_split(e->v->pretok, text, n, encode_word, e, e->err);
}

static enum status encode_spans(struct encoding *e)
{
    bool after_special = true; /* the beginning of a text counts as such */
    for (size_t i = 0; i < e->spans.n; i++) {
        struct special_span span = e->spans.span[i];
        if (span.id >= 0) {
            TRY(ids_add(e->out, span.id));
        } else if (e->v->pretok) {
            TRY(encode_words(e, e->text + span.at, span.n));
        } else {
            bool prefix = after_special && e->v->specials.space_prefix;
            TRY(spm_encode(&e->v->spm, &e->work, e->text + span.at, span.n, prefix, e->out));
        }
        after_special = span.id >= 0;
    }
    return ST_OK;
}

static bool begins_with(const struct special_spans *spans, int32_t id)
{
    return spans->n && spans->span[0].id == id;
}

static bool ends_with(const struct special_spans *spans, int32_t id)
{
    return spans->n && spans->span[spans->n - 1].id == id;
}

static enum status encode_all(struct encoding *e, size_t n, unsigned flags)
{
    const struct vocab_specials *s = &e->v->specials;
    TRY(special_split(&e->v->special, e->text, n, flags & VOCAB_SPECIAL, &e->spans));
    if (flags & VOCAB_BOS && s->add_bos && !begins_with(&e->spans, s->bos))
        TRY(ids_add(e->out, s->bos));
    TRY(encode_spans(e));
    if (flags & VOCAB_EOS && s->add_eos && !ends_with(&e->spans, s->eos))
        TRY(ids_add(e->out, s->eos));
    return ST_OK;
}

bool vocab_brings_bos(const struct vocab *v, const char *text, size_t n, unsigned flags)
{
    struct special_spans spans = {0};
    if (!(flags & VOCAB_BOS) || !v->specials.add_bos || n > VOCAB_TEXT_MAX) return false;
    enum status st = special_split(&v->special, text, n, flags & VOCAB_SPECIAL, &spans);
    bool brings = st == ST_OK && begins_with(&spans, v->specials.bos);
    special_spans_deinit(&spans);
    return brings;
}

enum status vocab_encode(const struct vocab *v, const char *text, size_t n, unsigned flags,
                         struct ids *out, struct err *err)
{
    if (n > VOCAB_TEXT_MAX)
        return err_set(err, ST_ARG, "text: expected at most %d bytes, found %zu", VOCAB_TEXT_MAX,
                       n);
    struct encoding e = {.v = v, .text = text, .out = out, .err = err};
    size_t before = out->n;
    enum status st = encode_all(&e, n, flags);
    merge_deinit(&e.work);
    special_spans_deinit(&e.spans);
    nfc_deinit(&e.nfc);
    if (st == ST_OK) return ST_OK;
    out->n = before;
    if (st != ST_MEMORY) return st; /* its message is set */
    return err_memory(err, "the tokens of a text of %zu bytes", n);
}

/* ---- compare ----------------------------------------------------------------------------- */

static int shown(struct gguf_str text)
{
    return (int)(text.n < 80 ? text.n : 80);
}

static const char *size_note(const struct vocab *v, int32_t id)
{
    return id < v->real ? "" : id < v->n ? " (padding)" : " (beyond its end)";
}

/* Leading ids whose texts are equal. */
static int32_t count_same(const struct vocab *a, const struct vocab *b)
{
    int32_t both = a->real < b->real ? a->real : b->real, id = 0;
    for (; id < both; id++) {
        struct gguf_str x = a->texts[id], y = b->texts[id];
        if (x.n != y.n || memcmp(x.s, y.s, x.n)) break;
    }
    return id;
}

/* Do both cut and merge a text alike? A file that names no pre-tokenizer says nothing about it. */
static enum status compare_splits(const struct vocab *a, const struct vocab *b, struct err *err)
{
    if (!a->pretok != !b->pretok)
        return err_set(err, ST_ARG, "the vocabularies differ in kind: \"%s\" against \"%s\"",
                       vocab_model(a), vocab_model(b));
    if (!a->pretok) return ST_OK;
    if (!a->pre_absent && !b->pre_absent && !pretok_same(a->pretok, b->pretok))
        return err_set(err, ST_ARG,
                       "the vocabularies differ in how they cut a text into words: "
                       "tokenizer.ggml.pre is \"%s\" against \"%s\"",
                       vocab_pre(a), vocab_pre(b));
    uint32_t rank = bpe_first_difference(&a->bpe, &b->bpe);
    if (rank == BPE_NO_RANK) return ST_OK;
    return err_set(err, ST_ARG, "the vocabularies differ in tokenizer.ggml.merges, from %u on",
                   rank);
}

enum status vocab_compare(const struct vocab *a, const struct vocab *b, int32_t *same,
                          struct err *err)
{
    const int32_t longer = a->real > b->real ? a->real : b->real;
    const int32_t shorter = a->real > b->real ? b->real : a->real;
    const int32_t id = *same = count_same(a, b);
    if (id == shorter && longer - shorter <= VOCAB_SPARE_MAX) return compare_splits(a, b, err);
    struct gguf_str x = vocab_text(a, id), y = vocab_text(b, id);
    return err_set(err, ST_ARG,
                   "the vocabularies differ from id %d on: \"%.*s\"%s against \"%.*s\"%s", id,
                   shown(x), x.s, size_note(a, id), shown(y), y.s, size_note(b, id));
}
