#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* The one place of the library that prints: there is no caller left who could. */
void check_failed(const char *truth, const char *file, int line)
{
    fprintf(stderr, "ead: %s:%d: broken invariant: %s\n", file, line, truth);
    abort();
}
