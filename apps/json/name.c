#include "json/name.h"

#include <stdio.h>

void name_in_json(const char *option, char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "%s", option);
    for (char *c = out; *c; c++) *c = *c == '-' ? '_' : *c;
}
