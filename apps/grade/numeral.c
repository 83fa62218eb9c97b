/* Numbers as they are written: mixed, with a base, as ordinals. */
#include "grade/parse.h"

#include <string.h>
#include <strings.h>

static bool whole(const struct token *t)
{
    return t->kind == TOKEN_NUMBER && !memchr(t->s, '.', t->n) && t->n < 18;
}

static struct value token_value(const struct token *t)
{
    return value_decimal(t->s, t->n, (size_t)t->code);
}

static bool proper(const struct token *top, const struct token *bottom, struct value *part)
{
    if (!whole(top) || !whole(bottom)) return false;
    const struct value a = token_value(top), b = token_value(bottom);
    if (a.n >= b.n) return false;
    *part = value_div(a, b);
    return true;
}

/* Behind a whole number: " 3/4", "\frac{3}{4}", "\frac34". Skips it. */
static bool fraction_part(struct parser *p, struct value *part)
{
    const struct token *t[5];
    for (size_t i = 0; i < 5; i++) t[i] = parse_ahead(p, i);
    if (t[0]->kind == TOKEN_NUMBER && t[0]->space && t[1]->kind == '/' &&
        proper(t[0], t[2], part)) {
        p->at += 3;
        return true;
    }
    if (t[0]->kind != TOKEN_FRAC) return false;
    if (whole(t[1]) && t[1]->n == 2 && t[1]->s[0] < t[1]->s[1]) {
        *part = value_div(value_int(t[1]->s[0] - '0'), value_int(t[1]->s[1] - '0'));
        p->at += 2;
        return true;
    }
    if (t[1]->kind != '{' || t[3]->kind != '}' || t[4]->kind != '{' ||
        parse_ahead(p, 6)->kind != '}' || !proper(t[2], parse_ahead(p, 5), part))
        return false;
    p->at += 7;
    return true;
}

static int base_word(const struct token *t)
{
    static const char *const words[] = {"two",   "three", "four", "five", "six",
                                        "seven", "eight", "nine", "ten"};
    for (int i = 0; i < 9; i++)
        if (strlen(words[i]) == t->n && !strncmp(words[i], t->s, t->n)) return i + 2;
    return 0;
}

/* "_2", "_{16}", "_{\text{two}}", "base 5", "in base 5", "(base 5)": the base of the digits before
 * it. Skips it; 0: there is none. */
static int base_of(struct parser *p)
{
    const bool lowered = parse_peek(p)->kind == '_';
    size_t n = lowered;
    const int bracket = lowered ? '{' : '(', close = lowered ? '}' : ')';
    const bool open = parse_ahead(p, n)->kind == bracket;
    n += open;
    n += parse_says(parse_ahead(p, n), "in");
    const bool named = parse_says(parse_ahead(p, n), "base");
    n += named;
    if (!lowered && !named) return 0;
    const struct token *t = parse_ahead(p, n);
    int base = base_word(t);
    if (whole(t) && t->n <= 2) base = (int)token_value(t).n;
    if (base < 2 || (open && parse_ahead(p, n + 1)->kind != close)) return 0;
    p->at += n + 1 + open;
    return base;
}

/* The "rd" of "3rd" and "3^{rd}" says nothing that 3 does not. */
static void skip_ordinal(struct parser *p)
{
    static const char *const words[] = {"st", "nd", "rd", "th"};
    const bool raised = parse_peek(p)->kind == '^',
               braces = raised && parse_ahead(p, 1)->kind == '{';
    const size_t n = (size_t)raised + braces;
    for (int i = 0; i < 4; i++)
        if (parse_says(parse_ahead(p, n), words[i]) &&
            (!braces || parse_ahead(p, n + 1)->kind == '}')) {
            p->at += n + 1 + braces;
            return;
        }
}

static struct node *based(struct parser *p, const struct token *digits, int base)
{
    if (base == 10) return parse_value(p, token_value(digits));
    struct node *node = parse_node(p, NODE_BASED, NULL);
    size_t zeros = 0;
    while (zeros + 1 < digits->n && digits->s[zeros] == '0') zeros++;
    node->code = base;
    node->name = name_hash(NAME_START, digits->s + zeros, digits->n - zeros);
    return node;
}

struct node *parse_numeral(struct parser *p)
{
    const struct token t = *parse_peek(p);
    struct value part, all = token_value(&t);
    parse_skip(p);
    const int base = base_of(p);
    if (base) return based(p, &t, base);
    if (whole(&t) && fraction_part(p, &part)) all = value_add(all, part);
    skip_ordinal(p);
    struct node *node = parse_value(p, all);
    node->code = whole(&t) ? (int)t.n : 0;
    return node;
}

/* "(234)_5", "{234}_5" */
struct node *parse_bracketed_numeral(struct parser *p)
{
    const struct token *digits = parse_ahead(p, 1);
    if (digits->kind != TOKEN_NUMBER ||
        parse_ahead(p, 2)->kind != (parse_peek(p)->kind == '(' ? ')' : '}') ||
        parse_ahead(p, 3)->kind != '_')
        return NULL;
    const size_t start = p->at;
    p->at += 3;
    const int base = base_of(p);
    if (base) return based(p, digits, base);
    p->at = start;
    return NULL;
}

/* ---- in words ------------------------------------------------------------------------------ */

int64_t parse_multiple(const struct token *t)
{
    static const struct {
        const char *word;
        int64_t value;
    } words[] = {{"hundred", 100},
                 {"thousand", 1000},
                 {"million", 1000000},
                 {"billion", 1000000000},
                 {"trillion", 1000000000000}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (parse_says(t, words[i].word)) return words[i].value;
    return 0;
}

static bool is_spelled(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && strlen(word) == t->n && !strncasecmp(word, t->s, t->n);
}

/* "seven", "seventeen", "seventy"; -1: another word. */
static int small_number(const struct token *t)
{
    static const char *const words[] = {"zero",    "one",     "two",       "three",    "four",
                                        "five",    "six",     "seven",     "eight",    "nine",
                                        "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                        "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"twenty", "thirty",  "forty",  "fifty",
                                       "sixty",  "seventy", "eighty", "ninety"};
    for (int i = 0; i < 20; i++)
        if (is_spelled(t, words[i])) return i;
    for (int i = 0; i < 8; i++)
        if (is_spelled(t, tens[i])) return 20 + 10 * i;
    return -1;
}

/* "twenty-one" as one word of text. */
static int hyphened(const struct token *t)
{
    const char *hyphen = t->kind == TOKEN_WORD ? memchr(t->s, '-', t->n) : NULL;
    if (!hyphen) return -1;
    struct token ten = *t, one = *t;
    ten.n = (size_t)(hyphen - t->s);
    one.s = hyphen + 1;
    one.n = t->n - ten.n - 1;
    const int a = small_number(&ten), b = small_number(&one);
    return a >= 20 && b > 0 && b < 10 ? a + b : -1;
}

/* The number below a hundred whose words begin `at` tokens ahead; *at moves behind them. */
static int below_hundred(const struct parser *p, size_t *at)
{
    const struct token *t = parse_ahead(p, *at);
    int n = small_number(t);
    if (n < 0) n = hyphened(t);
    if (n < 0) return -1;
    ++*at;
    if (n < 20 || n % 10) return n;
    const size_t hyphen = parse_ahead(p, *at)->kind == '-';
    const int one = small_number(parse_ahead(p, *at + hyphen));
    if (one < 1 || one > 9) return n;
    *at += hyphen + 1;
    return n + one;
}

/* "twenty-one", "five hundred", "two million"; nothing where more words follow, for "two thirds" is
 * not 2. */
struct node *parse_spelled_numeral(struct parser *p)
{
    size_t at = 0;
    const int n = below_hundred(p, &at);
    if (n < 0) return NULL;
    struct value value = value_int(n);
    for (int64_t by; (by = parse_multiple(parse_ahead(p, at))); at++)
        value = value_mul(value, value_int(by));
    if (parse_ahead(p, at)->kind == TOKEN_WORD) return NULL;
    p->at += at;
    return parse_value(p, value);
}
