#include "text/spm.h"

#include "base/check.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 3 }; /* of SPM_SPACE */

/* A number that grows as the score falls, so that the highest score merges first. The bits of a
 * float order like an integer once negative ones are flipped; -0 and 0 are made one, NaN is last.
 */
static uint32_t order_of(float score)
{
    uint32_t bits;
    score += 0.0f;
    if (isnan(score)) return UINT32_MAX;
    memcpy(&bits, &score, sizeof bits);
    return ~(bits >> 31 ? ~bits : bits | 0x80000000u);
}

static bool has_inner_space(struct gguf_str text)
{
    for (size_t i = 1; i + MARK_BYTES <= text.n; i++)
        if (!memcmp(text.s + i, SPM_SPACE, MARK_BYTES) &&
            (i < MARK_BYTES || memcmp(text.s + i - MARK_BYTES, SPM_SPACE, MARK_BYTES)))
            return true;
    return false;
}

static int32_t find_byte(const struct lexicon *lex, unsigned byte)
{
    char name[8];
    snprintf(name, sizeof name, "<0x%02X>", byte & 0xff);
    int32_t id = lexicon_find(lex, name, 6);
    if (id >= 0) return id;
    name[0] = (char)byte;
    return lexicon_find(lex, name, 1);
}

enum status spm_init(struct spm *spm, const float *scores, size_t n_tokens,
                     const struct lexicon *lex, struct err *err)
{
    *spm = (struct spm){.unk = -1, .breaks = true, .lex = lex};
    spm->orders = malloc((n_tokens ? n_tokens : 1) * sizeof *spm->orders);
    if (!spm->orders) return err_memory(err, "tokenizer.ggml.scores, %zu of them", n_tokens);
    for (size_t i = 0; i < n_tokens; i++) {
        spm->orders[i] = order_of(scores ? scores[i] : 0);
        if (lex->texts[i].n > spm->longest) spm->longest = lex->texts[i].n;
        if (spm->breaks && has_inner_space(lex->texts[i])) spm->breaks = false;
    }
    for (unsigned b = 0; b < 256; b++) spm->byte_ids[b] = find_byte(lex, b);
    return ST_OK;
}

void spm_deinit(struct spm *spm)
{
    free(spm->orders);
    *spm = (struct spm){0};
}

struct spm_text {
    const struct spm *spm;
    const char *s; /* spaces are marks here */
};

static bool spm_rule(const void *context, const struct merge_symbol *left,
                     const struct merge_symbol *right, uint32_t *order, int32_t *id)
{
    const struct spm_text *text = context;
    size_t n = (size_t)left->n + right->n;
    if (n > text->spm->longest) return false;
    *id = lexicon_find(text->spm->lex, text->s + left->at, n);
    if (*id < 0) return false;
    *order = text->spm->orders[*id];
    return true;
}

/* Bytes of the first symbol of s. A byte that is not UTF-8 stands alone, so that it cannot swallow
 * a space mark behind it. */
static size_t symbol_bytes(const char *s, size_t n)
{
    int len = utf8_char(s, n);
    return len > 0 ? (size_t)len : 1;
}

static enum status emit_symbol(const struct spm *spm, const char *s, const struct merge_symbol *sym,
                               struct ids *out)
{
    if (sym->id >= 0) return ids_add(out, sym->id);
    for (uint32_t i = 0; i < sym->n; i++) {
        int32_t id = spm->byte_ids[(uint8_t)s[sym->at + i]];
        if (id < 0) id = spm->unk;
        if (id >= 0) TRY(ids_add(out, id));
    }
    return ST_OK;
}

/* Encode n bytes in which spaces are marks already. */
static enum status encode_marked(const struct spm *spm, struct merge *work, const char *s, size_t n,
                                 struct ids *out)
{
    CHECK(n <= INT32_MAX);
    merge_clear(work);
    for (size_t at = 0; at < n;) {
        size_t len = symbol_bytes(s + at, n - at);
        TRY(merge_add(work, (uint32_t)at, (uint32_t)len, lexicon_find(spm->lex, s + at, len)));
        at += len;
    }
    TRY(merge_run(work, spm_rule, &(struct spm_text){spm, s}));
    for (int32_t i = n ? 0 : -1; i >= 0; i = work->symbols[i].next)
        TRY(emit_symbol(spm, s, &work->symbols[i], out));
    return ST_OK;
}

/* The end of the stretch that starts at `at` and can be encoded on its own. Where no token has a
 * space mark after another character, no merge reaches across such a place, and the pieces between
 * are short: they stay in the cache, and the heap stays shallow. */
static size_t stretch_end(const struct spm *spm, const char *s, size_t at, size_t n)
{
    if (!spm->breaks) return n;
    bool marks = true; /* inside the run of marks that begins the stretch */
    while (at < n) {
        size_t len = symbol_bytes(s + at, n - at);
        bool mark = len == MARK_BYTES && !memcmp(s + at, SPM_SPACE, MARK_BYTES);
        if (mark && !marks) return at;
        marks = mark;
        at += len;
    }
    return n;
}

/* A copy of the text with a mark for every space and for the prefix; NULL without memory. */
static char *mark_spaces(const char *text, size_t n, bool prefix, size_t *out_n)
{
    size_t spaces = prefix, at = 0;
    for (size_t i = 0; i < n; i++) spaces += text[i] == ' ';
    *out_n = n - (spaces - prefix) + MARK_BYTES * spaces;
    char *marked = malloc(*out_n ? *out_n : 1);
    if (!marked) return NULL;
    if (prefix) {
        memcpy(marked, SPM_SPACE, MARK_BYTES);
        at = MARK_BYTES;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] != ' ') {
            marked[at++] = text[i];
            continue;
        }
        memcpy(marked + at, SPM_SPACE, MARK_BYTES);
        at += MARK_BYTES;
    }
    return marked;
}

enum status spm_encode(const struct spm *spm, struct merge *work, const char *text, size_t n,
                       bool prefix, struct ids *out)
{
    size_t len;
    char *marked = mark_spaces(text, n, prefix, &len);
    if (!marked) return ST_MEMORY;
    enum status st = ST_OK;
    for (size_t at = 0, end; at < len && st == ST_OK; at = end) {
        end = stretch_end(spm, marked, at, len);
        st = encode_marked(spm, work, marked + at, end - at, out);
    }
    free(marked);
    return st;
}
