#include "eval/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"off", "on", NULL};

const ead_policy_option *option_find(const char *name)
{
    const ead_policy_option *option;
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++)
        if (!strcmp(option->name, name)) return option;
    return NULL;
}

bool option_concerns(const ead_policy_option *option, ead_policy_kind kind)
{
    return option->policies >> kind & 1;
}

bool option_wants_table(const ead_policy_options *rule)
{
    return rule->kind == EAD_POLICY_JUDGE ||
           (option_concerns(option_find("draft"), rule->kind) && rule->draft == EAD_DRAFT_SURVIVAL);
}

bool option_tells_all(ead_policy_kind kind)
{
    const ead_policy_info *info = ead_policy_describe(kind);
    return info && !info->needs_data;
}

/* ---- values ------------------------------------------------------------------------------ */

void option_put(const ead_policy_option *option, ead_policy_options *to, double value)
{
    void *at = (char *)to + option->offset;
    switch (option->type) {
    case EAD_OPTION_REAL: *(double *)at = value; break;
    case EAD_OPTION_INT:
    case EAD_OPTION_WORD: *(int *)at = (int)lround(value); break;
    case EAD_OPTION_FLAG: *(bool *)at = value > 0; break;
    }
}

static int place(const char *const *words, const char *text)
{
    for (int i = 0; words && words[i]; i++)
        if (!strcmp(words[i], text)) return i;
    return -1;
}

static bool read_number(const ead_policy_option *option, const char *text, double *value)
{
    char *end;
    const double x = strtod(text, &end);
    const bool whole = option->type != EAD_OPTION_INT || x == floor(x);
    /* Below zero a whole number may stand for a word, which has to be named. */
    const double low = option->type == EAD_OPTION_INT && option->words ? 0 : option->low;
    if (end == text || *end || !whole || !(x >= low && x <= option->high)) return false;
    *value = x;
    return true;
}

bool option_read(const ead_policy_option *option, const char *text, double *value)
{
    const bool flag = option->type == EAD_OPTION_FLAG;
    const int at = place(flag ? states : option->words, text);
    if (at >= 0) {
        *value = option->type == EAD_OPTION_INT ? -1 - at : at;
        return true;
    }
    if (flag || option->type == EAD_OPTION_WORD) return false;
    return read_number(option, text, value);
}

static void list_words(const char *const *words, char *out, size_t room)
{
    size_t n = 0;
    for (int i = 0; words[i] && n < room; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%s",
                              !i             ? ""
                              : words[i + 1] ? ", "
                                             : " or ",
                              words[i]);
}

void option_range(const ead_policy_option *option, char out[OPTION_RANGE_MAX])
{
    const bool whole = option->type == EAD_OPTION_INT;
    char words[96] = "";
    if (option->type == EAD_OPTION_FLAG || option->words)
        list_words(option->words ? option->words : states, words, sizeof words);
    if (option->type == EAD_OPTION_FLAG || option->type == EAD_OPTION_WORD)
        snprintf(out, OPTION_RANGE_MAX, "%s", words);
    else
        snprintf(out, OPTION_RANGE_MAX, "a %snumber from %g to %g%s%s", whole ? "whole " : "",
                 whole && option->words ? 0 : option->low, option->high, *words ? ", or " : "",
                 words);
}

void option_show(const ead_policy_option *option, double value, char out[OPTION_TEXT_MAX])
{
    if (option->type == EAD_OPTION_FLAG) {
        snprintf(out, OPTION_TEXT_MAX, "%s", states[value > 0]);
    } else if (option->type == EAD_OPTION_WORD) {
        snprintf(out, OPTION_TEXT_MAX, "%s", option->words[(int)value]);
    } else if (option->type == EAD_OPTION_INT && option->words && value < 0) {
        snprintf(out, OPTION_TEXT_MAX, "%s", option->words[-(int)value - 1]);
    } else if (option->type == EAD_OPTION_INT) {
        snprintf(out, OPTION_TEXT_MAX, "%.0f", value);
    } else {
        for (int n = 1; n <= 17; n++) {
            snprintf(out, OPTION_TEXT_MAX, "%.*g", n, value);
            if (strtod(out, NULL) == value) break;
        }
    }
}

json_t *option_json(const ead_policy_option *option, double value)
{
    char word[OPTION_TEXT_MAX];
    if (option->type == EAD_OPTION_FLAG) return json_boolean(value > 0);
    if (option->type == EAD_OPTION_REAL && isfinite(value)) return json_real(value);
    if (option->type == EAD_OPTION_INT && !(option->words && value < 0))
        return json_integer((json_int_t)value);
    option_show(option, value, word);
    return json_string(word);
}
