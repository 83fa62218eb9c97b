#include "server/refusal.h"

#include "json/unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool refuse(struct refusal *r, int status, const char *code, const char *param, const char *format,
            ...)
{
    va_list args;
    *r = (struct refusal){.status = status, .code = code};
    snprintf(r->param, sizeof r->param, "%s", param ? param : "");
    va_start(args, format);
    vsnprintf(r->message, sizeof r->message, format, args);
    va_end(args);
    return false;
}

bool refuse_memory(struct refusal *r)
{
    return refuse(r, 503, "no_memory", NULL, "no memory for this request now");
}

static const char *type_of(int status)
{
    if (status == 401) return "authentication_error";
    if (status == 429) return "rate_limit_error";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

/* What a client sent may stand in it, and be no UTF-8, or have been cut within a character. */
static json_t *text_json(const char *text)
{
    return unicode_json(text, strlen(text));
}

json_t *refusal_json(const struct refusal *r)
{
    return json_pack("{s:{s:o,s:s,s:o,s:s?}}", "error", "message", text_json(r->message), "type",
                     type_of(r->status), "param", r->param[0] ? text_json(r->param) : json_null(),
                     "code", r->code);
}
