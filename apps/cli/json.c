#include "cli/json.h"

#include "cli/cli.h"
#include "json/unicode.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text, size_t n)
{
    return unicode_json(text, n);
}

json_t *json_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_option(const ead_policy_options *policy, const ead_policy_option *option)
{
    const double most = 0x1p62, x = ead_policy_value(policy, option);
    switch (option->type) {
    case EAD_OPTION_REAL: return json_real(fmax(fmin(x, most), -most));
    case EAD_OPTION_INT:
        return option->words && x < 0 ? json_string(option->words[-(int)x - 1])
                                      : json_integer((json_int_t)x);
    case EAD_OPTION_FLAG: return json_boolean(x > 0);
    case EAD_OPTION_WORD: return json_string(option->words[(int)x]);
    }
    return NULL;
}

const char *json_digits(double x, char out[32])
{
    for (int digits = 9; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    return out;
}

int json_write(const char *path, const json_t *value)
{
    const bool standard = !strcmp(path, "-");
    FILE *to = standard ? stdout : fopen(path, "w");
    if (!to) return fail("%s: cannot create: %s", path, strerror(errno));
    int bad = json_dumpf(value, to, JSON_INDENT(1)) || fputc('\n', to) == EOF;
    if (standard ? fflush(to) : fclose(to)) bad = 1;
    if (!bad) return EXIT_OK;
    return fail("%s: cannot write: %s", standard ? "standard output" : path, strerror(errno));
}
