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
