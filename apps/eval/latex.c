#include "eval/latex.h"

#include "eval/clean.h"
#include "eval/unit.h"

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
    bool space, full;
};

/* ---- commands ------------------------------------------------------------------------------ */

enum { SKIP = 1, TEXT, ENVIRONMENT }; /* beside token kinds; no character that a kind could be */

static const struct command {
    const char *name;
    int kind, code;
} commands[] = {
    {"frac", TOKEN_FRAC, 0},
    {"dfrac", TOKEN_FRAC, 0},
    {"tfrac", TOKEN_FRAC, 0},
    {"cfrac", TOKEN_FRAC, 0},
    {"sqrt", TOKEN_SQRT, 0},
    {"binom", TOKEN_BINOM, 0},
    {"dbinom", TOKEN_BINOM, 0},
    {"tbinom", TOKEN_BINOM, 0},
    {"overline", TOKEN_OVER, 0},
    {"bar", TOKEN_OVER, 0},
    {"dot", TOKEN_OVER, 0},
    {"vec", TOKEN_OVER, 0},
    {"hat", TOKEN_OVER, 0},
    {"overrightarrow", TOKEN_OVER, 0},
    {"cdot", '*', 0},
    {"times", '*', 0},
    {"ast", '*', 0},
    {"div", '/', 0},
    {"lvert", '|', 0},
    {"rvert", '|', 0},
    {"vert", '|', 0},
    {"mid", '|', 0},
    {"lt", '<', 0},
    {"gt", '>', 0},
    {"le", TOKEN_LE, 0},
    {"leq", TOKEN_LE, 0},
    {"leqslant", TOKEN_LE, 0},
    {"ge", TOKEN_GE, 0},
    {"geq", TOKEN_GE, 0},
    {"geqslant", TOKEN_GE, 0},
    {"ne", TOKEN_NE, 0},
    {"neq", TOKEN_NE, 0},
    {"approx", TOKEN_APPROX, 0},
    {"in", TOKEN_IN, 0},
    {"cup", TOKEN_CUP, 0},
    {"bigcup", TOKEN_CUP, 0},
    {"cap", TOKEN_CAP, 0},
    {"setminus", TOKEN_EXCEPT, 0},
    {"backslash", TOKEN_EXCEPT, 0},
    {"pm", TOKEN_PM, 0},
    {"mp", TOKEN_MP, 0},
    {"lbrace", TOKEN_SET_OPEN, 0},
    {"rbrace", TOKEN_SET_CLOSE, 0},
    {"lbrack", '[', 0},
    {"rbrack", ']', 0},
    {"lfloor", TOKEN_FLOOR_OPEN, 0},
    {"rfloor", TOKEN_FLOOR_CLOSE, 0},
    {"lceil", TOKEN_CEIL_OPEN, 0},
    {"rceil", TOKEN_CEIL_CLOSE, 0},
    {"langle", TOKEN_ANGLE_OPEN, 0},
    {"rangle", TOKEN_ANGLE_CLOSE, 0},
    {"circ", TOKEN_DEGREE, 0},
    {"degree", TOKEN_DEGREE, 0},
    {"emptyset", TOKEN_EMPTY, 0},
    {"varnothing", TOKEN_EMPTY, 0},
    {"R", TOKEN_REALS, 0},
    {"reals", TOKEN_REALS, 0},
    {"implies", TOKEN_IMPLIES, 0},
    {"Rightarrow", TOKEN_IMPLIES, 0},
    {"Longrightarrow", TOKEN_IMPLIES, 0},
    {"therefore", TOKEN_IMPLIES, 0},
    {"land", TOKEN_AND, 0},
    {"wedge", TOKEN_AND, 0},
    {"lor", TOKEN_OR, 0},
    {"vee", TOKEN_OR, 0},
    {"begin", ENVIRONMENT, TOKEN_BEGIN},
    {"end", ENVIRONMENT, TOKEN_FINISH},
    {"color", ENVIRONMENT, SKIP}, /* its name, {red}, is read like one that means nothing */
    {"textcolor", ENVIRONMENT, SKIP},
    {"text", TEXT, 0},
    {"textbf", TEXT, 0},
    {"textit", TEXT, 0},
    {"textrm", TEXT, 0},
    {"textsf", TEXT, 0},
    {"texttt", TEXT, 0},
    {"textnormal", TEXT, 0},
    {"mbox", TEXT, 0},
    {"hbox", TEXT, 0},
    {"mathrm", TEXT, 0},
    {"operatorname", TEXT, 0},
    {"sin", TOKEN_FUNCTION, FUNCTION_SIN},
    {"cos", TOKEN_FUNCTION, FUNCTION_COS},
    {"tan", TOKEN_FUNCTION, FUNCTION_TAN},
    {"cot", TOKEN_FUNCTION, FUNCTION_COT},
    {"sec", TOKEN_FUNCTION, FUNCTION_SEC},
    {"csc", TOKEN_FUNCTION, FUNCTION_CSC},
    {"arcsin", TOKEN_FUNCTION, FUNCTION_ARCSIN},
    {"arccos", TOKEN_FUNCTION, FUNCTION_ARCCOS},
    {"arctan", TOKEN_FUNCTION, FUNCTION_ARCTAN},
    {"sinh", TOKEN_FUNCTION, FUNCTION_SINH},
    {"cosh", TOKEN_FUNCTION, FUNCTION_COSH},
    {"tanh", TOKEN_FUNCTION, FUNCTION_TANH},
    {"log", TOKEN_FUNCTION, FUNCTION_LOG},
    {"lg", TOKEN_FUNCTION, FUNCTION_LOG},
    {"ln", TOKEN_FUNCTION, FUNCTION_LN},
    {"exp", TOKEN_FUNCTION, FUNCTION_EXP},
    {"cis", TOKEN_FUNCTION, FUNCTION_CIS},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const char *const skipped[] = {
    "left",         "right",      "big",       "Big",      "bigg",       "Bigg",      "bigl",
    "bigr",         "Bigl",       "Bigr",      "biggl",    "biggr",      "middle",    "limits",
    "rm",           "bf",         "it",        "quad",     "qquad",      "boxed",     "fbox",
    "displaystyle", "textstyle",  "mathbf",    "mathit",   "boldsymbol", "bm",        "mathbb",
    "mathcal",      "mathsf",     "underline", "large",    "Large",      "checkmark", "blacksquare",
    "square",       "ensuremath", "phantom",   "nonumber", "space",      "enspace",   "thinspace",
};
enum { N_SKIPPED = sizeof skipped / sizeof *skipped };

static bool is(const char *name, const char *s, size_t n)
{
    return strlen(name) == n && !strncmp(name, s, n);
}

static const struct command *command_find(const char *s, size_t n)
{
    static const struct command skip = {"", SKIP, 0};
    for (int i = 0; i < N_COMMANDS; i++)
        if (is(commands[i].name, s, n)) return &commands[i];
    for (int i = 0; i < N_SKIPPED; i++)
        if (is(skipped[i], s, n)) return &skip;
    return NULL;
}

/* ---- tokens -------------------------------------------------------------------------------- */

static int last_kind(const struct lexer *l)
{
    return l->out->n ? l->out->tokens[l->out->n - 1].kind : TOKEN_END;
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

static void number(struct lexer *l)
{
    char *start = l->digits;
    size_t n = copy_whole(l, start), recurring = 0;
    if (*l->at == '.' && (digit(l->at[1]) || !strncmp(l->at + 1, "\\overline{", 10) ||
                          !strncmp(l->at + 1, "\\bar{", 5) || !strncmp(l->at + 1, "\\dot{", 5))) {
        start[n++] = *l->at++;
        n += copy_digits(l, start + n);
        recurring = copy_recurring(l, start + n);
    }
    l->digits += n + recurring;
    push(l, TOKEN_NUMBER, (int)n, start, n + recurring);
    exponent(l);
}

/* ---- words and letters --------------------------------------------------------------------- */

static bool is_word(const char *word, const char *s, size_t n)
{
    return strlen(word) == n && !strncasecmp(word, s, n);
}

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
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(words[i].word, s, n)) {
            push(l, words[i].kind, 0, words[i].text, strlen(words[i].text));
            l->out->percent |= words[i].kind == '%';
            return true;
        }
    return false;
}

static const struct command *function_find(const char *s, size_t n)
{
    const struct command *c = command_find(s, n);
    return c && (c->kind == TOKEN_FUNCTION || c->kind == TOKEN_FRAC) ? c : NULL;
}

/* The longest name of a function, "pi" or "sqrt" that letters s[0..n) begin with. */
static size_t name_prefix(const char *s, size_t n)
{
    for (size_t k = n < 6 ? n : 6; k >= 2; k--) {
        if (function_find(s, k) && k >= 3) return k;
        if (is("ln", s, k) || is("pi", s, k) || is("sqrt", s, k)) return k;
    }
    return 0;
}

/* Short words that nobody means as products. */
static bool short_word(const char *s, size_t n)
{
    static const char *const words[] = {"yes", "no", "odd", "one", "two", "six", "ten", "not"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(words[i], s, n)) return true;
    return false;
}

/* Does s[0..n) stand in a row of words: behind one, or before one that is long enough to be no
 * product? */
static bool among_words(const struct lexer *l, const char *s, size_t n)
{
    if (n < 2) return false;
    if (last_kind(l) == TOKEN_WORD && l->space) return true;
    const char *next = s + n + strspn(s + n, " ");
    const size_t length = strspn(next, LETTERS);
    return next > s + n && length >= 4 && !name_prefix(next, length);
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
    if (kind == '/') return l->out->n >= 2 && l->out->tokens[l->out->n - 2].kind == TOKEN_WORD;
    return kind == TOKEN_NUMBER || kind == '}' || kind == ')' || kind == TOKEN_WORD;
}

static bool is_unit(const struct lexer *l, const char *s, size_t n)
{
    if (!after_operand(l)) return false;
    if (n >= 2) return unit_is_word(s, n, false);
    return l->options.letter_units && (l->space || last_kind(l) == '/') && unit_is_word(s, n, true);
}

/* Letters in math: a word where they can be no product, else names of functions and one variable
 * for each letter. */
static void letters(struct lexer *l, const char *s, size_t n)
{
    const size_t prefix = name_prefix(s, n);
    const bool named = prefix && n - prefix <= 2;
    const struct command *c = function_find(s, prefix);
    if (n == 1 && is_cup(l, s)) {
        push(l, TOKEN_CUP, 0, s, n);
    } else if (is_unit(l, s, n) ||
               (!named && (n >= 4 || short_word(s, n) || among_words(l, s, n)))) {
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

/* Within \text{}: letters, with hyphens and apostrophes among them, and "a.m.". */
static size_t word_length(const char *s)
{
    size_t n = 0;
    while (isalpha((unsigned char)s[n]) ||
           (n && strchr("-'.", s[n]) && s[n] && isalpha((unsigned char)s[n + 1])))
        n++;
    return n;
}

static void word(struct lexer *l)
{
    const char *s = l->at;
    size_t n = strspn(s, LETTERS);
    const bool half_day = !strncasecmp(s, "a.m", 3) || !strncasecmp(s, "p.m", 3);
    if (l->n_texts || half_day) n = word_length(s);
    l->at += n;
    const struct command *function = function_find(s, n);
    if ((n > 1 || !l->n_texts) && sign_word(l, s, n)) return;
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
    if (array || (n >= 6 && !strncmp(name + n - 6, "matrix", 6)))
        push(l, kind, 0, name, n);
    else if (is("cases", name, n))
        push(l, TOKEN_VAR, 0, name, n);
}

static void open_text(struct lexer *l)
{
    l->at += strspn(l->at, " *");
    if (*l->at != '{' || l->n_texts == TEXT_DEPTH_MAX) return;
    l->texts[l->n_texts++] = l->braces++;
    l->at++;
    l->space = true;
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
    else if (c->kind == TEXT)
        open_text(l);
    else if (c->kind == ENVIRONMENT)
        environment(l, c->code);
    else if (c->kind != SKIP)
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

static void punctuation(struct lexer *l)
{
    const char *s = l->at;
    const int pair = pair_kind(s);
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
    else if (strchr("+-*/^_()[]|=<>!':%&.,;", *s))
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
