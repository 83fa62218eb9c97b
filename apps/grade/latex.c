#include "grade/latex.h"

#include "grade/clean.h"
#include "grade/command.h"
#include "grade/unit.h"
#include "grade/word.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_DEPTH_MAX = 8 };
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The walk over a cleaned text. */
struct lexer {
    struct latex *out;
    struct latex_options options;
    const char *at;
    char *digits;              /* where the next number's digits go */
    int brackets;              /* open ( [ \{ */
    int braces;                /* open { */
    int texts[TEXT_DEPTH_MAX]; /* `braces` outside each open \text{ */
    int n_texts;
    int tables; /* open environments that have columns */
    bool bold;  /* within the ** ** of a chat */
    bool space, full;
};

static bool is(const char *name, const char *s, size_t n)
{
    return strlen(name) == n && !strncmp(name, s, n);
}

/* ---- tokens -------------------------------------------------------------------------------- */

/* The kind of the token `back` before the next. */
static int kind_before(const struct lexer *l, size_t back)
{
    return l->out->n >= back ? l->out->tokens[l->out->n - back].kind : TOKEN_END;
}

static int last_kind(const struct lexer *l)
{
    return kind_before(l, 1);
}

static void push(struct lexer *l, int kind, int code, const char *s, size_t n)
{
    struct latex *out = l->out;
    if (out->n == out->room) {
        l->full = true;
        return;
    }
    out->tokens[out->n++] = (struct token){kind, code, l->space, l->n_texts > 0, s, n};
    l->space = false;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly three digits, no fourth. */
static bool three(const char *s)
{
    return digit(s[0]) && digit(s[1]) && digit(s[2]) && !digit(s[3]);
}

static bool comma_groups(const struct lexer *l)
{
    switch (l->options.commas) {
    case COMMA_GROUPS_NEVER: return false;
    case COMMA_GROUPS_ALWAYS: return true;
    default: return !l->brackets;
    }
}

/* Bytes of a separator of thousands at s, after a group that may be followed by one; 0: none. */
static size_t group_mark(const struct lexer *l, const char *s)
{
    if (*s == CLEAN_GLUE && three(s + 1)) return 1;
    if (*s == ',' && three(s + 1) && comma_groups(l)) return 1;
    const int before = last_kind(l);
    if (*s == ' ' && before != '_' && before != '^') {
        const size_t spaces = strspn(s, " ");
        if (spaces <= 2 && three(s + spaces) && s[spaces + 3] != '/') return spaces;
    }
    return 0;
}

static size_t copy_digits(struct lexer *l, char *to)
{
    size_t n = 0;
    while (digit(*l->at)) to[n++] = *l->at++;
    return n;
}

static size_t copy_whole(struct lexer *l, char *to)
{
    size_t n = copy_digits(l, to), mark;
    if (n < 1 || n > 3 || to[0] == '0') return n;
    while ((mark = group_mark(l, l->at))) {
        l->at += mark;
        n += copy_digits(l, to + n);
    }
    return n;
}

/* "\overline{6}" and the like behind a '.': digits that recur. */
static size_t copy_recurring(struct lexer *l, char *to)
{
    static const char *const marks[] = {"\\overline{", "\\bar{", "\\dot{"};
    for (int i = 0; i < 3; i++) {
        const size_t length = strlen(marks[i]);
        if (strncmp(l->at, marks[i], length)) continue;
        const size_t digits = strspn(l->at + length, "0123456789");
        if (!digits || l->at[length + digits] != '}') return 0;
        memcpy(to, l->at + length, digits);
        l->at += length + digits + 1;
        return digits;
    }
    return 0;
}

/* "e5", "E-5", "e+5" right behind a number: ten to a power. */
static void exponent(struct lexer *l)
{
    const char *s = l->at;
    if (*s != 'e' && *s != 'E') return;
    const bool sign = s[1] == '-' || s[1] == '+';
    if (sign && s[1] == '-' && !l->options.scientific) return;
    const size_t digits = strspn(s + 1 + sign, "0123456789");
    if (!digits || digits > 4) return;
    push(l, '*', 0, "*", 1);
    push(l, TOKEN_NUMBER, 2, "10", 2);
    push(l, '^', 0, "^", 1);
    push(l, '{', 0, "{", 1);
    if (s[1] == '-') push(l, '-', 0, "-", 1);
    push(l, TOKEN_NUMBER, (int)digits, s + 1 + sign, digits);
    push(l, '}', 0, "}", 1);
    l->at += 1 + sign + digits;
}

/* Bytes of "..." at s, behind the digits of a number. */
static size_t ellipsis(const char *s)
{
    static const char *const dots[] = {"...", "\\ldots", "\\dots", "\\cdots"};
    const size_t spaces = strspn(s, " ");
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++) {
        const size_t n = strlen(dots[i]);
        if (!strncmp(s + spaces, dots[i], n) && !isalpha((unsigned char)s[spaces + n]))
            return spaces + n;
    }
    return 0;
}

/* The shortest block that the decimals end in three times, or twice when it is longer than a digit;
 * 0: they do not show how they go on. */
static size_t period(const char *decimals, size_t n)
{
    for (size_t block = 1; 2 * block <= n; block++) {
        const size_t tail = (block == 1 ? 3 : 2) * block;
        if (tail <= n && !memcmp(decimals + n - tail, decimals + n - tail + block, tail - block))
            return block;
    }
    return 0;
}

/* "0.1666..." is 0.1\overline{6}: keep one block of what recurs. Returns its bytes. */
static size_t fold_recurring(struct lexer *l, const char *decimals, size_t *n)
{
    const size_t dots = ellipsis(l->at), block = dots ? period(decimals, *n) : 0;
    if (!block) return 0;
    l->at += dots;
    while (*n >= 2 * block && !memcmp(decimals + *n - block, decimals + *n - 2 * block, block))
        *n -= block;
    *n -= block;
    return block;
}

static void number(struct lexer *l)
{
    char *start = l->digits;
    size_t n = copy_whole(l, start), recurring = 0;
    if (*l->at == '.' && (digit(l->at[1]) || !strncmp(l->at + 1, "\\overline{", 10) ||
                          !strncmp(l->at + 1, "\\bar{", 5) || !strncmp(l->at + 1, "\\dot{", 5))) {
        start[n++] = *l->at++;
        size_t decimals = copy_digits(l, start + n);
        recurring = copy_recurring(l, start + n + decimals);
        if (!recurring) recurring = fold_recurring(l, start + n, &decimals);
        n += decimals;
    }
    l->digits += n + recurring;
    push(l, TOKEN_NUMBER, (int)n, start, n + recurring);
    exponent(l);
}

/* ---- words and letters --------------------------------------------------------------------- */

/* Words that are signs. */
static bool sign_word(struct lexer *l, const char *s, size_t n)
{
    static const struct {
        const char *word;
        int kind;
        const char *text;
    } words[] = {
        {"and", TOKEN_AND, "and"},
        {"or", TOKEN_OR, "or"},
        {"pi", TOKEN_VAR, "\\pi"},
        {"infinity", TOKEN_VAR, "\\infty"},
        {"infty", TOKEN_VAR, "\\infty"},
        {"inf", TOKEN_VAR, "\\infty"},
        {"oo", TOKEN_VAR, "\\infty"},
        {"percent", '%', "%"},
        {"pct", '%', "%"},
        {"degrees", TOKEN_DEGREE, ""},
        {"degree", TOKEN_DEGREE, ""},
        {"deg", TOKEN_DEGREE, ""},
        {"sqrt", TOKEN_SQRT, "\\sqrt"},
        {"mod", TOKEN_MOD, "mod"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_is(words[i].word, s, n)) {
            push(l, words[i].kind, 0, words[i].text, strlen(words[i].text));
            l->out->percent |= words[i].kind == '%';
            return true;
        }
    return false;
}

/* Is s[0..n) a name, or does it stand in a row of words: behind one, or before one that is long
 * enough to be no product? */
static bool among_words(const struct lexer *l, const char *s, size_t n)
{
    if (n < 2) return false;
    if ((last_kind(l) == TOKEN_WORD && l->space) || word_is_name(s, n)) return true;
    const char *next = s + n + strspn(s + n, " ");
    const size_t length = strspn(next, LETTERS);
    return next > s + n &&
           (word_is_name(next, length) ||
            (length >= 4 && !word_is_named(next, length, word_prefix(next, length))));
}

static bool is_cup(const struct lexer *l, const char *s)
{
    const char next = s[1 + strspn(s + 1, " ")];
    return *s == 'U' && (last_kind(l) == ')' || last_kind(l) == ']') &&
           (next == '(' || next == '[' || next == '\\');
}

/* Can a unit stand here? */
static bool after_operand(const struct lexer *l)
{
    const int kind = last_kind(l);
    if (kind == '/') return kind_before(l, 2) == TOKEN_WORD;
    if (kind == '{' && kind_before(l, 2) == TOKEN_NUMBER) /* 20{kg}, but not \frac1{in} */
        return kind_before(l, 3) != TOKEN_FRAC && kind_before(l, 3) != TOKEN_BINOM;
    if (kind == TOKEN_VAR) return is("\\pi", l->out->tokens[l->out->n - 1].s, 3);
    return kind == TOKEN_NUMBER || kind == '}' || kind == ')' || kind == TOKEN_WORD;
}

static bool is_unit(const struct lexer *l, const char *s, size_t n)
{
    if (!after_operand(l)) return false;
    if (n >= 2) return unit_is_word(s, n, false);
    return l->options.letter_units &&
           (l->space || last_kind(l) == '/' || last_kind(l) == TOKEN_NUMBER) &&
           unit_is_word(s, n, true);
}

/* The "rd" of "3rd" and "3^{rd}". */
static bool is_ordinal(const struct lexer *l, const char *s, size_t n)
{
    const size_t marks = last_kind(l) == '{' ? 2 : last_kind(l) == '^';
    if (l->space || kind_before(l, marks + 1) != TOKEN_NUMBER ||
        (marks == 2 && kind_before(l, 2) != '^'))
        return false;
    const struct token *t = &l->out->tokens[l->out->n - marks - 1];
    const char last = t->s[t->n - 1];
    return is("th", s, n) || (is("st", s, n) && last == '1') || (is("nd", s, n) && last == '2') ||
           (is("rd", s, n) && last == '3');
}

/* "5 x 3", "$5 x $3" */
static bool is_times(const struct lexer *l, const char *s)
{
    const char *next = s + 1 + strspn(s + 1, " $");
    return *s == 'x' && l->space && last_kind(l) == TOKEN_NUMBER && s[1] == ' ' && digit(*next);
}

/* Letters in math: a word where they can be no product, else names of functions and one variable
 * for each letter. */
static void letters(struct lexer *l, const char *s, size_t n)
{
    const size_t prefix = word_prefix(s, n);
    const bool named = word_is_named(s, n, prefix);
    const struct command *c = word_function(s, prefix);
    if (n == 1 && is_cup(l, s)) {
        push(l, TOKEN_CUP, 0, s, n);
    } else if (n == 1 && is_times(l, s)) {
        push(l, '*', 0, s, n);
    } else if (is_unit(l, s, n) || is_ordinal(l, s, n) ||
               (!named && (n >= 4 || word_is_short(s, n) || among_words(l, s, n)))) {
        push(l, TOKEN_WORD, 0, s, n);
    } else if (named) {
        if (c)
            push(l, c->kind, c->code, s, prefix);
        else
            sign_word(l, s, prefix);
        if (n > prefix) letters(l, s + prefix, n - prefix);
    } else {
        for (size_t i = 0; i < n; i++) push(l, TOKEN_VAR, 0, s + i, 1);
    }
}

/* "3 to 4" is a ratio. "USD 5" and "US$5" are money. */
static bool sign_between(struct lexer *l, const char *s, size_t n)
{
    const bool ratio = word_is("to", s, n) && (last_kind(l) == TOKEN_NUMBER || last_kind(l) == '}');
    const bool dollars = is("USD", s, n) || (is("US", s, n) && strspn(l->at, "$\\"));
    const bool money = dollars && digit(l->at[strspn(l->at, " $\\")]);
    if (ratio) push(l, ':', TOKEN_WORD, ":", 1);
    if (money) push(l, TOKEN_MONEY, 0, "$", 1);
    return ratio || money;
}

static void word(struct lexer *l)
{
    const char *s = l->at;
    size_t n = strspn(s, LETTERS);
    const bool half_day = !strncasecmp(s, "a.m", 3) || !strncasecmp(s, "p.m", 3);
    if (l->n_texts || half_day) n = word_length(s);
    l->at += n;
    const struct command *function = word_function(s, n);
    if ((n > 1 || !l->n_texts) && (sign_word(l, s, n) || sign_between(l, s, n))) return;
    if (function && function->kind == TOKEN_FUNCTION && !unit_is_word(s, n, false))
        push(l, TOKEN_FUNCTION, function->code, s, n);
    else if (l->n_texts || half_day)
        push(l, TOKEN_WORD, 0, s, n);
    else
        letters(l, s, n);
}

/* ---- the walk ------------------------------------------------------------------------------ */

/* "{pmatrix}" behind \begin, and "{cc}" behind that of an array. */
static void environment(struct lexer *l, int kind)
{
    if (*l->at != '{') return;
    const size_t n = strcspn(++l->at, "}");
    const char *name = l->at;
    l->at += n + (name[n] != 0);
    const bool array = is("array", name, n);
    if (array && kind == TOKEN_BEGIN && *l->at == '{') {
        l->at += strcspn(l->at, "}");
        l->at += *l->at != 0;
    }
    const bool matrix = array || (n >= 6 && !strncmp(name + n - 6, "matrix", 6));
    if (!matrix && !is("cases", name, n)) return;
    push(l, matrix ? kind : TOKEN_VAR, 0, name, n);
    l->tables += kind == TOKEN_BEGIN ? 1 : -1;
}

static void open_text(struct lexer *l)
{
    l->at += strspn(l->at, " *");
    if (*l->at != '{' || l->n_texts == TEXT_DEPTH_MAX) return;
    l->texts[l->n_texts++] = l->braces++;
    l->at++;
    l->space = true;
}

/* What is left out of a row, however it is typed. */
static void dots(struct lexer *l)
{
    push(l, TOKEN_VAR, 0, "\\ldots", 6);
}

static void command(struct lexer *l)
{
    const char *s = l->at;
    size_t n = 0;
    while (isalpha((unsigned char)s[1 + n])) n++;
    l->at += 1 + n;
    if (!strncmp(s, "\\mathbb", n + 1) && (!strncmp(l->at, "{R}", 3) || !strncmp(l->at, " R", 2))) {
        l->at += strcspn(l->at, "R") + 1 + (*l->at == '{');
        push(l, TOKEN_REALS, 0, s, n + 1);
        return;
    }
    const struct command *c = command_find(s + 1, n);
    if (!c)
        push(l, TOKEN_VAR, 0, s, n + 1);
    else if (c->kind == COMMAND_DOTS)
        dots(l);
    else if (c->kind == COMMAND_TEXT)
        open_text(l);
    else if (c->kind == COMMAND_ENVIRONMENT)
        environment(l, c->code);
    else if (c->kind != COMMAND_SKIP)
        push(l, c->kind, c->code, s, n + 1);
    else if (*l->at == '.' && (is("left", s + 1, n) || is("right", s + 1, n)))
        l->at++;
}

static void backslash(struct lexer *l)
{
    static const struct {
        char sign;
        int kind;
    } escapes[] = {{'{', TOKEN_SET_OPEN}, {'}', TOKEN_SET_CLOSE},
                   {'$', TOKEN_MONEY},    {'%', '%'},
                   {'\\', TOKEN_ROW},     {'|', '|'}};
    if (isalpha((unsigned char)l->at[1])) {
        command(l);
        return;
    }
    const char *s = l->at;
    l->at += s[1] ? 2 : 1;
    if (s[1] == '&') push(l, TOKEN_AND, 0, "and", 3);
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (s[1] == escapes[i].sign) push(l, escapes[i].kind, 0, s, 2);
    l->out->percent |= s[1] == '%';
    l->brackets += (s[1] == '{') - (s[1] == '}');
}

static void brace(struct lexer *l)
{
    const char *s = l->at++;
    if (*s == '}' && l->n_texts && l->texts[l->n_texts - 1] == l->braces - 1) {
        l->n_texts--;
        l->braces--;
        l->space = true;
        return;
    }
    l->braces += *s == '{' ? 1 : -1;
    push(l, *s, 0, s, 1);
}

/* "<=", ">=", "!=", "==". */
static int pair_kind(const char *s)
{
    if (s[1] != '=') return 0;
    return *s == '<' ? TOKEN_LE : *s == '>' ? TOKEN_GE : *s == '!' ? TOKEN_NE : *s == '=' ? '=' : 0;
}

/* The marks of bold text in a chat, "**" and "__", say nothing; "x**2" is a power. */
static bool bold(struct lexer *l)
{
    const char *s = l->at, sign[] = {*s, 0};
    const int last = last_kind(l);
    const size_t n = *s == '*' || *s == '_' ? strspn(s, sign) : 0;
    if (n < 2) return false;
    const char *next = s + n + (s[n] == ' ');
    const bool operand = last == TOKEN_NUMBER || last == TOKEN_VAR || last == ')' || last == '}';
    const bool power = *s == '*' && n == 2 && !l->bold && operand && l->space == (s[n] == ' ') &&
                       (isalnum((unsigned char)*next) || strspn(next, "({-"));
    l->at += n;
    if (power)
        push(l, '^', 0, "^", 1);
    else
        l->bold ^= *s == '*';
    return true;
}

static bool starts_relation(const char *s)
{
    s += strspn(s, " ");
    if (*s != '\\') return *s == '=' || *s == '<' || *s == '>';
    const struct command *c = command_find(s + 1, strspn(s + 1, LETTERS));
    return c && (c->kind == '=' || c->kind == TOKEN_LE || c->kind == TOKEN_GE ||
                 c->kind == TOKEN_APPROX);
}

/* In a table a column; in "x &= 5" nothing; elsewhere the word. */
static void ampersand(struct lexer *l)
{
    const char *s = l->at++;
    if (l->tables > 0)
        push(l, '&', 0, s, 1);
    else if (!starts_relation(l->at) && last_kind(l) != '=')
        push(l, TOKEN_AND, 0, "and", 3);
}

static void punctuation(struct lexer *l)
{
    const char *s = l->at;
    const int pair = pair_kind(s);
    if (bold(l)) return;
    if (!strncmp(s, "...", 3) && (last_kind(l) == ',' || last_kind(l) == '+')) {
        l->at += 3;
        dots(l);
        return;
    }
    if (pair) {
        push(l, pair, 0, s, 2);
        l->at += 2;
        return;
    }
    l->at++;
    l->brackets += (*s == '(' || *s == '[') - (*s == ')' || *s == ']');
    l->out->percent |= *s == '%';
    if (*s == CLEAN_GLUE)
        push(l, ',', 0, s, 1);
    else if (strchr("+-*/^_()[]|=<>!':%.,;", *s))
        push(l, *s, 0, s, 1);
}

static void step(struct lexer *l)
{
    const char c = *l->at;
    if (c == ' ' || c == '$')
        l->space = true, l->at++;
    else if (digit(c) || (c == '.' && digit(l->at[1])))
        number(l);
    else if (isalpha((unsigned char)c))
        word(l);
    else if (c == '\\')
        backslash(l);
    else if (c == '{' || c == '}')
        brace(l);
    else if (c == '&')
        ampersand(l);
    else
        punctuation(l);
}

bool latex_open(const char *text, size_t n, struct latex_options options, struct latex *out)
{
    *out = (struct latex){.clean = clean_text(text, n)};
    if (out->clean) {
        /* two bytes, "e5" behind a number, make six tokens at most */
        const size_t bytes = strlen(out->clean);
        out->room = 3 * bytes < LATEX_TOKENS_MAX ? 3 * bytes : LATEX_TOKENS_MAX;
        out->digits = malloc(bytes + 1);
        out->tokens = malloc((out->room + 1) * sizeof *out->tokens);
    }
    struct lexer l = {.out = out, .options = options, .at = out->clean, .digits = out->digits};
    if (!out->tokens || !out->digits) l.full = true;
    while (!l.full && *l.at) step(&l);
    if (l.full) {
        latex_close(out);
        return false;
    }
    out->tokens[out->n] = (struct token){.kind = TOKEN_END, .s = ""};
    return true;
}

void latex_close(struct latex *latex)
{
    free(latex->tokens);
    free(latex->clean);
    free(latex->digits);
}
