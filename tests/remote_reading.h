/*
 * A reader with what it handed out, and the vocabulary of 512 tokens that the answers of tests are
 * written in: "w7" is token 7, but for a few that have other texts, </s> and parts of characters
 * among them. For a program of one file.
 */
#ifndef EAD_TESTS_REMOTE_READING_H
#define EAD_TESTS_REMOTE_READING_H

#include "remote/dialect.h"
#include "remote/pieces.h"
#include "test_text_build.h"

#include <stdlib.h>
#include <string.h>

enum { READING_VOCAB = 512, READING_MAX = 64, READING_TOP_MAX = 8 };

struct reading {
    struct reader reader;
    struct remote_token tokens[READING_MAX]; /* [n]; their dist.top lies in `tops` */
    struct candidate tops[READING_MAX][READING_TOP_MAX];
    int n, most; /* it wants no more than so many */
    struct err err;
};

static inline bool reading_take(void *context, const struct remote_token *token)
{
    struct reading *r = context;
    if (r->n >= READING_MAX) abort();
    struct remote_token *t = &r->tokens[r->n];
    *t = *token;
    const int n = t->dist.n_top < READING_TOP_MAX ? t->dist.n_top : READING_TOP_MAX;
    if (n) memcpy(r->tops[r->n], t->dist.top, (size_t)n * sizeof *t->dist.top);
    t->dist.top = r->tops[r->n++];
    return r->n < r->most;
}

static inline void reading_begin(struct reading *r, const struct dialect *d, int top)
{
    *r = (struct reading){.most = READING_MAX};
    r->reader.dialect = d;
    r->reader.n_vocab = READING_VOCAB;
    r->reader.top = top;
    r->reader.take = reading_take;
    r->reader.context = r;
    reader_init(&r->reader);
}

static inline void reading_end(struct reading *r)
{
    reader_deinit(&r->reader);
}

/* A stream in pieces of `size` bytes, to its end. */
static inline enum status reading_stream(struct reading *r, const char *text, size_t n, size_t size)
{
    for (size_t at = 0; at < n; at += size) {
        const size_t piece = n - at < size ? n - at : size;
        const enum status st = reader_feed(&r->reader, text + at, piece, &r->err);
        if (st) return st;
    }
    return reader_end(&r->reader, &r->err);
}

/* ---- the vocabulary ------------------------------------------------------------------------ */

static inline const char *reading_text(int id)
{
    static const struct {
        int id;
        const char *text;
    } known[] = {{1, "</s>"},      {10, "The"},   {11, " cat"},  {12, " sat"}, {13, " on"},
                 {14, " a"},       {15, " mat"},  {16, "."},     {17, "\n"},   {22, " 4"},
                 {30, "\xf0\x9f"}, {31, "\x98"},  {32, "\x80"},  {33, " caf"}, {34, "\xc3"},
                 {35, "\xa9"},     {36, "true"},  {37, " true"}, {38, "Sto"},  {39, "p!"},
                 {510, "twice"},   {511, "twice"}};
    static char other[8];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].id == id) return known[i].text;
    snprintf(other, sizeof other, "w%d", id);
    return other;
}

/* As a byte-level vocabulary writes it. */
static inline void reading_letters(const char *text, char out[24])
{
    size_t n = 0;
    for (; *text; text++) n += bytemap_letter((uint8_t)*text, out + n);
    out[n] = 0;
}

static inline void reading_vocab(struct held *h, struct pieces **pieces)
{
    struct tokens *t = malloc(sizeof *t);
    struct err err;
    char letters[24];
    if (!t) abort();
    t->n = 0;
    for (int id = 0; id < READING_VOCAB; id++) {
        reading_letters(reading_text(id), letters);
        token_add(t, letters, id == 1 ? VOCAB_CONTROL : VOCAB_NORMAL, 0);
    }
    *h = (struct held){0};
    build_bpe_of(&h->build, "gpt-2", t);
    build_id(&h->build, "tokenizer.ggml.eos_token_id", 1);
    build_end(&h->build);
    free(t);
    if (!held_open(h, &err) || pieces_open(h->vocab, pieces, &err)) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
}

#endif
