#include "text/lexicon.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { PROBES_MAX = 1024 };

/* Multiply-and-fold over eight bytes at a time: token texts are short, and a hash that walks single
 * bytes would be most of the time it takes to open a vocabulary. */
uint64_t lexicon_hash(const char *s, size_t n)
{
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t h = (n + 1) * k, word;
    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * k;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, s, n);
    h = (h ^ word) * k;
    h = (h ^ h >> 32) * k;
    return h ^ h >> 29;
}

enum status lexicon_init(struct lexicon *lex, const struct gguf_str *texts, size_t count,
                         struct err *err)
{
    size_t slots = 16;
    while (slots < 2 * count) slots *= 2;
    *lex = (struct lexicon){.mask = slots - 1, .texts = texts};
    lex->slots = malloc(slots * sizeof *lex->slots);
    if (!lex->slots) return err_memory(err, "the index of %zu token texts", count);
    memset(lex->slots, 0xff, slots * sizeof *lex->slots); /* every id becomes -1 */
    return ST_OK;
}

void lexicon_deinit(struct lexicon *lex)
{
    free(lex->slots);
    *lex = (struct lexicon){0};
}

/* The slot that holds these bytes, or the empty one where they would go; NULL after too many
 * probes. */
static struct lexicon_slot *find_slot(const struct lexicon *lex, uint32_t hash, const char *s,
                                      size_t n)
{
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct lexicon_slot *slot = &lex->slots[(hash + i) & lex->mask];
        if (slot->id < 0) return slot;
        if (slot->hash != hash) continue;
        const struct gguf_str *text = &lex->texts[slot->id];
        if (text->n == n && !memcmp(text->s, s, n)) return slot;
    }
    return NULL;
}

enum status lexicon_add(struct lexicon *lex, int32_t id, struct err *err)
{
    CHECK(id >= 0 && lex->slots);
    const struct gguf_str *text = &lex->texts[id];
    uint32_t hash = (uint32_t)lexicon_hash(text->s, text->n);
    struct lexicon_slot *slot = find_slot(lex, hash, text->s, text->n);
    if (!slot)
        return err_set(err, ST_FORMAT,
                       "tokenizer.ggml.tokens: more than %d texts up to id %d share one hash",
                       PROBES_MAX, id);
    if (slot->id < 0) *slot = (struct lexicon_slot){.hash = hash, .id = id};
    return ST_OK;
}

int32_t lexicon_find(const struct lexicon *lex, const char *s, size_t n)
{
    const struct lexicon_slot *slot = find_slot(lex, (uint32_t)lexicon_hash(s, n), s, n);
    return slot ? slot->id : -1;
}
