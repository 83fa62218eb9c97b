#include "grade/clean.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Each replacement has at most CLEAN_GROWTH times the bytes of what it replaces. */
static const struct {
    const char *from, *to;
} signs[] = {
    {"\\!", ""},
    {"\\,", " "},
    {"\\;", " "},
    {"\\:", " "},
    {"\\ ", " "},
    {"~", " "},
    {"\\(", " "},
    {"\\)", " "},
    {"\\[", " "},
    {"\\]", " "},
    {"\xc2\xa0", " "},           /* no-break space */
    {"\xe2\x80\x89", " "},       /* thin space */
    {"\xe2\x80\xaf", " "},       /* narrow no-break space */
    {"\xe3\x80\x80", " "},       /* ideographic space */
    {"\xe3\x80\x81", ","},       /* ideographic comma */
    {"\xe3\x80\x82", "."},       /* ideographic full stop */
    {"\xe2\x88\x92", "-"},       /* minus */
    {"\xe2\x80\x93", "-"},       /* en dash */
    {"\xe2\x80\x91", "-"},       /* no-break hyphen */
    {"\xe2\x80\x99", "'"},       /* apostrophe */
    {"\xc3\x97", "\\times "},    /* multiplication sign */
    {"\xc2\xb7", "\\cdot "},     /* middle dot */
    {"\xe2\x8b\x85", "\\cdot "}, /* dot operator */
    {"\xc3\xb7", "/"},           /* division sign */
    {"\xe2\x81\x84", "/"},       /* fraction slash */
    {"\xe2\x88\x9a", "\\sqrt "}, /* root */
    {"\xe2\x88\x9b", "\\sqrt[3]"},
    {"\xcf\x80", "\\pi "},        /* pi */
    {"\xce\xb8", "\\theta "},     /* theta */
    {"\xce\xb1", "\\alpha "},     /* alpha */
    {"\xce\xb2", "\\beta "},      /* beta */
    {"\xce\xbb", "\\lambda "},    /* lambda */
    {"\xe2\x88\x9e", "\\infty "}, /* infinity */
    {"\xc2\xb0", "^\\circ "},     /* degree */
    {"\xc2\xb1", "\\pm "},        /* plus-minus */
    {"\xe2\x89\xa4", "\\le "},    /* at most */
    {"\xe2\x89\xa5", "\\ge "},    /* at least */
    {"\xe2\x89\xa0", "\\ne "},    /* not equal */
    {"\xe2\x89\x88", "\\approx "},
    {"\xe2\x88\xaa", "\\cup "}, /* union */
    {"\xe2\x88\xa9", "\\cap "}, /* intersection */
    {"\xe2\x88\x88", "\\in "},  /* element */
    {"\xe2\x88\x85", "\\emptyset "},
    {"\xe2\x84\x9d", "\\R "}, /* the reals */
    {"\xe2\x9f\xa8", "\\langle "},
    {"\xe2\x9f\xa9", "\\rangle "},
    {"\xc2\xbd", "\\frac{1}{2}"},
    {"\xc2\xbc", "\\frac{1}{4}"},
    {"\xc2\xbe", "\\frac{3}{4}"},
    {"\xe2\x85\x93", "\\frac{1}{3}"},
    {"\xe2\x85\x94", "\\frac{2}{3}"},
    {"\xe2\x85\x95", "\\frac{1}{5}"},
    {"\xe2\x85\x99", "\\frac{1}{6}"},
    {"\xe2\x85\x9b", "\\frac{1}{8}"},
    {"\xe2\x85\x9c", "\\frac{3}{8}"},
    {"\xe2\x85\x9d", "\\frac{5}{8}"},
    {"\xe2\x85\x9e", "\\frac{7}{8}"},
    {"\xe2\x80\xa6", "\\ldots "}, /* ellipsis */
    {"\xe2\x89\xa1", "\\equiv "},
};
enum { N_SIGNS = sizeof signs / sizeof *signs };

/* Raised and lowered digits and signs; a run of them, as in 10 to the minus 3, is one argument. */
static const struct script {
    const char *from;
    char position, to;
} scripts[] = {
    {"\xe2\x81\xb0", '^', '0'}, {"\xc2\xb9", '^', '1'},     {"\xc2\xb2", '^', '2'},
    {"\xc2\xb3", '^', '3'},     {"\xe2\x81\xb4", '^', '4'}, {"\xe2\x81\xb5", '^', '5'},
    {"\xe2\x81\xb6", '^', '6'}, {"\xe2\x81\xb7", '^', '7'}, {"\xe2\x81\xb8", '^', '8'},
    {"\xe2\x81\xb9", '^', '9'}, {"\xe2\x81\xba", '^', '+'}, {"\xe2\x81\xbb", '^', '-'},
    {"\xe2\x81\xbf", '^', 'n'}, {"\xe2\x82\x80", '_', '0'}, {"\xe2\x82\x81", '_', '1'},
    {"\xe2\x82\x82", '_', '2'}, {"\xe2\x82\x83", '_', '3'}, {"\xe2\x82\x84", '_', '4'},
    {"\xe2\x82\x85", '_', '5'}, {"\xe2\x82\x86", '_', '6'}, {"\xe2\x82\x87", '_', '7'},
    {"\xe2\x82\x88", '_', '8'}, {"\xe2\x82\x89", '_', '9'}, {"\xe2\x82\x99", '_', 'n'},
};
enum { N_SCRIPTS = sizeof scripts / sizeof *scripts };

/* Is every backslash before a letter one of a pair, as in "\\frac"? Then the text was escaped
 * twice. */
static bool doubled(const char *s)
{
    bool any = false;
    while ((s = strchr(s, '\\'))) {
        size_t run = strspn(s, "\\");
        if (isalpha((unsigned char)s[run])) {
            if (run % 2) return false;
            any = true;
        }
        s += run;
    }
    return any;
}

static void halve(char *s)
{
    char *to = s;
    while (*s) {
        if (s[0] == '\\' && s[1] == '\\') s++;
        *to++ = *s++;
    }
    *to = 0;
}

/* A comma between digits that LaTeX keeps from spacing is no separator: "{,}", and one with "\\!"
 * on either side, whatever spaces stand about it. */
static size_t glue(const char *s)
{
    size_t n = 0;
    bool comma = false, tight = false;
    for (;;) {
        if (!strncmp(s + n, "\\!", 2))
            tight = true, n += 2;
        else if (!strncmp(s + n, "\\,", 2))
            n += 2;
        else if (!comma && !strncmp(s + n, "{,}", 3))
            comma = tight = true, n += 3;
        else if (!comma && s[n] == ',')
            comma = true, n++;
        else if (s[n] == ' ')
            n++;
        else
            return comma && tight ? n : 0;
    }
}

static const char *sign_at(const char *s, size_t *bytes)
{
    for (int i = 0; i < N_SIGNS; i++) {
        *bytes = strlen(signs[i].from);
        if (!strncmp(s, signs[i].from, *bytes)) return signs[i].to;
    }
    return NULL;
}

/* "\\" starts a new row, and what follows is no command of one character. */
static size_t row(const char *s)
{
    return s[0] == '\\' && s[1] == '\\' ? 2 : 0;
}

static const struct script *script_at(const char *s)
{
    if ((unsigned char)*s < 0x80) return NULL;
    for (int i = 0; i < N_SCRIPTS; i++)
        if (!strncmp(s, scripts[i].from, strlen(scripts[i].from))) return &scripts[i];
    return NULL;
}

/* Writes the run of scripts in one position that begins at s; returns where it ends. */
static const char *script_run(const char *s, char **to)
{
    const struct script *first = script_at(s), *script = first;
    if (!first) return s;
    *(*to)++ = first->position;
    *(*to)++ = '{';
    for (; script && script->position == first->position; script = script_at(s)) {
        *(*to)++ = script->to;
        s += strlen(script->from);
    }
    *(*to)++ = '}';
    return s;
}

/* Bytes of a calculator's note, "<<3+4=7>>", as gsm8k's solutions have them. */
static size_t note(const char *s)
{
    if (s[0] != '<' || s[1] != '<') return 0;
    const size_t n = strcspn(s, ">");
    return s[n] && s[n + 1] == '>' && memchr(s, '=', n) ? n + 2 : 0;
}

static void translate(const char *s, char *to)
{
    const bool rows = strstr(s, "\\begin") != NULL;
    while (*s) {
        /* where there are no rows to start, "\\frac" is \frac */
        if (!rows && s[0] == '\\' && s[1] == '\\' && isalpha((unsigned char)s[2])) s++;
        size_t bytes = row(s);
        const char *sign, *run;
        if (bytes) {
            *to++ = *s++, *to++ = *s++;
        } else if ((bytes = glue(s))) {
            *to++ = CLEAN_GLUE;
            s += bytes;
        } else if ((bytes = note(s))) {
            s += bytes;
        } else if ((run = script_run(s, &to)) != s) {
            s = run;
        } else if ((sign = sign_at(s, &bytes))) {
            to = stpcpy(to, sign);
            s += bytes;
        } else {
            if (isspace((unsigned char)*s))
                *to++ = ' ';
            else if (*s >= 0x20 && *s < 0x7f)
                *to++ = *s;
            s++;
        }
    }
    *to = 0;
}

/* The code point at s and its bytes; 0: none of two to four bytes. */
static uint32_t code_point(const char *s, size_t *bytes)
{
    const uint8_t *b = (const uint8_t *)s;
    *bytes = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    if (b[0] < 0xc0) return 0;
    uint32_t code = b[0] & (0x7fu >> *bytes);
    for (size_t i = 1; i < *bytes; i++) {
        if ((b[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (b[i] & 0x3f);
    }
    return code;
}

/* The ASCII character that a character of another width, style or script stands for: full-width
 * signs, and decimal digits. 0: it has none. */
static char plain_form(uint32_t code)
{
    static const uint32_t zeros[] = {0x660,   0x6f0,   0x966,   0x9e6,   0xe50,
                                     0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6};
    if (code > 0xff00 && code < 0xff5f) return (char)(code - 0xff00 + 0x20);
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (code >= zeros[i] && code < zeros[i] + 10) return (char)('0' + (code - zeros[i]));
    return 0;
}

static void fold(char *s)
{
    char *to = s;
    while (*s) {
        size_t bytes;
        const uint32_t code = code_point(s, &bytes);
        const char plain = code ? plain_form(code) : 0;
        if (plain) {
            *to++ = plain;
            s += bytes;
        } else {
            *to++ = *s++;
        }
    }
    *to = 0;
}

char *clean_text(const char *text, size_t n)
{
    char *copy = strndup(text, n), *out = NULL;
    if (copy) out = malloc(CLEAN_GROWTH * n + 1);
    if (out) {
        fold(copy);
        if (doubled(copy)) halve(copy);
        translate(copy, out);
    }
    free(copy);
    return out;
}
