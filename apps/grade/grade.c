#include "grade/grade.h"

#include "grade/compare.h"
#include "grade/extract.h"
#include "grade/plain.h"
#include "grade/residue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ANSWER_MAX = 2000, /* bytes; a longer text is no answer, though it may hold one */
    READING_STEPS = 4, /* for each byte, what making tokens and a tree of it costs */
};

/* ---- one reading of both answers ----------------------------------------------------------- */

/* An answer's tokens, and which of them count. */
struct reading {
    struct latex latex;
    size_t from, to;
    int letter;     /* of a choice: "(B) 12"; 0: none */
    size_t content; /* where what is behind the letter begins */
};

static int kind(const struct reading *r, size_t i)
{
    return i < r->to ? r->latex.tokens[i].kind : TOKEN_END;
}

static bool idle_front(int k)
{
    return k == '=' || k == ':' || k == '.' || k == ',' || k == '*' || k == '}' ||
           k == TOKEN_APPROX;
}

static bool idle_back(int k)
{
    return k == '.' || k == ',' || k == ';' || k == ':' || k == '*' || k == '=';
}

static bool is_one_of(const struct reading *r, size_t i, const char *const *words, int n)
{
    if (kind(r, i) != TOKEN_WORD) return false;
    const struct token *t = &r->latex.tokens[i];
    for (int w = 0; w < n; w++)
        if (t->n == strlen(words[w]) && !strncasecmp(words[w], t->s, t->n)) return true;
    return false;
}

/* Does a word stand at i that only leads up to an answer, or to a number? */
static bool idle_word(const struct reading *r, size_t i)
{
    static const char *const links[] = {"therefore", "thus", "hence", "so", "then"};
    static const char *const labels[] = {"total", "result", "solution", "range", "domain"};
    if (is_one_of(r, i, links, 5) && i + 1 < r->to) return true;
    if (is_one_of(r, i, labels, 5) && kind(r, i + 1) == ':') return true;
    static const char *const words[] = {"about",  "approximately", "exactly", "roughly",
                                        "answer", "only",          "just"};
    return is_one_of(r, i, words, 7) && kind(r, i + 1) == TOKEN_NUMBER;
}

/* "The probability is" before an answer: where it ends, or r->from. */
static size_t after_is(const struct reading *r)
{
    static const char *const words[] = {"is", "are", "equals"};
    for (size_t i = r->from; kind(r, i) == TOKEN_WORD && i + 1 < r->to; i++)
        if (is_one_of(r, i, words, 3)) return i + 1;
    return r->from;
}

/* "5 (since x > 0)", "5, because ...": where the answer ends. */
static size_t before_reason(const struct reading *r)
{
    static const char *const words[] = {"since", "because"};
    for (size_t i = r->from + 1; i < r->to; i++) {
        if (is_one_of(r, i, words, 2)) return i;
        if (kind(r, i) == '(' && is_one_of(r, i + 1, words, 2)) return i;
    }
    return r->to;
}

/* Signs around an answer that are not part of it; of a deduction the last step. */
static void narrow(struct reading *r)
{
    r->to = r->latex.n;
    for (size_t i = 0; i + 1 < r->to; i++)
        if (r->latex.tokens[i].kind == TOKEN_IMPLIES) r->from = i + 1;
    r->from = after_is(r);
    r->to = before_reason(r);
    while (r->from < r->to && (idle_front(kind(r, r->from)) || idle_word(r, r->from))) r->from++;
    while (r->to > r->from && idle_back(r->latex.tokens[r->to - 1].kind)) r->to--;
}

/* The letter of a choice: A to J, alone. */
static int choice_letter(const struct reading *r, size_t i)
{
    const int k = kind(r, i);
    if ((k != TOKEN_VAR && k != TOKEN_WORD) || r->latex.tokens[i].n != 1) return 0;
    const char c = r->latex.tokens[i].s[0];
    return c >= 'A' && c <= 'J' ? c : 0;
}

static bool choice_word(const struct reading *r, size_t i)
{
    static const char *const words[] = {"option", "choice", "answer"};
    return is_one_of(r, i, words, 3);
}

/* "(B)", "B", "Option B", "(B) 12", "B. 12", "B) 12" */
static void read_choice(struct reading *r)
{
    size_t at = r->from + choice_word(r, r->from);
    const bool open = kind(r, at) == '(';
    const int letter = choice_letter(r, at + open), after = kind(r, at + open + 1);
    r->content = r->from;
    if (!letter) return;
    if (after == TOKEN_END && !open) {
        r->letter = letter;
        r->content = r->to;
        return;
    }
    const size_t rest = at + open + 2;
    const bool last = kind(r, rest) == TOKEN_END;
    if (after != ')' && (open || (after != '.' && after != ':'))) return;
    if (!last && !open && !r->latex.tokens[rest].space) return;
    r->letter = letter;
    r->content = rest;
}

static bool all_words(const struct reading *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (kind(r, i) != TOKEN_WORD && kind(r, i) != '-') return false;
    return from < to;
}

/* Is what stands in front said once more in the brackets behind it, as in "18 (eighteen)"? Then
 * they are no part of it. */
static void drop_repetition(struct reading *r, struct work *work)
{
    size_t open = r->to;
    if (kind(r, r->to - 1) != ')') return;
    while (open > r->from && kind(r, open) != '(') open--;
    if (open == r->from) return;
    if (!all_words(r, r->from, open) && !all_words(r, open + 1, r->to - 1)) return;
    struct formula front, inside;
    if (!formula_open(&r->latex, r->from, open, &front)) return;
    if (formula_open(&r->latex, open + 1, r->to - 1, &inside)) {
        if (compare_formulas(&front, &inside, work)) r->to = open;
        formula_close(&inside);
    }
    formula_close(&front);
}

static bool reading_open(struct part part, struct latex_options options, struct work *work,
                         struct reading *out)
{
    *out = (struct reading){0};
    if (!latex_open(part.s, part.n, options, &out->latex)) return false;
    narrow(out);
    if (out->from < out->to) drop_repetition(out, work);
    read_choice(out);
    return true;
}

static bool formulas_equal(const struct reading *gold, size_t gold_from, const struct reading *pred,
                           size_t pred_from, struct work *work)
{
    struct formula g, p;
    if (!formula_open(&gold->latex, gold_from, gold->to, &g)) return false;
    bool equal = false;
    if (formula_open(&pred->latex, pred_from, pred->to, &p)) {
        equal = compare_formulas(&g, &p, work);
        formula_close(&p);
    }
    formula_close(&g);
    return equal;
}

/* Letters decide where one side has nothing else, contents where both have one. */
static bool choices_equal(const struct reading *gold, const struct reading *pred, struct work *work)
{
    const bool g = gold->content < gold->to, p = pred->content < pred->to;
    if (!gold->letter && !pred->letter) return false;
    if (gold->letter && pred->letter && !(g && p)) return gold->letter == pred->letter;
    if (gold->letter && pred->letter && gold->letter != pred->letter) return false;
    return g && p &&
           (plain_equal(&gold->latex, gold->content, gold->to, &pred->latex, pred->content,
                        pred->to) ||
            formulas_equal(gold, gold->content, pred, pred->content, work));
}

static bool readings_equal(const struct reading *gold, const struct reading *pred,
                           struct work *work)
{
    return plain_equal(&gold->latex, gold->from, gold->to, &pred->latex, pred->from, pred->to) ||
           formulas_equal(gold, gold->from, pred, pred->from, work) ||
           choices_equal(gold, pred, work);
}

/* ---- all readings -------------------------------------------------------------------------- */

static const struct {
    struct latex_options gold, pred;
} ways[] = {
    {{COMMA_GROUPS_OUTSIDE, false, false}, {COMMA_GROUPS_OUTSIDE, false, false}},
    {{COMMA_GROUPS_NEVER, false, false}, {COMMA_GROUPS_NEVER, false, false}},
    {{COMMA_GROUPS_ALWAYS, false, false}, {COMMA_GROUPS_ALWAYS, false, false}},
    {{COMMA_GROUPS_OUTSIDE, false, false}, {COMMA_GROUPS_ALWAYS, false, false}},
    {{COMMA_GROUPS_ALWAYS, false, false}, {COMMA_GROUPS_OUTSIDE, false, false}},
    {{COMMA_GROUPS_OUTSIDE, true, false}, {COMMA_GROUPS_OUTSIDE, true, false}},
    {{COMMA_GROUPS_OUTSIDE, false, true}, {COMMA_GROUPS_OUTSIDE, false, true}},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static bool way_equal(int way, struct part gold, struct part pred, struct work *work)
{
    struct reading g, p;
    if (!work_pay(work, READING_STEPS * (long)(gold.n + pred.n))) return false;
    if (!reading_open(gold, ways[way].gold, work, &g)) return false;
    bool equal = false;
    if (reading_open(pred, ways[way].pred, work, &p)) {
        equal = readings_equal(&g, &p, work);
        latex_close(&p.latex);
    }
    latex_close(&g.latex);
    return equal;
}

static bool contains(struct part part, const char *s)
{
    return memmem(part.s, part.n, s, strlen(s)) != NULL;
}

/* Can this way of reading differ from the first? */
static bool way_differs(int way, struct part gold, struct part pred)
{
    const struct latex_options *g = &ways[way].gold, *p = &ways[way].pred;
    if (g->commas != COMMA_GROUPS_OUTSIDE || p->commas != COMMA_GROUPS_OUTSIDE)
        return contains(gold, ",") || contains(pred, ",");
    if (g->scientific)
        return contains(gold, "e-") || contains(pred, "e-") || contains(gold, "E-") ||
               contains(pred, "E-");
    return true;
}

static bool parts_equal(struct part gold, struct part pred, struct work *work)
{
    if (!gold.n || !pred.n) return false;
    if (gold.n == pred.n && !memcmp(gold.s, pred.s, gold.n)) return true;
    if (gold.n > ANSWER_MAX || pred.n > ANSWER_MAX) return false;
    residue_begin(name_hash_exact(name_hash_exact(NAME_START, gold.s, gold.n), pred.s, pred.n));
    for (int way = 0; way < N_WAYS; way++)
        if (way_differs(way, gold, pred) && way_equal(way, gold, pred, work)) return true;
    return false;
}

/* ---- where the answers are ----------------------------------------------------------------- */

static struct part whole(const char *text)
{
    return extract_trim((struct part){text, strlen(text)});
}

/* A number and nothing else, as far as the eye sees. */
static bool is_number(struct part part)
{
    return part.n && !extract_count_words(part) && memchr(part.s, '=', part.n) == NULL;
}

/* Prose without a box: its last formula, or its last number where that comes later and a number is
 * asked for. */
static bool last_equal(struct part gold, const char *prose, struct work *work)
{
    struct part math, number;
    const size_t words = extract_count_words(whole(prose));
    const bool any = words >= 1 && extract_math(prose, &math);
    if (words >= 3 && is_number(gold) && extract_number(prose, &number) &&
        (!any || number.s >= math.s + math.n))
        return parts_equal(gold, number, work);
    return any && parts_equal(gold, math, work);
}

/* "The answer is 5!" is glad, and says 5; of "$5!$" it is 120. */
static bool glad_equal(struct part gold, struct part part, struct work *work)
{
    if (part.n < 2 || part.s[part.n - 1] != '!') return false;
    const char *behind = part.s + part.n + strspn(part.s + part.n, " ");
    if (*behind == '$' || *behind == '\\') return false;
    part.n--;
    return parts_equal(gold, part, work);
}

static bool prose_equal(struct part gold, const char *pred, struct work *work)
{
    struct part part;
    if (!extract_phrase(pred, &part)) return last_equal(gold, pred, work);
    char *copy = strndup(part.s, part.n);
    const bool equal = copy && (parts_equal(gold, part, work) || glad_equal(gold, part, work) ||
                                last_equal(gold, copy, work));
    free(copy);
    return equal;
}

static bool texts_equal(const char *gold, const char *pred, struct work *work)
{
    struct part g, p;
    if (!extract_box(gold, &g) && !extract_hashes(gold, &g) && !extract_phrase(gold, &g))
        g = whole(gold);
    if (extract_box(pred, &p) || extract_hashes(pred, &p)) return parts_equal(g, p, work);
    return parts_equal(g, whole(pred), work) || prose_equal(g, pred, work) ||
           (extract_last_line(pred, &p) && parts_equal(g, p, work));
}

char *grade_text(const char *bytes, size_t n)
{
    char *text = malloc(n + 1);
    if (!text) return NULL;
    for (size_t i = 0; i < n; i++) text[i] = bytes[i] ? bytes[i] : ' ';
    text[n] = 0;
    return text;
}

bool grade_equal_counted(const char *gold, const char *pred, long *steps)
{
    struct work work = {WORK_MAX};
    const bool equal = gold && pred && texts_equal(gold, pred, &work);
    *steps = WORK_MAX - work.left;
    return equal;
}

bool grade_equal(const char *gold, const char *pred)
{
    long steps;
    return grade_equal_counted(gold, pred, &steps);
}

static bool copied(bool found, struct part part, char **pred)
{
    *pred = found ? strndup(part.s, part.n) : NULL;
    return found;
}

bool grade_extract_math(const char *output, char **pred)
{
    struct part part = {0};
    const bool found = extract_box(output, &part);
    return copied(found, part, pred);
}

bool grade_extract_gsm8k(const char *output, char **pred)
{
    struct part part = {0};
    const bool found = extract_hashes(output, &part) || extract_box(output, &part) ||
                       extract_number(output, &part);
    return copied(found, part, pred);
}
