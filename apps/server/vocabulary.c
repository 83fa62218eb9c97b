#include "server/vocabulary.h"

#include "base/buf.h"
#include "server/ask_parts.h"
#include "json/jsonio.h"
#include "json/unicode.h"

#include <stdlib.h>
#include <string.h>

/* What a body asks for, without anything missing for want of memory. */
static json_t *answer(const struct ask_context *c, const char *body, size_t n,
                      json_t *make(const struct ask_context *, const struct field *),
                      struct refusal *r)
{
    jsonio_begin();
    struct field_weight weight;
    json_t *object = field_read(body, n, &weight, r);
    const struct field f = {object, "", r, &weight};
    json_t *out = object ? make(c, &f) : NULL;
    json_decref(object);
    if (jsonio_lacked()) refuse_memory(r);
    return jsonio_whole(out);
}

/* ---- text to ids ------------------------------------------------------------------------- */

static json_t *piece_json(const ead_model *model, int32_t id)
{
    size_t n = 0;
    const char *text = ead_token_text(model, id, &n);
    return unicode_json(text ? text : "", n);
}

/* llama-server gives a piece that is no UTF-8 as an array of its bytes. */
static json_t *piece_or_bytes(const ead_model *model, int32_t id)
{
    size_t n = 0;
    const char *text = ead_token_text(model, id, &n);
    json_t *whole = json_stringn(text ? text : "", n);
    if (whole) return whole;
    json_t *bytes = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(bytes, json_integer((unsigned char)text[i]));
    return bytes;
}

struct wish {
    bool special, parse, strings, pieces;
};

static bool are_few(size_t n, const char *param, struct refusal *r)
{
    return n <= VOCABULARY_TOKENS_MAX ||
           refuse(r, 413, "too_many_tokens", param, "%s: expected at most %d tokens, found %zu",
                  param, VOCABULARY_TOKENS_MAX, n);
}

static json_t *ids_json(const struct ask_context *c, const int32_t *ids, size_t n,
                        const struct wish *w)
{
    const ead_model *model = ask_speaker(c);
    json_t *tokens = json_array(), *strings = w->strings ? json_array() : json_null();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(tokens, w->pieces ? json_pack("{s:i,s:o}", "id", ids[i], "piece",
                                                            piece_or_bytes(model, ids[i]))
                                                : json_integer(ids[i]));
        if (w->strings) json_array_append_new(strings, piece_json(model, ids[i]));
    }
    return json_pack("{s:o,s:I,s:i,s:o}", "tokens", tokens, "count", (json_int_t)n, "max_model_len",
                     c->n_ctx, "token_strs", strings);
}

static json_t *answer_ids(const struct ask_context *c, const int32_t *ids, size_t n,
                          const struct wish *w, const char *param, struct refusal *r)
{
    json_t *out = are_few(n, param, r) ? ids_json(c, ids, n, w) : NULL;
    if (!out && n <= VOCABULARY_TOKENS_MAX) refuse_memory(r);
    return out;
}

/* vLLM calls the text "prompt" and llama-server "content"; BOS is added by default by the one and
 * not by the other. */
static bool read_wish(const struct field *f, bool vllm, struct wish *w)
{
    *w = (struct wish){.special = vllm, .parse = true};
    return field_flag(f, "add_special", &w->special) &&
           field_flag(f, "add_special_tokens", &w->special) &&
           field_flag(f, "parse_special", &w->parse) && field_flag(f, "with_pieces", &w->pieces) &&
           field_flag(f, "return_token_strs", &w->strings);
}

static json_t *tokenize_text(const struct ask_context *c, const struct field *f, const char *param,
                             const char *text, const struct wish *w)
{
    ead_error error;
    int32_t *ids;
    size_t n;
    const unsigned flags =
        (w->special ? EAD_ADD_BOS : 0u) | (w->parse ? (unsigned)EAD_PARSE_SPECIAL : 0u);
    const ead_status st = ead_tokenize(ask_speaker(c), text, strlen(text), flags, &ids, &n, &error);
    if (st) {
        if (st == EAD_MEMORY)
            refuse_memory(f->refusal);
        else
            refuse(f->refusal, 400, "invalid_value", param, "%s", error.message);
        return NULL;
    }
    json_t *out = answer_ids(c, ids, n, w, param, f->refusal);
    ead_free(ids);
    return out;
}

static json_t *tokenize_messages(const struct ask_context *c, const struct field *f,
                                 const struct wish *w)
{
    struct ask_prompt prompt = {0};
    json_t *out = NULL;
    if (ask_neutral(f) && ask_render(c, f, &prompt))
        out = answer_ids(c, prompt.ids, prompt.n, w, "messages", f->refusal);
    free(prompt.ids);
    return out;
}

static json_t *tokenize(const struct ask_context *c, const struct field *f)
{
    const char *prompt = NULL, *content = NULL;
    struct wish wish;
    if (!field_text(f, "prompt", &prompt) || !field_text(f, "content", &content) ||
        !read_wish(f, !content, &wish))
        return NULL;
    if (prompt) return tokenize_text(c, f, "prompt", prompt, &wish);
    if (content) return tokenize_text(c, f, "content", content, &wish);
    if (field_get(f, "messages")) return tokenize_messages(c, f, &wish);
    field_refuse(f, "prompt", "a text, as \"prompt\" or \"content\", or \"messages\"");
    return NULL;
}

json_t *vocabulary_tokenize(const struct ask_context *c, const char *body, size_t n,
                            struct refusal *r)
{
    return answer(c, body, n, tokenize, r);
}

/* ---- ids to text ------------------------------------------------------------------------- */

static bool add_piece(ead_detok *detok, int32_t id, struct buf *text, struct refusal *r)
{
    ead_error error;
    const char *piece;
    size_t n;
    if (ead_detok_add(detok, id, &piece, &n, &error)) return refuse_memory(r);
    if (n > VOCABULARY_TEXT_MAX - text->len)
        return refuse(r, 413, "text_too_long", "tokens",
                      "tokens: expected those of a text of at most %d bytes", VOCABULARY_TEXT_MAX);
    return buf_add(text, piece, n) == ST_OK || refuse_memory(r);
}

static bool add_pieces(const struct ask_context *c, const json_t *tokens, struct buf *text,
                       struct refusal *r)
{
    ead_error error;
    ead_detok *detok;
    if (ead_detok_open(ask_speaker(c), EAD_SHOW_SPECIAL, &detok, &error)) return refuse_memory(r);
    bool ok = true;
    for (size_t i = 0; i < json_array_size(tokens) && ok; i++)
        ok = add_piece(detok, (int32_t)json_integer_value(json_array_get(tokens, i)), text, r);
    ok = ok && add_piece(detok, -1, text, r);
    ead_detok_close(detok);
    return ok;
}

static json_t *text_json(const struct buf *text, struct refusal *r)
{
    json_t *all = unicode_json(text->data ? text->data : "", text->len);
    json_t *out = json_pack("{s:O,s:o}", "prompt", all, "content", all);
    if (!out) refuse_memory(r);
    return out;
}

static json_t *detokenize(const struct ask_context *c, const struct field *f)
{
    const json_t *tokens = field_get(f, "tokens");
    struct buf text = {0};
    if (!json_is_array(tokens)) {
        field_refuse(f, "tokens", "an array of ids");
        return NULL;
    }
    if (!are_few(json_array_size(tokens), "tokens", f->refusal)) return NULL;
    for (size_t i = 0; i < json_array_size(tokens); i++)
        if (!field_id(f, "tokens", i, json_array_get(tokens, i), c->n_vocab)) return NULL;
    json_t *out = add_pieces(c, tokens, &text, f->refusal) ? text_json(&text, f->refusal) : NULL;
    buf_deinit(&text);
    return out;
}

json_t *vocabulary_detokenize(const struct ask_context *c, const char *body, size_t n,
                              struct refusal *r)
{
    return answer(c, body, n, detokenize, r);
}

/* ---- what it is -------------------------------------------------------------------------- */

/* The special tokens by name, as the templates of this vocabulary see them. */
static json_t *specials(const struct ask_context *c)
{
    static const char source[] = "{\"bos_token\":{{ (bos_token or none)|tojson }},"
                                 "\"eos_token\":{{ (eos_token or none)|tojson }},"
                                 "\"unk_token\":{{ (unk_token or none)|tojson }},"
                                 "\"pad_token\":{{ (pad_token or none)|tojson }}}";
    const ead_template_options options = {.source = source, .bytes = sizeof source - 1};
    const ead_message any = {"user", ""}; /* no conversation is without */
    const ead_conversation conversation = {.messages = &any, .n_messages = 1};
    ead_template *t;
    ead_error error;
    json_error_t bad;
    char *text;
    size_t n;
    unsigned flags;
    if (ead_template_open(ask_speaker(c), &options, &t, &error)) return NULL;
    const bool ok = !ead_template_render(t, &conversation, &text, &n, &flags, &error);
    json_t *out = ok ? jsonio_read(text, n, 0, &bad) : NULL;
    if (ok) ead_free(text);
    ead_template_close(t);
    return out;
}

json_t *vocabulary_info(const struct ask_context *c, struct refusal *r)
{
    jsonio_begin();
    json_t *out = specials(c);
    json_t *rest =
        json_pack("{s:s,s:i,s:i,s:b}", "tokenizer_class", "ead", "vocab_size", c->n_vocab,
                  "model_max_length", c->n_ctx, "has_chat_template", c->chat != NULL);
    if (out && rest) json_object_update(out, rest);
    out = jsonio_whole(out);
    if (!out) refuse_memory(r);
    json_decref(rest);
    return out;
}
