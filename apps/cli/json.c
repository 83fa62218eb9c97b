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
