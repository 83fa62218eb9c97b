#include "eval/fault.h"

#include <stdarg.h>
#include <stdio.h>

ead_status fault(ead_error *error, ead_status status, const char *format, ...)
{
    if (!error) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    error->status = status;
    return status;
}

ead_status fault_memory(ead_error *error, const char *what, ...)
{
    char text[sizeof error->message];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    return fault(error, EAD_MEMORY, "no memory for %.1000s", text);
}

ead_status fault_json(const json_error_t *bad, const char *path, size_t line, ead_error *error)
{
    if (!bad->text[0]) return fault_memory(error, "what %s says", path);
    return fault(error, EAD_FORMAT, "%s, line %zu: expected JSON, found: %s", path,
                 line + (size_t)(bad->line > 0 ? bad->line - 1 : 0), bad->text);
}
