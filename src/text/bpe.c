#include "text/bpe.h"

#include "base/check.h"
#include "text/bytemap.h"
#include "text/symbols.h"

#include <stdlib.h>
#include <string.h>

enum { PROBES_MAX = 1024, WHOLE_MAX = 4096 };

static struct bpe_slot *find_slot(const struct bpe *bpe, int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u >> 20;
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct bpe_slot *slot = &bpe->slots[(h + i) & bpe->mask];
        if (slot->left < 0 || (slot->left == left && slot->right == right)) return slot;
    }
    return NULL;
}

/* The parts of a merge: the space between them is the first after the first byte, which may be a
 * space itself in vocabularies that are not byte-level. */
static bool split_merge(struct gguf_str text, struct gguf_str *left, struct gguf_str *right)
{
    const char *space = text.n < 2 ? NULL : memchr(text.s + 1, ' ', text.n - 1);
    if (!space) return false;
    size_t at = (size_t)(space - text.s);
    *left = (struct gguf_str){text.s, at};
    *right = (struct gguf_str){space + 1, text.n - at - 1};
    return true;
}

static bool is_both(const struct gguf_str *text, struct gguf_str left, struct gguf_str right)
{
    return text->n == left.n + right.n && !memcmp(text->s, left.s, left.n) &&
           !memcmp(text->s + left.n, right.s, right.n);
}

/* The number of both parts together, -1 where they are too long for one. Trainers number tokens in
 * the order they merge, and converters list all merges to one token together: so it is nearly
 * always `last`, the one found before, or the next, which saves a look-up in cold memory. */
static enum status find_whole(struct symbols *symbols, size_t n_tokens, struct gguf_str left,
                              struct gguf_str right, int32_t last, int32_t *out, struct err *err)
{
    for (int32_t id = last < 0 ? 0 : last; id <= last + 1 && (size_t)id < n_tokens; id++)
        if (is_both(&symbols->tokens->texts[id], left, right)) {
            *out = id;
            return ST_OK;
        }
    char whole[WHOLE_MAX];
    *out = -1;
    if (left.n + right.n > sizeof whole) return ST_OK;
    memcpy(whole, left.s, left.n);
    memcpy(whole + left.n, right.s, right.n);
    return symbols_add(symbols, whole, left.n + right.n, out, err);
}

static enum status add_merge(struct bpe *bpe, struct bpe_slot merge, struct err *err)
{
    struct bpe_slot *slot = find_slot(bpe, merge.left, merge.right);
    if (!slot)
        return err_set(err, ST_FORMAT,
                       "tokenizer.ggml.merges[%u]: more than %d merges share one hash", merge.rank,
                       PROBES_MAX);
    if (slot->left < 0) *slot = merge;
    return ST_OK;
}

static enum status read_merges(struct bpe *bpe, const struct gguf_kv *merges, size_t n_tokens,
                               struct symbols *symbols, struct err *err)
{
    const uint8_t *at = merges->value;
    int32_t whole = -1;
    for (uint64_t rank = 0; rank < merges->count; rank++) {
        struct gguf_str text = gguf_next_str(&at), left, right;
        if (!split_merge(text, &left, &right))
            return err_set(err, ST_FORMAT,
                           "tokenizer.ggml.merges[%llu]: expected two texts with a space between, "
                           "found \"%.*s\"",
                           (unsigned long long)rank, (int)(text.n < 60 ? text.n : 60), text.s);
        bpe->digest = (bpe->digest ^ lexicon_hash(text.s, text.n)) * 0x9e3779b97f4a7c15u;
        struct bpe_slot merge = {.rank = (uint32_t)rank};
        TRY(symbols_add(symbols, left.s, left.n, &merge.left, err));
        TRY(symbols_add(symbols, right.s, right.n, &merge.right, err));
        TRY(find_whole(symbols, n_tokens, left, right, whole, &merge.id, err));
        if (merge.id < 0) continue;
        if (merge.id < SYMBOLS_FIRST) whole = merge.id;
        TRY(add_merge(bpe, merge, err));
    }
    return ST_OK;
}

static enum status read_with(struct bpe *bpe, const struct gguf_kv *merges, size_t n_tokens,
                             struct symbols *symbols, struct err *err)
{
    TRY(read_merges(bpe, merges, n_tokens, symbols, err));
    for (int b = 0; b < 256; b++) {
        char letter[2];
        size_t n = bytemap_letter((uint8_t)b, letter);
        bpe->byte_symbols[b] = symbols_find(symbols, letter, n);
    }
    return ST_OK;
}

enum status bpe_init(struct bpe *bpe, const struct gguf_kv *merges, const struct lexicon *lex,
                     size_t n_tokens, struct err *err)
{
    *bpe = (struct bpe){.lex = lex};
    if (merges->count > INT32_MAX)
        return err_set(err, ST_FORMAT, "tokenizer.ggml.merges: found %llu, at most 2^31-1 fit",
                       (unsigned long long)merges->count);
    size_t slots = 16;
    while (slots < 2 * merges->count) slots *= 2;
    bpe->mask = slots - 1;
    bpe->slots = malloc(slots * sizeof *bpe->slots);
    if (!bpe->slots)
        return err_memory(err, "tokenizer.ggml.merges, %llu of them",
                          (unsigned long long)merges->count);
    memset(bpe->slots, 0xff, slots * sizeof *bpe->slots); /* every left becomes -1 */
    struct symbols symbols = {.tokens = lex};
    enum status st = read_with(bpe, merges, n_tokens, &symbols, err);
    symbols_deinit(&symbols);
    if (st != ST_OK) bpe_deinit(bpe);
    return st;
}

void bpe_deinit(struct bpe *bpe)
{
    free(bpe->slots);
    *bpe = (struct bpe){0};
}

static bool bpe_rule(const void *context, const struct merge_symbol *left,
                     const struct merge_symbol *right, uint32_t *order, int32_t *id)
{
    if (left->id < 0 || right->id < 0) return false;
    const struct bpe_slot *slot = find_slot(context, left->id, right->id);
    if (!slot || slot->left < 0) return false;
    *order = slot->rank;
    *id = slot->id;
    return true;
}

/* The token whose text is the whole word, -1 when there is none. */
static int32_t find_word(const struct bpe *bpe, const char *word, size_t n)
{
    char letters[2 * BPE_WORD_WHOLE_MAX];
    if (n > BPE_WORD_WHOLE_MAX) return -1;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) len += bytemap_letter((uint8_t)word[i], letters + len);
    return lexicon_find(bpe->lex, letters, len);
}

/* A token; or, where merges ended at a text that is none, the tokens of its bytes. */
static enum status emit_symbol(const struct bpe *bpe, const char *word,
                               const struct merge_symbol *symbol, struct ids *out)
{
    if (symbol->id < SYMBOLS_FIRST) return symbol->id < 0 ? ST_OK : ids_add(out, symbol->id);
    for (uint32_t i = 0; i < symbol->n; i++) {
        const int32_t id = bpe->byte_symbols[(uint8_t)word[symbol->at + i]];
        if (id >= 0 && id < SYMBOLS_FIRST) TRY(ids_add(out, id));
    }
    return ST_OK;
}

enum status bpe_encode(const struct bpe *bpe, struct merge *work, const char *word, size_t n,
                       struct ids *out)
{
    CHECK(n <= INT32_MAX);
    if (bpe->whole_words) {
        int32_t id = find_word(bpe, word, n);
        if (id >= 0) return ids_add(out, id);
    }
    merge_clear(work);
    for (size_t i = 0; i < n; i++)
        TRY(merge_add(work, (uint32_t)i, 1, bpe->byte_symbols[(uint8_t)word[i]]));
    TRY(merge_run(work, bpe_rule, bpe));
    for (int32_t i = n ? 0 : -1; i >= 0; i = work->symbols[i].next)
        TRY(emit_symbol(bpe, word, &work->symbols[i], out));
    return ST_OK;
}

/* The lowest rank among the merges of a that b lacks or ranks otherwise. */
static uint32_t first_missing(const struct bpe *a, const struct bpe *b)
{
    uint32_t first = BPE_NO_RANK;
    for (size_t i = 0; i <= a->mask; i++) {
        const struct bpe_slot *mine = &a->slots[i];
        if (mine->left < 0 || mine->rank >= first) continue;
        const struct bpe_slot *other = find_slot(b, mine->left, mine->right);
        if (!other || other->left < 0 || other->rank != mine->rank) first = mine->rank;
    }
    return first;
}

uint32_t bpe_first_difference(const struct bpe *a, const struct bpe *b)
{
    if (a->digest == b->digest) return BPE_NO_RANK;
    uint32_t x = first_missing(a, b), y = first_missing(b, a);
    return x < y ? x : y;
}
