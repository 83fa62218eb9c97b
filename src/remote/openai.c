/*
 * A plain server of OpenAI's completions. It takes ids and answers with texts: a token is found by
 * its bytes, which a server writes as bytes:\xNN where they are no whole characters.
 */
#include "remote/pieces.h"
#include "remote/shape.h"

#include <math.h>
#include <string.h>

static enum status ask(const struct server *s, const struct want *w, struct post *out,
                       struct err *err)
{
    const ead_sampler_options *o = w->sampler;
    json_t *how = json_pack("{s:i,s:f,s:f,s:i}", "max_tokens", w->max_tokens, "temperature",
                            (double)o->temperature, "top_p", (double)o->top_p, "logprobs", w->top);
    if (o->temperature > 0) how = shape_with(how, json_pack("{s:I}", "seed", shape_seed(w)));
    return shape_post("/completions", shape_with(shape_prompt(s, w, "prompt"), how), out, err);
}

/* ---- answers ------------------------------------------------------------------------------- */

static const char in_bytes[] = "bytes:";
enum { N_IN_BYTES = sizeof in_bytes - 1, BYTES_MAX = 256 };

static bool is_in_bytes(const struct shape_token *t)
{
    return t->n >= N_IN_BYTES + 4 && !memcmp(t->name, in_bytes, N_IN_BYTES) &&
           t->name[N_IN_BYTES] == '\\';
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at) return -1;
    return (int)(at - digits) - (at - digits > 15 ? 6 : 0);
}

/* \xNN, one after the other. Returns how many; 0 where they are none. */
static size_t read_bytes(const char *s, size_t n, char out[BYTES_MAX])
{
    size_t count = 0;
    for (; n >= 4 && count < BYTES_MAX; s += 4, n -= 4) {
        const int high = digit(s[2]), low = digit(s[3]);
        if (s[0] != '\\' || s[1] != 'x' || high < 0 || low < 0) return 0;
        out[count++] = (char)(16 * high + low);
    }
    return n ? 0 : count;
}

static bool is_broken(const struct shape_token *t)
{
    static const char mark[] = "\xef\xbf\xbd";
    return strstr(t->name, mark) != NULL;
}

/* Beside a token that is told in bytes its own entry has characters that stand for what is none;
 * the probability tells it from others. */
static int32_t name_id(const struct reader *r, const struct shape_token *t,
                       const struct shape_token *own)
{
    char bytes[BYTES_MAX];
    if (own && is_in_bytes(own) && is_broken(t) && fabsf(t->log_prob - own->log_prob) < 1e-6f)
        return own->id;
    if (!is_in_bytes(t)) return pieces_find(r->pieces, t->name, t->n);
    const size_t n = read_bytes(t->name + N_IN_BYTES, t->n - N_IN_BYTES, bytes);
    return pieces_find(r->pieces, bytes, n);
}

static enum status read_tokens(struct reader *r, const json_t *choice, struct err *err)
{
    struct shape_columns c;
    TRY(shape_columns(r, choice, &c, err));
    if (!c.n && json_string_length(json_object_get(choice, "text")))
        return shape_refuse(r, "a text came without log-probabilities", err);
    for (size_t i = 0; i < c.n && !r->enough; i++) {
        struct shape_token t;
        TRY(shape_column(r, &c, i, name_id, &t, err));
        TRY(reader_token(r, t.id, t.log_prob, err));
    }
    return ST_OK;
}

static enum status read_event(struct reader *r, const json_t *event, bool whole, struct err *err)
{
    (void)whole;
    if (!r->pieces) return err_set(err, ST_ARG, "tokens that are texts need a vocabulary");
    return shape_event(r, event, read_tokens, err);
}

const struct dialect dialect_openai = {
    .name = "openai",
    .help = "a plain server of OpenAI's completions; tokens are told by their texts",
    .mute =
        "a plain server of completions tells no log-probabilities of given tokens; vLLM, SGLang "
        "and ead serve do",
    .top = 5,
    .ask = ask,
    .read = read_event,
    .models = "/models",
    .context = "/models",
    .read_context = shape_context,
};
