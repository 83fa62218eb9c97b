/* Why a request is not served, as OpenAI's clients know it: an HTTP status, and an object that
 * names the parameter at fault. */
#ifndef EAD_SERVER_REFUSAL_H
#define EAD_SERVER_REFUSAL_H

#include <jansson.h>
#include <stdbool.h>

struct refusal {
    int status;       /* of HTTP */
    const char *code; /* "model_not_found", "context_length_exceeded", ...; static; NULL: null */
    char param[96];   /* "messages[0].content"; empty: null */
    char message[512];
};

/* Fill *r and return false, so that a caller can `return refuse(...)`. `code` and `param` may be
 * NULL. */
bool refuse(struct refusal *r, int status, const char *code, const char *param, const char *format,
            ...) __attribute__((format(printf, 5, 6)));
/* The same where no memory was found. */
bool refuse_memory(struct refusal *r);

/* {"error": {"message", "type", "param", "code"}}; NULL without memory. */
json_t *refusal_json(const struct refusal *r);

#endif
