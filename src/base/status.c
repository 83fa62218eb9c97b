#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message may quote bytes of a hostile file: keep it on one line and free of escapes. */
static void make_harmless(char *message)
{
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
}

enum status err_set(struct err *err, enum status code, const char *format, ...)
{
    if (!err) return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    make_harmless(err->message);
    return code;
}

enum status err_memory(struct err *err, const char *what, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    return err_set(err, ST_MEMORY, "no memory for %.1000s", text);
}

enum status err_prefix(struct err *err, enum status code, const char *prefix)
{
    if (!err) return code;
    char old[ERR_MESSAGE_MAX];
    memcpy(old, err->message, sizeof old);
    return err_set(err, code, "%.300s: %.700s", prefix, old);
}

const char *status_name(enum status code)
{
    switch (code) {
    case ST_OK: return "ok";
    case ST_IO: return "io";
    case ST_FORMAT: return "format";
    case ST_SUPPORT: return "support";
    case ST_ARG: return "argument";
    case ST_MEMORY: return "memory";
    case ST_FULL: return "full";
    case ST_CANCELLED: return "cancelled";
    }
    return "unknown";
}
