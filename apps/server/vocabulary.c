#include "server/vocabulary.h"

#include "base/buf.h"
#include "server/ask_parts.h"
#include "json/unicode.h"

#include <stdlib.h>
#include <string.h>

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

static json_t *answer_ids(const struct ask_context *c, const int32_t *ids, size_t n,
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

static json_t *tokenize_text(const struct ask_context *c, const struct field *f, const char *text,
                             const struct wish *w)
{
    ead_error error;
    int32_t *ids;
    size_t n;
    const unsigned flags =
        (w->special ? EAD_ADD_BOS : 0u) | (w->parse ? (unsigned)EAD_PARSE_SPECIAL : 0u);
    if (ead_tokenize(ask_speaker(c), text, strlen(text), flags, &ids, &n, &error)) {
        refuse(f->refusal, 400, NULL, NULL, "%s", error.message);
        return NULL;
    }
    json_t *out = answer_ids(c, ids, n, w);
    ead_free(ids);
    if (!out) refuse_memory(f->refusal);
    return out;
}

static json_t *tokenize_messages(const struct ask_context *c, const struct field *f,
                                 const struct wish *w)
{
    struct ask_prompt prompt = {0};
    json_t *out = NULL;
    if (ask_neutral(f) && ask_render(c, f, &prompt)) {
        out = answer_ids(c, prompt.ids, prompt.n, w);
        if (!out) refuse_memory(f->refusal);
    }
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
    if (prompt || content) return tokenize_text(c, f, prompt ? prompt : content, &wish);
    if (field_get(f, "messages")) return tokenize_messages(c, f, &wish);
    field_refuse(f, "prompt", "a text, as \"prompt\" or \"content\", or \"messages\"");
    return NULL;
}

json_t *vocabulary_tokenize(const struct ask_context *c, const char *body, size_t n,
                            struct refusal *r)
{
    json_t *object = field_read(body, n, r);
    const struct field f = {object, "", r};
    json_t *out = object ? tokenize(c, &f) : NULL;
    json_decref(object);
    return out;
}

/* ---- ids to text ------------------------------------------------------------------------- */

static bool add_piece(ead_detok *detok, int32_t id, struct buf *text)
{
    ead_error error;
    const char *piece;
    size_t n;
    return !ead_detok_add(detok, id, &piece, &n, &error) && buf_add(text, piece, n) == ST_OK;
}

static json_t *detokenize(const struct ask_context *c, const struct field *f)
{
    const json_t *tokens = field_get(f, "tokens");
    struct buf text = {0};
    ead_error error;
    ead_detok *detok;
    json_t *out = NULL;
    if (!json_is_array(tokens)) {
        field_refuse(f, "tokens", "an array of ids");
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *id = json_array_get(tokens, i);
        if (json_is_integer(id) && json_integer_value(id) >= 0 &&
            json_integer_value(id) < c->n_vocab)
            continue;
        refuse(f->refusal, 400, "invalid_value", "tokens",
               "tokens: entry %zu: expected an id from 0 to %d, found %s %.6g", i, c->n_vocab - 1,
               field_kind(id), json_number_value(id));
        return NULL;
    }
    bool ok = !ead_detok_open(ask_speaker(c), EAD_SHOW_SPECIAL, &detok, &error);
    if (!ok) {
        refuse_memory(f->refusal);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(tokens) && ok; i++)
        ok = add_piece(detok, (int32_t)json_integer_value(json_array_get(tokens, i)), &text);
    ok = ok && add_piece(detok, -1, &text);
    const char *all = text.data ? text.data : "";
    if (ok)
        out = json_pack("{s:o,s:o}", "prompt", unicode_json(all, text.len), "content",
                        unicode_json(all, text.len));
    if (!out) refuse_memory(f->refusal);
    ead_detok_close(detok);
    buf_deinit(&text);
    return out;
}

json_t *vocabulary_detokenize(const struct ask_context *c, const char *body, size_t n,
                              struct refusal *r)
{
    json_t *object = field_read(body, n, r);
    const struct field f = {object, "", r};
    json_t *out = object ? detokenize(c, &f) : NULL;
    json_decref(object);
    return out;
}

/* ---- what it is -------------------------------------------------------------------------- */

static json_t *end_of_text(const struct ask_context *c)
{
    for (int32_t id = 0; id < c->n_vocab; id++)
        if (ead_token_is_end(ask_speaker(c), id)) return piece_json(ask_speaker(c), id);
    return json_null();
}

json_t *vocabulary_info(const struct ask_context *c, struct refusal *r)
{
    const int32_t bos = ead_token_bos(ask_speaker(c));
    json_t *end = end_of_text(c), *begin = bos >= 0 ? piece_json(ask_speaker(c), bos) : json_null();
    json_t *out = json_pack("{s:s,s:i,s:i,s:O,s:o,s:o,s:b}", "tokenizer_class", "ead", "vocab_size",
                            c->n_vocab, "model_max_length", c->n_ctx, "eos_token", end, "bos_token",
                            begin, "pad_token", end, "has_chat_template", c->chat != NULL);
    if (!out) refuse_memory(r);
    return out;
}
