#include "grade/extract.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool space(char c)
{
    return isspace((unsigned char)c);
}

struct part extract_trim(struct part part)
{
    static const char *const marks[] = {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>",
                                        "<|im_start|>"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *mark = memmem(part.s, part.n, marks[i], strlen(marks[i]));
        if (mark) part.n = (size_t)(mark - part.s);
    }
    while (part.n && space(part.s[0])) part.s++, part.n--;
    while (part.n && space(part.s[part.n - 1])) part.n--;
    return part;
}

static bool found(const char *from, size_t n, struct part *out)
{
    *out = extract_trim((struct part){from, n});
    return out->n > 0;
}

/* The next `close` at or behind s that no backslash escapes; NULL: there is none. */
static const char *closing(const char *s, const char *close)
{
    const size_t n = strlen(close);
    for (; *s; s++) {
        if (!strncmp(s, close, n)) return s;
        if (*s == '\\' && s[1]) s++;
    }
    return NULL;
}

/* ---- boxes --------------------------------------------------------------------------------- */

/* Bytes between the brace at s and its partner; false when it has none. */
static bool balanced(const char *s, size_t *n)
{
    int depth = 0;
    for (size_t i = 0; s[i]; i++) {
        if (s[i] == '\\' && s[i + 1]) {
            i++; /* \{ and \} do not count */
        } else if (s[i] == '{') {
            depth++;
        } else if (s[i] == '}' && !--depth) {
            *n = i - 1;
            return true;
        }
    }
    return false;
}

static bool odd_dollars(const char *s, const char *end)
{
    bool odd = false;
    while ((s = closing(s, "$")) && (!end || s < end)) odd ^= true, s++;
    return odd;
}

/* The box whose command ends at s. "\boxed X$" ends with the formula that it stands in: in the text
 * as a whole, or in what is left of it, a "$" is without a partner. */
static bool box_at(const char *text, const char *s, struct part *out)
{
    size_t n;
    const char *open = s + strspn(s, " \t\r\n");
    if (*open == '{') return balanced(open, &n) && found(open + 1, n, out);
    const char *close = open == s ? NULL : closing(open, "$");
    if (!close || (!odd_dollars(text, s) && !odd_dollars(s, NULL))) return false;
    return found(open, (size_t)(close - open), out);
}

/* Unbalanced boxes each cost a walk to the end of the text, so only so many are looked at. */
enum { BOXES_MAX = 64 };

static bool last_box(const char *text, const char *command, struct part *out)
{
    const size_t length = strlen(command);
    const char *end = text + strlen(text);
    for (int tries = 0; tries < BOXES_MAX; tries++) {
        const char *last = NULL;
        for (const char *s = text; (s = memmem(s, (size_t)(end - s), command, length)); s += length)
            last = s;
        if (!last) return false;
        if (!isalpha((unsigned char)last[length]) && box_at(text, last + length, out)) return true;
        end = last;
    }
    return false;
}

bool extract_box(const char *text, struct part *out)
{
    return last_box(text, "\\boxed", out) || last_box(text, "\\fbox", out);
}

/* ---- gsm8k --------------------------------------------------------------------------------- */

bool extract_hashes(const char *text, struct part *out)
{
    const char *last = NULL;
    for (const char *s = text; (s = strstr(s, "####")); s++) last = s;
    if (!last) return false;
    last += strspn(last, "# \t");
    return found(last, strcspn(last, "\n"), out);
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of the number at s, which begins with a digit or with '.' and a digit. */
static size_t number_length(const char *s)
{
    size_t n = 0;
    bool slash = false;
    while (digit(s[n]) ||
           (s[n] && strchr(",./", s[n]) && digit(s[n + 1]) && !(slash && s[n] == '/')))
        slash |= s[n++] == '/';
    return n;
}

bool extract_number(const char *text, struct part *out)
{
    bool any = false;
    for (const char *s = text; *s;) {
        size_t n = digit(*s) || (*s == '.' && digit(s[1])) ? number_length(s) : 0;
        if (!n) {
            s++;
            continue;
        }
        const char *from = s;
        if (from > text && from[-1] == '$') from--;
        const bool minus =
            from > text && from[-1] == '-' &&
            (from - 1 == text || (!isalnum((unsigned char)from[-2]) && from[-2] != ')'));
        s += n;
        any = found(from - minus, (size_t)(s - from) + minus, out);
    }
    return any;
}

/* ---- prose --------------------------------------------------------------------------------- */

static const struct delimiter {
    const char *open, *close;
} delimiters[] = {{"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
enum { N_DELIMITERS = sizeof delimiters / sizeof *delimiters };

/* The text between two prices, the "5 + " of "$5 + $15 = $20" or the "15 and " of "$15 and $x$", is
 * no formula. */
static bool is_between_prices(const char *s, const char *close)
{
    const struct part between = extract_trim((struct part){s, (size_t)(close - s)});
    if (digit(close[1])) return true;
    return digit(s[0]) && space(close[-1]) &&
           (extract_count_words(between) || strchr("+-*/=,(", between.s[between.n - 1]));
}

/* The kinds of delimiters that open somewhere and close nowhere behind it: one that does not close
 * closes nowhere later either, and is looked for but once. */
struct unclosed {
    bool kind[N_DELIMITERS];
};

/* Where the math at s ends; NULL: it is not closed, or there is none. *out is empty where two "$"
 * hold no formula. */
static const char *math_at(const char *s, struct unclosed *unclosed, struct part *out)
{
    for (int i = 0; i < N_DELIMITERS; i++) {
        const size_t length = strlen(delimiters[i].open);
        if (unclosed->kind[i] || strncmp(s, delimiters[i].open, length)) continue;
        const char *from = s + length, *close = closing(from, delimiters[i].close);
        unclosed->kind[i] = !close;
        if (!close) return NULL;
        if (!found(from, (size_t)(close - from), out) ||
            (*s == '$' && length == 1 && is_between_prices(from, close)))
            out->n = 0;
        return close + length;
    }
    return NULL;
}

bool extract_math(const char *text, struct part *out)
{
    struct unclosed unclosed = {0};
    bool any = false;
    for (const char *s = text; *s;) {
        struct part math;
        const char *end = *s == '$' || *s == '\\' ? math_at(s, &unclosed, &math) : NULL;
        if (end && math.n) *out = math, any = true;
        if (end && math.n)
            s = end;
        else
            s += *s == '\\' && s[1] ? 2 : 1;
    }
    return any;
}

/* "5! We ..." ends behind its mark, which may be that of a factorial. */
static size_t sentence_length(const char *s)
{
    size_t n = 0;
    while (s[n] && s[n] != '\n' && !(s[n] == '.' && (!s[n + 1] || space(s[n + 1])))) {
        if (s[n++] == '!' && s[n] == ' ' && isupper((unsigned char)s[n + 1])) break;
    }
    return n;
}

/* Does only "Final" and marks stand before s on its line? */
static bool starts_heading(const char *text, const char *s)
{
    static const char marks[] = " *#_";
    while (s > text && strchr(marks, s[-1])) s--;
    if (s - text >= 5 && !strncasecmp(s - 5, "final", 5)) s -= 5;
    while (s > text && strchr(marks, s[-1])) s--;
    return s == text || s[-1] == '\n';
}

/* Bytes at s, which begins with "answer", up to what is given as one; 0: nothing is. The heading
 * "**Final Answer**" ends its line. */
static size_t phrase_length(const char *text, const char *s)
{
    static const char *const phrases[] = {"answer is", "answer:", "answers are", "answer :"};
    for (int i = 0; i < 4; i++)
        if (!strncasecmp(s, phrases[i], strlen(phrases[i]))) return strlen(phrases[i]);
    const size_t n = strlen("answer"), marks = strspn(s + n, "*_: \t\r");
    return s[n + marks] == '\n' && starts_heading(text, s) ? n + marks : 0;
}

bool extract_phrase(const char *text, struct part *out)
{
    const char *last = NULL;
    for (const char *s = text; (s = strcasestr(s, "answer")); s++) {
        const size_t n = phrase_length(text, s);
        if (n) last = s + n;
    }
    if (!last) return false;
    last += strspn(last, " :*\r\n\t");
    struct unclosed unclosed = {0};
    if (math_at(last, &unclosed, out) && out->n) return true;
    return found(last, sentence_length(last), out);
}

bool extract_last_line(const char *text, struct part *out)
{
    const struct part all = extract_trim((struct part){text, strlen(text)});
    const char *end = all.n ? memrchr(all.s, '\n', all.n) : NULL;
    if (!end || extract_count_words((struct part){all.s, (size_t)(end - all.s)}) < 2) return false;
    return found(end + 1, (size_t)(all.s + all.n - end) - 1, out);
}

size_t extract_count_words(struct part part)
{
    size_t words = 0;
    for (size_t i = 0; i < part.n;) {
        size_t n = 0;
        while (i + n < part.n && isalpha((unsigned char)part.s[i + n])) n++;
        words += n >= 2 && (!i || space(part.s[i - 1]));
        i += n ? n : 1;
    }
    return words;
}
