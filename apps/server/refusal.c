#include "server/refusal.h"

#include "base/utf8.h"

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

/* What a client sent may stand in a message, and be no UTF-8, or have been cut within a character.
 */
static json_t *text_json(const char *text)
{
    char clean[3 * sizeof ((struct refusal *)0)->message + 1], *to = clean;
    const size_t n = strlen(text);
    for (size_t i = 0; i < n;) {
        const int bytes = utf8_char(text + i, n - i);
        memcpy(to, bytes > 0 ? text + i : "\xef\xbf\xbd", bytes > 0 ? (size_t)bytes : 3);
        to += bytes > 0 ? bytes : 3;
        i += bytes > 0 ? (size_t)bytes : 1;
    }
    return json_stringn(clean, (size_t)(to - clean));
}

json_t *refusal_json(const struct refusal *r)
{
    return json_pack("{s:{s:o,s:s,s:o,s:s?}}", "error", "message", text_json(r->message), "type",
                     type_of(r->status), "param", r->param[0] ? text_json(r->param) : json_null(),
                     "code", r->code);
}
