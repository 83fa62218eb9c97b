#include "grade/plain.h"

#include <ctype.h>
#include <string.h>

/* A walk over the characters that count. */
struct walk {
    const struct latex *latex;
    size_t at, to, byte;
};

/* {x} around one character is x: \frac{1}{2} and \frac12. */
static bool lone_brace(const struct latex *l, size_t i)
{
    const struct token *t = l->tokens;
    if (t[i].kind == '{') return i + 2 < l->n && t[i + 2].kind == '}' && t[i + 1].n == 1;
    return t[i].kind == '}' && i >= 2 && t[i - 2].kind == '{' && t[i - 1].n == 1;
}

/* How a token shows: commands by what they mean. */
static const char *shown(const struct token *t, size_t *n)
{
    const char *s = t->kind == TOKEN_FRAC     ? "\\frac"
                    : t->kind == TOKEN_BINOM  ? "\\binom"
                    : t->kind == TOKEN_DEGREE ? "\\circ"
                    : t->kind == TOKEN_LE     ? "<="
                    : t->kind == TOKEN_GE     ? ">="
                    : t->kind == TOKEN_NE     ? "!="
                    : t->kind == '%'          ? "%"
                                              : t->s;
    *n = s == t->s ? t->n : strlen(s);
    return s;
}

enum { RECURS = 256 }; /* 0.36 does not show like 0.\overline{36} */

/* The next character, 0 at the end. */
static int next(struct walk *w)
{
    for (; w->at < w->to; w->at++, w->byte = 0) {
        size_t n;
        const char *s = shown(&w->latex->tokens[w->at], &n);
        if (w->byte < n && !lone_brace(w->latex, w->at)) {
            const struct token *t = &w->latex->tokens[w->at];
            const bool recurs = t->kind == TOKEN_NUMBER && w->byte >= (size_t)t->code;
            return tolower((unsigned char)s[w->byte++]) + (recurs ? RECURS : 0);
        }
    }
    return 0;
}

bool plain_equal(const struct latex *a, size_t a_from, size_t a_to, const struct latex *b,
                 size_t b_from, size_t b_to)
{
    struct walk left = {a, a_from, a_to, 0}, right = {b, b_from, b_to, 0};
    int one, other;
    bool any = false;
    do {
        one = next(&left);
        other = next(&right);
        any |= one != 0;
    } while (one && one == other);
    return any && one == other;
}
