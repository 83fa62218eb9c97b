#include "remote/dialect.h"
const struct dialect *dialect_find(const char *name, size_t n)
{
    (void)name;
    (void)n;
    return NULL;
}
const struct dialect *dialect_at(size_t i)
{
    (void)i;
    return NULL;
}
