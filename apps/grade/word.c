#include "grade/word.h"

#include "grade/latex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is(const char *name, const char *s, size_t n)
{
    return strlen(name) == n && !strncmp(name, s, n);
}

bool word_is(const char *word, const char *s, size_t n)
{
    return strlen(word) == n && !strncasecmp(word, s, n);
}

const struct command *word_function(const char *s, size_t n)
{
    const struct command *c = command_find(s, n);
    return c && (c->kind == TOKEN_FUNCTION || c->kind == TOKEN_FRAC) ? c : NULL;
}

size_t word_prefix(const char *s, size_t n)
{
    for (size_t k = n < 6 ? n : 6; k >= 2; k--) {
        if (word_function(s, k) && k >= 3) return k;
        if (is("ln", s, k) || is("pi", s, k) || is("sqrt", s, k)) return k;
    }
    return 0;
}

bool word_is_short(const char *s, size_t n)
{
    static const char *const words[] = {"yes", "no",  "odd", "one", "two", "six",
                                        "ten", "not", "men", "bus", "so"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_is(words[i], s, n)) return true;
    return false;
}

bool word_is_name(const char *s, size_t n)
{
    return n == 3 && isupper((unsigned char)s[0]) && islower((unsigned char)s[1]) &&
           islower((unsigned char)s[2]) && strcspn(s + 1, "aeiouy") < 2 &&
           (!s[3] || strchr(" ,.&$}", s[3]));
}

bool word_is_named(const char *s, size_t n, size_t prefix)
{
    if (!prefix || n == prefix) return prefix > 0;
    if (is("since", s, n) || is("tank", s, n) || s[n - 1] == 's') return false;
    return n - prefix <= (prefix == 2 ? 1 : 2);
}

size_t word_length(const char *s)
{
    size_t n = 0;
    while (isalpha((unsigned char)s[n]) ||
           (n && strchr("-'.", s[n]) && s[n] && isalpha((unsigned char)s[n + 1])))
        n++;
    return n;
}
