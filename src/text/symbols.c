#include "text/symbols.h"

#include <stdlib.h>
#include <string.h>

int32_t symbols_find(const struct symbols *s, const char *text, size_t n)
{
    int32_t id = lexicon_find(s->tokens, text, n);
    if (id >= 0 || !s->n) return id;
    id = lexicon_find(&s->others, text, n);
    return id < 0 ? id : SYMBOLS_FIRST + id;
}

/* Twice the room; the index is built anew, for it points to the texts. */
static enum status grow(struct symbols *s, struct err *err)
{
    const size_t cap = s->cap ? 2 * s->cap : 64;
    if (cap > SYMBOLS_MAX)
        return err_set(err, ST_FORMAT,
                       "tokenizer.ggml.merges: more than %zu texts are no tokens; at most %d fit",
                       s->n, SYMBOLS_MAX);
    struct gguf_str *texts = realloc(s->texts, cap * sizeof *texts);
    if (!texts) return err_set(err, ST_MEMORY, "tokenizer.ggml.merges: cannot hold %zu texts", cap);
    s->texts = texts;
    s->cap = cap;
    lexicon_deinit(&s->others);
    TRY(lexicon_init(&s->others, texts, cap, err));
    for (size_t i = 0; i < s->n; i++) TRY(lexicon_add(&s->others, (int32_t)i, err));
    return ST_OK;
}

enum status symbols_add(struct symbols *s, const char *text, size_t n, int32_t *out,
                        struct err *err)
{
    *out = symbols_find(s, text, n);
    if (*out >= 0) return ST_OK;
    if (s->n == s->cap) TRY(grow(s, err));
    char *copy = malloc(n ? n : 1);
    if (!copy) return err_set(err, ST_MEMORY, "tokenizer.ggml.merges: cannot hold a text");
    memcpy(copy, text, n);
    const int32_t id = (int32_t)s->n++;
    s->texts[id] = (struct gguf_str){copy, n};
    *out = SYMBOLS_FIRST + id;
    return lexicon_add(&s->others, id, err);
}

void symbols_deinit(struct symbols *s)
{
    for (size_t i = 0; i < s->n; i++) free((char *)s->texts[i].s);
    free(s->texts);
    lexicon_deinit(&s->others);
    *s = (struct symbols){0};
}
