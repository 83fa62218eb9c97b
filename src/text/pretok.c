#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pretok.h"

#include "base/check.h"
#include "base/utf8.h"
#include "text/pretok_table.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* What stands for a byte that is not UTF-8 while the expressions look at the text. */
enum { SUBSTITUTE = 0x1a };

struct pretok {
    const struct pretok_rules *rules;
    const struct pretok_family *family;
    pcre2_code *steps[PRETOK_STEPS_MAX];
    size_t n_steps;
    pcre2_match_context *limits;
};

static enum status unknown_name(const char *name, size_t n, struct err *err)
{
    char known[ERR_MESSAGE_MAX];
    size_t at = 0;
    for (size_t i = 0; pretok_table_at(i); i++) {
        const char *entry = pretok_table_at(i)->rules.name;
        size_t len = strlen(entry);
        if (at + len + 2 > sizeof known) break;
        memcpy(known + at, entry, len);
        at += len;
        known[at++] = ' ';
    }
    known[at ? at - 1 : 0] = 0;
    return err_set(err, ST_SUPPORT, "tokenizer.ggml.pre: \"%.*s\" is not known; known are: %s",
                   (int)(n < 40 ? n : 40), name, known);
}

/* Compile one step. Without just-in-time compilation the same code runs interpreted. */
static enum status add_step(struct pretok *p, const char *pattern, struct err *err)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *step = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP, &code, &at, NULL);
    if (!step && code == PCRE2_ERROR_HEAP_FAILED)
        return err_set(err, ST_MEMORY, "no memory for the expressions of pre-tokenizer \"%s\"",
                       p->rules->name);
    if (!step)
        return err_set(
            err, ST_SUPPORT,
            "tokenizer.ggml.pre: this PCRE2 refuses the expression of \"%s\" (error %d at "
            "%zu)",
            p->rules->name, code, (size_t)at);
    (void)pcre2_jit_compile(step, PCRE2_JIT_COMPLETE);
    p->steps[p->n_steps++] = step;
    return ST_OK;
}

enum status pretok_open(const char *name, size_t n, struct pretok **out, struct err *err)
{
    const struct pretok_entry *entry =
        n ? pretok_table_find(name, n) : pretok_table_find("default", 7);
    if (!entry) return unknown_name(name, n, err);
    struct pretok *p = calloc(1, sizeof *p);
    if (!p) return err_memory(err, "a pre-tokenizer");
    p->rules = &entry->rules;
    p->family = entry->family;
    enum status st = ST_OK;
    p->limits = pcre2_match_context_create(NULL);
    if (!p->limits) {
        st = err_memory(err, "a pre-tokenizer");
    } else {
        /* No expression backtracks more than its match is long, so a limit would only make long
         * runs of spaces fail. */
        pcre2_set_match_limit(p->limits, UINT32_MAX);
        pcre2_set_depth_limit(p->limits, UINT32_MAX);
    }
    for (size_t i = 0; entry->family->steps[i] && st == ST_OK; i++)
        st = add_step(p, entry->family->steps[i], err);
    if (st == ST_OK)
        *out = p;
    else
        pretok_close(p);
    return st;
}

void pretok_close(struct pretok *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n_steps; i++) pcre2_code_free(p->steps[i]);
    pcre2_match_context_free(p->limits);
    free(p);
}

const struct pretok_rules *pretok_rules(const struct pretok *p)
{
    return p->rules;
}

bool pretok_same(const struct pretok *a, const struct pretok *b)
{
    return a->family == b->family && a->rules->composes == b->rules->composes;
}

struct split {
    const struct pretok *p;
    const char *text;    /* what the words point into */
    const char *subject; /* what the expressions see: the same length, and UTF-8 */
    pcre2_match_data *match;
    pretok_word *word;
    void *context;
    struct err *err;
};

/* The first match of a step in [begin, end) from `at` on; *found is false when there is none. */
static enum status match_step(const struct split *s, size_t step, size_t begin, size_t end,
                              size_t at, size_t *low, size_t *high, bool *found)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)s->subject + begin;
    const pcre2_code *code = s->p->steps[step];
    int rc = pcre2_match(code, subject, end - begin, at - begin, PCRE2_NO_UTF_CHECK, s->match,
                         s->p->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, subject, end - begin, at - begin, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                         s->match, s->p->limits);
    *found = rc >= 0;
    if (rc == PCRE2_ERROR_NOMATCH) return ST_OK;
    if (rc < 0)
        return err_set(s->err, ST_MEMORY,
                       "pre-tokenizer \"%s\": matching stopped with PCRE2 error %d",
                       s->p->rules->name, rc);
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(s->match);
    *low = begin + range[0];
    *high = begin + range[1];
    CHECK(at <= *low && *low <= *high && *high <= end);
    return ST_OK;
}

static enum status split_piece(const struct split *s, size_t step, size_t begin, size_t end);

static size_t count_characters(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t at = 0; at < n; count++) at += (size_t)utf8_char(s + at, n - at);
    return count;
}

/* Hand a match to the next step: whole, or the digits of a number in threes, the first of them
 * shorter. */
static enum status split_match(const struct split *s, size_t step, size_t begin, size_t end)
{
    if (step + 1 != s->p->family->threes) return split_piece(s, step + 1, begin, end);
    size_t group = count_characters(s->subject + begin, end - begin) % 3;
    if (!group) group = 3;
    for (size_t from = begin, at = begin; at < end; from = at, group = 3) {
        for (; group; group--) at += (size_t)utf8_char(s->subject + at, end - at);
        TRY(split_piece(s, step + 1, from, at));
    }
    return ST_OK;
}

static enum status split_piece(const struct split *s, size_t step, size_t begin, size_t end)
{
    if (begin == end) return ST_OK;
    if (step == s->p->n_steps) return s->word(s->context, s->text + begin, end - begin);
    size_t at = begin, low, high;
    while (at < end) {
        bool found;
        TRY(match_step(s, step, begin, end, at, &low, &high, &found));
        /* No expression matches nothing; if one did, it could never end. */
        if (!found || high <= low) break;
        TRY(split_piece(s, step + 1, at, low));
        TRY(split_match(s, step, low, high));
        at = high;
    }
    return split_piece(s, step + 1, at, end);
}

/* The text itself when it is UTF-8, else a copy (*owned) with SUBSTITUTE for every bad byte. */
static enum status make_subject(const char *text, size_t n, const char **subject, char **owned)
{
    *subject = text;
    *owned = NULL;
    for (size_t at = 0; at < n;) {
        int len = utf8_char(text + at, n - at);
        if (len <= 0) {
            if (!*owned) {
                *owned = malloc(n);
                if (!*owned) return ST_MEMORY;
                memcpy(*owned, text, n);
                *subject = *owned;
            }
            (*owned)[at] = SUBSTITUTE;
            len = 1;
        }
        at += (size_t)len;
    }
    return ST_OK;
}

enum status pretok_split(const struct pretok *p, const char *text, size_t n, pretok_word *word,
                         void *context, struct err *err)
{
    struct split s = {.p = p, .text = text, .word = word, .context = context, .err = err};
    char *owned;
    if (make_subject(text, n, &s.subject, &owned) != ST_OK)
        return err_memory(err, "a copy of a text of %zu bytes", n);
    s.match = pcre2_match_data_create(1, NULL);
    enum status st = s.match ? split_piece(&s, 0, 0, n) : err_memory(err, "a match");
    pcre2_match_data_free(s.match);
    free(owned);
    return st;
}
