#include "text/jinja/lexer.h"

#include "text/jinja/literal.h"
#include "text/jinja/point.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status lexer_fault(struct err *err, int line, const char *format, ...)
{
    char message[ERR_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return err_set(err, ST_FORMAT, "line %d: %s", line, message);
}

/* Every line end becomes "\n", and one at the very end is none. */
enum status lexer_init(struct lexer *x, struct pool *pool, const char *s, size_t n, struct err *err)
{
    char *copy = pool_take(pool, n + 1);
    if (!copy) return err_memory(err, "a chat template of %zu bytes", n);
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\r' && i + 1 < n && s[i + 1] == '\n') continue;
        copy[to++] = s[i] == '\r' ? '\n' : s[i];
    }
    if (to && copy[to - 1] == '\n') to--;
    *x = (struct lexer){
        .pool = pool, .err = err, .s = copy, .n = to, .line = 1, .line_starts = true};
    return ST_OK;
}

/* ---- small questions --------------------------------------------------------------------- */

static int peek(const struct lexer *x, size_t ahead)
{
    return x->n - x->at > ahead ? (uint8_t)x->s[x->at + ahead] : -1;
}

static bool looks_at(const struct lexer *x, const char *word)
{
    const size_t n = strlen(word);
    return x->n - x->at >= n && !memcmp(x->s + x->at, word, n);
}

static void go(struct lexer *x, size_t n)
{
    for (; n; n--)
        if (x->s[x->at++] == '\n') x->line++;
}

static void go_spaces(struct lexer *x)
{
    size_t from = x->at, to = x->n;
    point_strip(x->s, &from, &to, true, false);
    go(x, from - x->at);
}

/* ---- between tags ------------------------------------------------------------------------ */

/* The next of "{{", "{%" and "{#" from `at` on, or the end. */
static size_t find_tag(const struct lexer *x)
{
    size_t at = x->at;
    while (at + 1 < x->n) {
        const char *brace = memchr(x->s + at, '{', x->n - at - 1);
        if (!brace) break;
        if (brace[1] && strchr("{%#", brace[1])) return (size_t)(brace - x->s);
        at = (size_t)(brace - x->s) + 1;
    }
    return x->n;
}

/* Where the text [from, tag) ends once the tag there has had its say. */
static size_t trimmed_end(const struct lexer *x, size_t from, size_t tag, bool may_strip_line)
{
    size_t to = tag, line = from;
    const char sign = tag + 2 < x->n ? x->s[tag + 2] : 0;
    if (sign == '-') {
        point_strip(x->s, &from, &to, false, true);
        return to;
    }
    if (sign == '+' || !may_strip_line) return tag;
    for (size_t i = tag; i > from && line == from; i--)
        if (x->s[i - 1] == '\n') line = i;
    if (line == from && !x->line_starts) return tag;
    size_t blank = line;
    point_strip(x->s, &blank, &to, true, false);
    return blank == tag ? line : tag;
}

/* Behind the end of a block or a comment: "-" takes white space away, and else one line end goes,
 * unless there is a "+". `to` is where "%}" or "#}" is. */
static void close_tag(struct lexer *x, size_t to)
{
    const char sign = to > x->at ? x->s[to - 1] : 0;
    go(x, to + 2 - x->at);
    if (sign == '-')
        go_spaces(x);
    else if (sign != '+' && peek(x, 0) == '\n')
        go(x, 1);
    x->line_starts = x->s[x->at - 1] == '\n';
}

static enum status skip_comment(struct lexer *x)
{
    const int line = x->line;
    const char *end = memmem(x->s + x->at + 2, x->n - x->at - 2, "#}", 2);
    if (!end) return lexer_fault(x->err, line, "the comment that begins here has no end");
    go(x, 2);
    close_tag(x, (size_t)(end - x->s));
    return ST_OK;
}

/* Is there "{%", a sign, and this word alone before "%}"? *to is its "%}", or the sign before. */
static bool is_tag_of(const struct lexer *x, size_t at, const char *word, size_t *to)
{
    size_t end = x->n;
    at += 2;
    if (at < x->n && (x->s[at] == '-' || x->s[at] == '+')) at++;
    point_strip(x->s, &at, &end, true, false);
    if (x->n - at < strlen(word) || memcmp(x->s + at, word, strlen(word))) return false;
    at += strlen(word);
    point_strip(x->s, &at, &end, true, false);
    if (at < x->n && (x->s[at] == '-' || x->s[at] == '+')) at++;
    *to = at;
    return at + 1 < x->n && x->s[at] == '%' && x->s[at + 1] == '}';
}

/* A raw block at hand, whose begin ends at `to`: its inside as text. */
static enum status take_raw(struct lexer *x, size_t to, struct token *out)
{
    const int line = x->line;
    const bool strips = x->s[to - 1] == '-';
    go(x, to + 2 - x->at);
    if (strips) go_spaces(x);
    x->line_starts = x->s[x->at - 1] == '\n';
    const size_t from = x->at;
    size_t tag = from, end;
    for (;; tag += 2) {
        const char *found = tag < x->n ? memmem(x->s + tag, x->n - tag, "{%", 2) : NULL;
        if (!found) return lexer_fault(x->err, line, "the raw block that begins here has no end");
        tag = (size_t)(found - x->s);
        if (is_tag_of(x, tag, "endraw", &end)) break;
    }
    *out = (struct token){.kind = TOKEN_TEXT,
                          .line = x->line,
                          .s = x->s + from,
                          .n = trimmed_end(x, from, tag, true) - from};
    go(x, tag - x->at);
    close_tag(x, end);
    return ST_OK;
}

/* The tag at hand: begins a mode, or is dealt with. *got when there is a token. */
static enum status take_tag(struct lexer *x, struct token *out, bool *got)
{
    size_t to;
    x->tag_waits = false;
    *got = true;
    if (looks_at(x, "{%") && is_tag_of(x, x->at, "raw", &to)) return take_raw(x, to, out);
    *got = !looks_at(x, "{#");
    if (!*got) return skip_comment(x);
    const bool block = looks_at(x, "{%");
    *out = (struct token){.kind = block ? TOKEN_BLOCK_BEGIN : TOKEN_PRINT_BEGIN, .line = x->line};
    x->mode = block ? LEXER_BLOCK : LEXER_PRINT;
    go(x, 2);
    if (peek(x, 0) == '-' || peek(x, 0) == '+') go(x, 1);
    return ST_OK;
}

static enum status next_text(struct lexer *x, struct token *out)
{
    for (bool got = false; !got;) {
        if (x->at == x->n) {
            *out = (struct token){.kind = TOKEN_END, .line = x->line};
            return ST_OK;
        }
        const size_t tag = x->tag_waits ? x->at : find_tag(x);
        const bool strips = tag < x->n && x->s[tag + 1] != '{';
        const size_t from = x->at;
        const size_t to = tag < x->n ? trimmed_end(x, from, tag, strips) : tag;
        const int line = x->line;
        go(x, tag - x->at);
        if (to > from && !x->tag_waits) {
            x->tag_waits = tag < x->n;
            *out =
                (struct token){.kind = TOKEN_TEXT, .line = line, .s = x->s + from, .n = to - from};
            return ST_OK;
        }
        if (tag < x->n) TRY(take_tag(x, out, &got));
    }
    return ST_OK;
}

/* ---- inside of tags ---------------------------------------------------------------------- */

static bool take_end(struct lexer *x, struct token *out)
{
    const bool block = x->mode == LEXER_BLOCK;
    const char *close = block ? "%}" : "}}";
    const int sign = peek(x, 0) == '-' || (block && peek(x, 0) == '+');
    if (x->n_brackets || x->n - x->at < (size_t)sign + 2 || memcmp(x->s + x->at + sign, close, 2))
        return false;
    *out = (struct token){.kind = block ? TOKEN_BLOCK_END : TOKEN_PRINT_END, .line = x->line};
    if (block) {
        close_tag(x, x->at + (size_t)sign);
    } else {
        go(x, (size_t)sign + 2);
        if (sign) go_spaces(x);
        x->line_starts = x->s[x->at - 1] == '\n';
    }
    x->mode = LEXER_TEXT;
    return true;
}

static bool is_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static void take_name(struct lexer *x, struct token *out)
{
    size_t n = 1;
    while (is_name_byte(peek(x, n))) n++;
    *out = (struct token){.kind = TOKEN_NAME, .line = x->line, .s = x->s + x->at, .n = n};
    go(x, n);
}

static enum status take_string(struct lexer *x, struct token *out)
{
    const char quote = x->s[x->at];
    size_t end = x->at + 1;
    while (end < x->n && x->s[end] != quote) end += x->s[end] == '\\' ? 2 : 1;
    if (end >= x->n) return lexer_fault(x->err, x->line, "the string that begins here has no end");
    const char *inside = x->s + x->at + 1;
    const size_t n = end - x->at - 1;
    *out = (struct token){.kind = TOKEN_STRING, .line = x->line, .s = inside, .n = n};
    go(x, n + 2);
    if (!memchr(inside, '\\', n)) return ST_OK;
    char *plain = pool_take(x->pool, n + 1);
    if (!plain) return err_memory(x->err, "a chat template of %zu bytes", x->n);
    out->s = plain;
    if (!literal_string(inside, n, plain, &out->n))
        return lexer_fault(x->err, out->line, "expected an escape that exists, found %.*s",
                           (int)(n < 40 ? n : 40), inside);
    return ST_OK;
}

static enum status take_number(struct lexer *x, struct token *out)
{
    struct literal_number number;
    const bool after_dot = x->at && x->s[x->at - 1] == '.'; /* a.1.2 has no float in it */
    const size_t n = literal_number(x->s + x->at, x->n - x->at, !after_dot, &number);
    *out = (struct token){.kind = number.is_float ? TOKEN_FLOAT : TOKEN_INT,
                          .line = x->line,
                          .i = number.i,
                          .f = number.f};
    if (number.too_large)
        return lexer_fault(x->err, x->line, "expected a number below 2^63, found %.*s",
                           (int)(n < 40 ? n : 40), x->s + x->at);
    go(x, n);
    return ST_OK;
}

static enum status count_bracket(struct lexer *x, int c)
{
    static const char open[] = "([{", close[] = ")]}";
    const char *at = strchr(open, c);
    if (at) {
        if (x->n_brackets == LEXER_BRACKETS_MAX)
            return lexer_fault(x->err, x->line, "more than %d open brackets", LEXER_BRACKETS_MAX);
        x->bracket[x->n_brackets++] = close[at - open];
    } else if (strchr(close, c)) {
        if (!x->n_brackets) return lexer_fault(x->err, x->line, "unexpected '%c'", c);
        if (x->bracket[--x->n_brackets] != c)
            return lexer_fault(x->err, x->line, "expected '%c', found '%c'",
                               x->bracket[x->n_brackets], c);
    }
    return ST_OK;
}

static enum status take_operator(struct lexer *x, struct token *out)
{
    static const char *const two[] = {"//", "**", "==", "!=", "<=", ">="};
    const int c = peek(x, 0);
    *out =
        (struct token){.kind = TOKEN_OPERATOR, .line = x->line, .op = c, .s = x->s + x->at, .n = 1};
    for (int i = 0; i < 6; i++)
        if (looks_at(x, two[i])) {
            out->op = OP_FLOORDIV + i;
            out->n = 2;
        }
    if (out->n == 1 && (c <= 0 || !strchr("+-/*%~[](){}><=.:|,;", c)))
        return lexer_fault(x->err, x->line, "unexpected character '%c' in a tag",
                           c >= 32 && c < 127 ? c : '?');
    TRY(count_bracket(x, out->n == 1 ? c : ' '));
    go(x, out->n);
    return ST_OK;
}

static enum status next_inside(struct lexer *x, struct token *out)
{
    for (;;) {
        if (take_end(x, out)) return ST_OK;
        const size_t before = x->at;
        go_spaces(x);
        if (x->at == before) break;
    }
    const int c = peek(x, 0);
    if (c < 0) return lexer_fault(x->err, x->line, "the template ends inside of a tag");
    if (c >= '0' && c <= '9') return take_number(x, out);
    if (c == '\'' || c == '"') return take_string(x, out);
    if (!is_name_byte(c)) return take_operator(x, out);
    take_name(x, out);
    return ST_OK;
}

enum status lexer_next(struct lexer *x, struct token *out)
{
    return x->mode == LEXER_TEXT ? next_text(x, out) : next_inside(x, out);
}
