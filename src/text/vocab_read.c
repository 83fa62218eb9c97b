/* vocab_open: from the metadata of a file to a vocabulary. */
#include "text/vocab_inside.h"

#include "text/bytemap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PIECES_MAX = 1 << 30 };

/* ---- tokens ------------------------------------------------------------------------------ */

static enum status read_texts(struct vocab *v, const struct gguf_kv *tokens, size_t *bytes,
                              struct err *err)
{
    if (!tokens->count || tokens->count > VOCAB_SIZE_MAX)
        return err_set(err, ST_FORMAT, "tokenizer.ggml.tokens: expected 1 to %d tokens, found %llu",
                       VOCAB_SIZE_MAX, (unsigned long long)tokens->count);
    v->n = (int32_t)tokens->count;
    v->texts = malloc((size_t)v->n * sizeof *v->texts);
    v->kinds = malloc((size_t)v->n);
    if (!v->texts || !v->kinds) return err_memory(err, "tokenizer.ggml.tokens, %d of them", v->n);
    TRY(lexicon_init(&v->lex, v->texts, (size_t)v->n, err));
    const uint8_t *at = tokens->value;
    for (int32_t i = 0; i < v->n; i++) {
        v->texts[i] = gguf_next_str(&at);
        v->kinds[i] = VOCAB_NORMAL;
        *bytes += v->texts[i].n;
        if (v->texts[i].n) TRY(lexicon_add(&v->lex, i, err));
    }
    if (*bytes > PIECES_MAX)
        return err_set(err, ST_FORMAT,
                       "tokenizer.ggml.tokens: expected at most %d bytes, found %zu", PIECES_MAX,
                       *bytes);
    return ST_OK;
}

/* Find an array of one number per token; *out = NULL when absent. */
static enum status find_numbers(const struct vocab *v, const struct gguf *g, const char *key,
                                const char *what, const struct gguf_kv **out, struct err *err)
{
    const struct gguf_kv *kv = *out = gguf_find(g, key);
    if (!kv) return ST_OK;
    if (kv->type != GGUF_ARRAY || kv->elem == GGUF_STRING || kv->elem == GGUF_BOOL)
        return err_set(err, ST_FORMAT, "%s: expected an array of numbers, found %s%s", key,
                       kv->type == GGUF_ARRAY ? "an array of " : "", gguf_type_name(kv->elem));
    if (kv->count < (uint64_t)v->n)
        return err_set(err, ST_FORMAT, "%s: expected %d %s, found %llu", key, v->n, what,
                       (unsigned long long)kv->count);
    return ST_OK;
}

/* A type that nobody knows says nothing against a token: it is an ordinary one. */
static enum status read_kinds(struct vocab *v, const struct gguf *g, struct err *err)
{
    static const char key[] = "tokenizer.ggml.token_type";
    const struct gguf_kv *kv;
    int32_t unknown = 0, first = 0;
    TRY(find_numbers(v, g, key, "types", &kv, err));
    if (!kv) return ST_OK;
    for (int32_t i = 0; i < v->n; i++) {
        const int64_t kind = gguf_i64_at(kv, (uint64_t)i);
        v->kinds[i] = VOCAB_NORMAL;
        if (kind >= VOCAB_NORMAL && kind <= VOCAB_BYTE)
            v->kinds[i] = (uint8_t)kind;
        else if (!kind)
            v->kinds[i] = VOCAB_UNUSED; /* "undefined" */
        else if (!unknown++)
            first = i;
    }
    if (!unknown) return ST_OK;
    return notes_add(&v->notes, err,
                     "%s[%d]: expected 0 to %d, found %lld; such tokens, %d of them, are taken for "
                     "ordinary ones",
                     key, first, VOCAB_BYTE, (long long)gguf_i64_at(kv, (uint64_t)first), unknown);
}

static bool text_is(struct gguf_str text, const char *s)
{
    return text.n == strlen(s) && !memcmp(text.s, s, text.n);
}

/* ---- special tokens in a text ------------------------------------------------------------ */

/* Phi-3's tokens swallow the white space after them. Nothing in the file says so but its name. */
static bool strips_right(const struct gguf *g)
{
    struct gguf_str name = {"", 0};
    if (gguf_read_str(g, "general.name", false, &name, NULL) != ST_OK) return false;
    for (size_t i = 0; i + 4 <= name.n; i++)
        if (!strncasecmp(name.s + i, "phi3", 4) ||
            (i + 5 <= name.n && !strncasecmp(name.s + i, "phi-3", 5)))
            return true;
    return false;
}

static bool found_in_text(enum vocab_kind kind)
{
    return kind == VOCAB_CONTROL || kind == VOCAB_UNKNOWN || kind == VOCAB_USER_DEFINED;
}

static enum status collect_special(struct vocab *v, const struct gguf *g, struct err *err)
{
    size_t n = 0;
    for (int32_t i = 0; i < v->n; i++) n += found_in_text(vocab_kind(v, i)) && v->texts[i].n;
    struct special_entry *entries = calloc(n ? n : 1, sizeof *entries);
    if (!entries) return err_memory(err, "%zu special tokens", n);
    bool strip = strips_right(g);
    n = 0;
    for (int32_t i = 0; i < v->n; i++) {
        struct gguf_str text;
        if (!found_in_text(vocab_kind(v, i))) continue;
        text.s = vocab_piece(v, i, &text.n);
        if (!text.n) continue;
        bool keeps =
            text_is(text, "<s>") || text_is(text, "<unk>") || text_is(text, "<|endoftext|>");
        entries[n++] = (struct special_entry){.id = i,
                                              .text = text,
                                              .always = vocab_kind(v, i) == VOCAB_USER_DEFINED,
                                              .strip_right = strip && !keeps};
    }
    return special_init(&v->special, entries, n, err);
}

/* ---- pieces ------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

/* The byte that "<0xNN>" names, -1 for another text. */
static int named_byte(struct gguf_str text)
{
    if (text.n != 6 || memcmp(text.s, "<0x", 3) || text.s[5] != '>') return -1;
    int high = hex_digit(text.s[3]), low = hex_digit(text.s[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static size_t unmark_spaces(struct gguf_str text, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool mark = i + 3 <= text.n && !memcmp(text.s + i, SPM_SPACE, 3);
        out[at++] = mark ? ' ' : text.s[i];
        if (mark) i += 2;
    }
    return at;
}

/* Write the bytes a token stands for, at most as many as its text has. SentencePiece writes the
 * spaces of user-defined tokens as marks, too; newer conversions of Gemma have undone that. */
static size_t write_piece(const struct vocab *v, int32_t id, char *out)
{
    const struct gguf_str text = v->texts[id];
    const enum vocab_kind kind = vocab_kind(v, id);
    if (kind == VOCAB_UNUSED) return 0;
    if (kind == VOCAB_BYTE && named_byte(text) >= 0) {
        *out = (char)named_byte(text);
        return 1;
    }
    const bool ordinary = kind == VOCAB_NORMAL || kind == VOCAB_BYTE;
    if (v->pretok && ordinary) return bytemap_decode(text.s, text.n, out);
    if (!v->pretok && (ordinary || kind == VOCAB_USER_DEFINED)) return unmark_spaces(text, out);
    memcpy(out, text.s, text.n);
    return text.n;
}

static enum status make_pieces(struct vocab *v, size_t bytes, struct err *err)
{
    v->pieces = malloc(bytes ? bytes : 1);
    v->piece_at = malloc(((size_t)v->n + 1) * sizeof *v->piece_at);
    if (!v->pieces || !v->piece_at) return err_memory(err, "the texts of %d tokens", v->n);
    size_t at = 0;
    for (int32_t i = 0; i < v->n; i++) {
        v->piece_at[i] = (uint32_t)at;
        at += write_piece(v, i, v->pieces + at);
    }
    v->piece_at[v->n] = (uint32_t)at;
    return ST_OK;
}

static bool is_padding(const struct vocab *v, int32_t id)
{
    if (vocab_kind(v, id) == VOCAB_UNUSED) return true;
    struct gguf_str text = v->texts[id];
    if (text.n < 6 || memcmp(text.s, "[PAD", 4) || text.s[text.n - 1] != ']') return false;
    for (size_t i = 4; i < text.n - 1; i++)
        if (!isdigit((unsigned char)text.s[i])) return false;
    return true;
}

/* ---- the two kinds ----------------------------------------------------------------------- */

static enum status read_scores(const struct vocab *v, const struct gguf *g, float **out,
                               struct err *err)
{
    const struct gguf_kv *kv;
    *out = NULL;
    TRY(find_numbers(v, g, "tokenizer.ggml.scores", "scores", &kv, err));
    if (!kv) return ST_OK;
    *out = malloc((size_t)v->n * sizeof **out);
    if (!*out) return err_memory(err, "tokenizer.ggml.scores, %d of them", v->n);
    for (int32_t i = 0; i < v->n; i++) (*out)[i] = (float)gguf_f64_at(kv, (uint64_t)i);
    return ST_OK;
}

static enum status read_spm(struct vocab *v, const struct gguf *g, struct err *err)
{
    v->specials.add_bos = v->specials.space_prefix = true;
    v->specials.unk = 0;
    if (v->n > 2) {
        v->specials.bos = 1;
        v->specials.eos = 2;
    }
    float *scores;
    TRY(read_scores(v, g, &scores, err));
    enum status st = spm_init(&v->spm, scores, (size_t)v->n, &v->lex, err);
    free(scores);
    return st;
}

static enum status read_bpe(struct vocab *v, const struct gguf *g, struct err *err)
{
    struct gguf_str pre = {"", 0};
    const struct gguf_kv *merges;
    TRY(gguf_read_str(g, "tokenizer.ggml.pre", false, &pre, err));
    TRY(pretok_open(pre.s, pre.n, &v->pretok, err));
    if (!pre.n) {
        v->pre_absent = true;
        TRY(notes_add(
            &v->notes, err,
            "tokenizer.ggml.pre: absent; texts are cut into words by \"%s\", which is not "
            "how the model was trained, so what it writes may suffer; a newer conversion "
            "of the model names its own",
            vocab_pre(v)));
    }
    TRY(gguf_find_array(g, "tokenizer.ggml.merges", GGUF_STRING, true, &merges, err));
    TRY(bpe_init(&v->bpe, merges, &v->lex, (size_t)v->n, err));
    v->bpe.whole_words = pretok_rules(v->pretok)->whole_words;
    v->specials.add_bos = pretok_rules(v->pretok)->add_bos;
    return ST_OK;
}

static enum status read_all(struct vocab *v, const struct gguf *g, struct err *err)
{
    struct gguf_str model;
    const struct gguf_kv *tokens;
    size_t bytes = 0;
    TRY(gguf_read_str(g, "tokenizer.ggml.model", true, &model, err));
    bool spm = text_is(model, "llama");
    if (!spm && !text_is(model, "gpt2"))
        return err_set(err, ST_SUPPORT,
                       "tokenizer.ggml.model: expected \"llama\" or \"gpt2\", found \"%.*s\"",
                       (int)(model.n < 40 ? model.n : 40), model.s);
    TRY(gguf_find_array(g, "tokenizer.ggml.tokens", GGUF_STRING, true, &tokens, err));
    TRY(read_texts(v, tokens, &bytes, err));
    TRY(read_kinds(v, g, err));
    TRY(spm ? read_spm(v, g, err) : read_bpe(v, g, err));
    TRY(vocab_read_specials(v, g, err));
    v->spm.unk = v->specials.unk;
    TRY(make_pieces(v, bytes, err));
    TRY(collect_special(v, g, err));
    for (v->real = v->n; v->real && is_padding(v, v->real - 1);) v->real--;
    if (!v->real)
        return err_set(err, ST_FORMAT,
                       "tokenizer.ggml.token_type: expected at least one token in use, found %d of "
                       "padding alone",
                       v->n);
    return ST_OK;
}

enum status vocab_open(const struct gguf *g, struct vocab **out, struct err *err)
{
    struct vocab *v = calloc(1, sizeof *v);
    if (!v) return err_memory(err, "a vocabulary");
    struct vocab_specials *s = &v->specials;
    s->bos = s->eos = s->eot = s->eom = s->unk = s->pad = s->sep = VOCAB_NONE;
    enum status st = read_all(v, g, err);
    if (st == ST_OK)
        *out = v;
    else
        vocab_close(v);
    return st;
}
