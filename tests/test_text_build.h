/*
 * Small vocabularies made in memory, so that a clone without the golden files still tests the
 * tokenizers: a writer of GGUF metadata, and one vocabulary of each kind whose every id is known.
 */
#ifndef EAD_TEST_TEXT_BUILD_H
#define EAD_TEST_TEXT_BUILD_H

#include "base/buf.h"
#include "format/gguf.h"
#include "text/bytemap.h"
#include "text/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct build {
    struct buf bytes;
    uint64_t n_kv;
};

static inline void build_raw(struct build *b, const void *bytes, size_t n)
{
    if (buf_add(&b->bytes, bytes, n) != ST_OK) abort();
}

static inline void build_u32(struct build *b, uint32_t x)
{
    build_raw(b, &x, 4);
}

static inline void build_u64(struct build *b, uint64_t x)
{
    build_raw(b, &x, 8);
}

static inline void build_text(struct build *b, const char *s, size_t n)
{
    build_u64(b, n);
    build_raw(b, s, n);
}

static inline void build_key(struct build *b, const char *key, enum gguf_type type)
{
    if (!b->bytes.len) { /* header: no tensors, the count of pairs is filled in at the end */
        build_raw(b, "GGUF", 4);
        build_u32(b, 3);
        build_u64(b, 0);
        build_u64(b, 0);
    }
    build_text(b, key, strlen(key));
    build_u32(b, (uint32_t)type);
    b->n_kv++;
}

static inline void build_str(struct build *b, const char *key, const char *value)
{
    build_key(b, key, GGUF_STRING);
    build_text(b, value, strlen(value));
}

static inline void build_id(struct build *b, const char *key, uint32_t value)
{
    build_key(b, key, GGUF_U32);
    build_u32(b, value);
}

static inline void build_flag(struct build *b, const char *key, bool value)
{
    build_key(b, key, GGUF_BOOL);
    build_raw(b, &(uint8_t){value}, 1);
}

static inline void build_array(struct build *b, const char *key, enum gguf_type elem, uint64_t n)
{
    build_key(b, key, GGUF_ARRAY);
    build_u32(b, (uint32_t)elem);
    build_u64(b, n);
}

static inline void build_end(struct build *b)
{
    memcpy(b->bytes.data + 16, &b->n_kv, 8);
}

/* ---- token lists ------------------------------------------------------------------------- */

enum { TOKENS_MAX = 512 };

struct tokens {
    int n;
    char text[TOKENS_MAX][24];
    int32_t kind[TOKENS_MAX];
    float score[TOKENS_MAX];
};

static inline void token_add(struct tokens *t, const char *text, int32_t kind, float score)
{
    snprintf(t->text[t->n], sizeof t->text[0], "%s", text);
    t->kind[t->n] = kind;
    t->score[t->n++] = score;
}

static inline void build_tokens(struct build *b, const struct tokens *t, bool scores)
{
    build_array(b, "tokenizer.ggml.tokens", GGUF_STRING, (uint64_t)t->n);
    for (int i = 0; i < t->n; i++) build_text(b, t->text[i], strlen(t->text[i]));
    build_array(b, "tokenizer.ggml.token_type", GGUF_I32, (uint64_t)t->n);
    build_raw(b, t->kind, 4 * (size_t)t->n);
    if (!scores) return;
    build_array(b, "tokenizer.ggml.scores", GGUF_F32, (uint64_t)t->n);
    build_raw(b, t->score, 4 * (size_t)t->n);
}

/* SentencePiece: 0 <unk>, 1 <s>, 2 </s>, 3 to 258 the bytes, then pieces, whose scores are minus
 * their place in this list, then 285 "<|user|>" (control) and 286 "<tag>" (user-defined). */
enum { SPM_FIRST = 259, SPM_USER = 285, SPM_TAG = 286, SPM_SIZE = 287 };
static const char *const spm_pieces[] = {"\342\226\201",
                                         "e",
                                         "t",
                                         "a",
                                         "o",
                                         "n",
                                         "h",
                                         "l",
                                         "s",
                                         "r",
                                         "\303\251",
                                         "\342\226\201\342\226\201",
                                         "he",
                                         "\342\226\201t",
                                         "ll",
                                         "\342\226\201the",
                                         "hell",
                                         "hello",
                                         "\342\226\201a",
                                         "an",
                                         "lo",
                                         "\342\226\201s",
                                         "\342\226\201he",
                                         "llo",
                                         "on",
                                         "\342\226\201hello"};

static inline void tokens_spm(struct tokens *t)
{
    char name[24];
    t->n = 0;
    token_add(t, "<unk>", VOCAB_UNKNOWN, 0);
    token_add(t, "<s>", VOCAB_CONTROL, 0);
    token_add(t, "</s>", VOCAB_CONTROL, 0);
    for (int i = 0; i < 256; i++) {
        snprintf(name, sizeof name, "<0x%02X>", i);
        token_add(t, name, VOCAB_BYTE, 0);
    }
    int n = (int)(sizeof spm_pieces / sizeof *spm_pieces);
    /* Longer pieces come later and score lower, as in trained vocabularies, but for the single
     * characters, which never merge from anything. */
    for (int i = 0; i < n; i++) token_add(t, spm_pieces[i], VOCAB_NORMAL, (float)-i);
    token_add(t, "<|user|>", VOCAB_CONTROL, 0);
    token_add(t, "<tag>", VOCAB_USER_DEFINED, 0);
}

static inline void build_spm(struct build *b)
{
    static const char model[] = "llama";
    struct tokens *t = malloc(sizeof *t);
    if (!t) abort();
    tokens_spm(t);
    build_str(b, "tokenizer.ggml.model", model);
    build_tokens(b, t, true);
    build_end(b);
    free(t);
}

/* Byte-level BPE: 0 to 255 the letters of the bytes, then one token per merge, then 273 "qqq",
 * which no merge makes, 274 "<|im_start|>" and 275 "<|im_end|>" (control), 276 "<tag>"
 * (user-defined), 277 to 280 padding. */
enum {
    BPE_FIRST = 256,
    BPE_WHOLE = 273,
    BPE_START,
    BPE_END,
    BPE_TAG,
    BPE_REAL,
    BPE_SIZE = BPE_REAL + 4
};
static const char *const bpe_merges[] = {"h e",
                                         "l l",
                                         "he ll",
                                         "hell o",
                                         "\xc4\xa0 hello",
                                         "\xc4\xa0 a",
                                         "1 2",
                                         "12 3",
                                         "\xc4\xa0 \xc4\xa0",
                                         "\xc4\x8a \xc4\x8a",
                                         "' s",
                                         "i n",
                                         "in g",
                                         "\xc3\xa3 \xc4\xa3",
                                         "! !",
                                         "y z",
                                         "x y"};

static inline void tokens_bpe(struct tokens *t)
{
    t->n = 0;
    for (int i = 0; i < 256; i++) {
        char letter[3] = "";
        bytemap_letter((uint8_t)i, letter);
        token_add(t, letter, VOCAB_NORMAL, 0);
    }
    for (size_t i = 0; i < sizeof bpe_merges / sizeof *bpe_merges; i++) {
        char whole[24] = "";
        const char *space = strchr(bpe_merges[i], ' ');
        snprintf(whole, sizeof whole, "%.*s%s", (int)(space - bpe_merges[i]), bpe_merges[i],
                 space + 1);
        token_add(t, whole, VOCAB_NORMAL, 0);
    }
    token_add(t, "qqq", VOCAB_NORMAL, 0);
    token_add(t, "<|im_start|>", VOCAB_CONTROL, 0);
    token_add(t, "<|im_end|>", VOCAB_CONTROL, 0);
    token_add(t, "<tag>", VOCAB_USER_DEFINED, 0);
    for (int i = 0; i < 2; i++) token_add(t, i ? "[PAD278]" : "[PAD277]", VOCAB_USER_DEFINED, 0);
    for (int i = 0; i < 2; i++) token_add(t, i ? "spare1" : "spare0", VOCAB_UNUSED, 0);
}

/* The same, to be changed and freed. */
static inline struct tokens *tokens_bpe_new(void)
{
    struct tokens *t = malloc(sizeof *t);
    if (!t) abort();
    tokens_bpe(t);
    return t;
}

static inline void build_merges(struct build *b)
{
    size_t n = sizeof bpe_merges / sizeof *bpe_merges;
    build_array(b, "tokenizer.ggml.merges", GGUF_STRING, n);
    for (size_t i = 0; i < n; i++) build_text(b, bpe_merges[i], strlen(bpe_merges[i]));
}

/* A vocabulary of these tokens, but for its special ids and its end; pre may be NULL. */
static inline void build_bpe_of(struct build *b, const char *pre, struct tokens *t)
{
    build_str(b, "tokenizer.ggml.model", "gpt2");
    if (pre) build_str(b, "tokenizer.ggml.pre", pre);
    build_tokens(b, t, false);
    build_merges(b);
}

static inline void build_bpe(struct build *b, const char *pre)
{
    struct tokens *t = tokens_bpe_new();
    build_bpe_of(b, pre, t);
    build_id(b, "tokenizer.ggml.bos_token_id", BPE_START);
    build_id(b, "tokenizer.ggml.eos_token_id", BPE_END);
    build_end(b);
    free(t);
}

/* A vocabulary with everything it borrows. */
struct held {
    struct build build;
    struct gguf *gguf;
    struct vocab *vocab;
};

/* Open what was built; false with the reason in `err`. */
static inline bool held_open(struct held *h, struct err *err)
{
    return gguf_open_memory(h->build.bytes.data, h->build.bytes.len, &h->gguf, err) == ST_OK &&
           vocab_open(h->gguf, &h->vocab, err) == ST_OK;
}

static inline void held_close(struct held *h)
{
    vocab_close(h->vocab);
    if (h->gguf) gguf_close(h->gguf);
    buf_deinit(&h->build.bytes);
    *h = (struct held){0};
}

#endif
