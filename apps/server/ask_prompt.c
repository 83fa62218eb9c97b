/* What a request wants continued: a conversation, texts, or ids. */
#include "base/buf.h"
#include "server/ask_parts.h"
#include "json/jsonio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool check_length(const struct ask_context *c, const struct field *f, const char *param,
                         size_t n)
{
    if (!n)
        return refuse(f->refusal, 400, "invalid_value", param,
                      "%s: expected at least one token, found none", param);
    if (n <= (size_t)c->n_ctx) return true;
    return refuse(f->refusal, 400, "context_length_exceeded", param,
                  "%s: this model's maximum context length is %d tokens, found %zu", param,
                  c->n_ctx, n);
}

/* What a text was cut into. That was done by the vocabulary of one model, which may have tokens
 * that the other one lacks. */
static bool check_text(const struct ask_context *c, const struct field *f, const char *param,
                       const struct ask_prompt *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->ids[i] >= c->n_vocab)
            return refuse(f->refusal, 400, "invalid_value", param,
                          "%s: expected tokens below %d, which both models have, found %d", param,
                          c->n_vocab, (int)p->ids[i]);
    return check_length(c, f, param, p->n);
}

/* Ids of a text, in memory of our own. */
static bool tokenise(const struct ask_context *c, const struct field *f, const char *text, size_t n,
                     unsigned flags, const char *param, struct ask_prompt *out)
{
    ead_error error;
    int32_t *ids;
    const ead_status st = ead_tokenize(ask_speaker(c), text, n, flags, &ids, &out->n, &error);
    if (st == EAD_MEMORY) return refuse_memory(f->refusal);
    if (st) return refuse(f->refusal, 400, "invalid_value", param, "%s", error.message);
    out->ids = malloc((out->n ? out->n : 1) * sizeof *ids);
    if (out->ids && out->n) memcpy(out->ids, ids, out->n * sizeof *ids);
    ead_free(ids);
    return out->ids || refuse_memory(f->refusal);
}

/* ---- messages ---------------------------------------------------------------------------- */

/* A message as it is checked: its place, and what the template can do with it. */
struct message {
    const struct ask_context *c;
    const struct field *f;
    size_t i;
};

static bool bad_message(const struct message *m, const char *field, const char *expected,
                        const json_t *value)
{
    char param[96], found[FIELD_FOUND_MAX];
    field_path(param, "messages[%zu]%s", m->i, field);
    field_found(value, found);
    return refuse(m->f->refusal, 400, "invalid_value", param, "%s: expected %s, found %s", param,
                  expected, found);
}

static bool bad_part(const struct message *m, size_t i, const char *field, const char *expected,
                     const json_t *value)
{
    char path[48];
    snprintf(path, sizeof path, ".content[%zu]%s", i, field);
    return bad_message(m, path, expected, value);
}

/* The text of a part: of its field "text", or "refusal" where a model once refused. */
static bool part_text(const struct message *m, const json_t *parts, size_t i, const json_t **out)
{
    static const char *const types[] = {"text", "input_text", "output_text", "refusal"};
    const json_t *part = json_array_get(parts, i), *type = json_object_get(part, "type");
    const char *name = json_string_value(type);
    for (size_t k = 0; name && k < sizeof types / sizeof *types; k++) {
        if (strcmp(name, types[k])) continue;
        const char *field = strcmp(name, "refusal") ? "text" : "refusal";
        *out = json_object_get(part, field);
        if (json_is_string(*out)) return true;
        return bad_part(m, i, *field == 't' ? ".text" : ".refusal", "a string", *out);
    }
    return bad_part(m, i, ".type", "\"text\", as nothing else is read", type);
}

/* Parts of a content as one text: they are joined by line ends, as vLLM and llama-server do. */
static bool join_parts(const struct message *m, const json_t *parts, json_t **out)
{
    struct buf text = {0};
    bool ok = true;
    for (size_t i = 0; i < json_array_size(parts) && ok; i++) {
        const json_t *part = NULL;
        ok = part_text(m, parts, i, &part);
        if (ok && ((i && buf_add(&text, "\n", 1) != ST_OK) ||
                   buf_add(&text, json_string_value(part), json_string_length(part)) != ST_OK))
            ok = refuse_memory(m->f->refusal);
    }
    if (ok) *out = json_stringn(text.data ? text.data : "", text.len);
    buf_deinit(&text);
    return ok && (*out || refuse_memory(m->f->refusal));
}

static bool set_content(const struct message *m, json_t *message)
{
    json_t *content = json_object_get(message, "content"), *joined = NULL;
    const bool calls = json_array_size(json_object_get(message, "tool_calls")) > 0;
    if (json_is_string(content)) return true;
    if (json_is_array(content)) {
        if (!join_parts(m, content, &joined)) return false;
        return !json_object_set_new(message, "content", joined) || refuse_memory(m->f->refusal);
    }
    if (calls && (!content || json_is_null(content)))
        return !json_object_set_new(message, "content", json_null());
    return bad_message(m, ".content", "a string or an array of parts", content);
}

/* What templates read of a tool and of its call alike: {"function": {"name": ...}}. */
static bool names_function(const json_t *entry)
{
    return json_is_string(json_object_get(json_object_get(entry, "function"), "name"));
}

/* Templates expect the arguments of a call as what they say, clients send them as JSON in a string.
 */
static bool open_call(const struct message *m, size_t k, const json_t *call)
{
    char field[48];
    json_t *function = json_object_get(call, "function");
    const json_t *arguments = json_object_get(function, "arguments");
    snprintf(field, sizeof field, ".tool_calls[%zu].function", k);
    if (!names_function(call)) return bad_message(m, field, "an object with a name", function);
    if (!json_is_string(arguments)) return true;
    json_t *read = field_json(m->f, json_string_value(arguments), json_string_length(arguments));
    return !read || !json_object_set_new(function, "arguments", read) ||
           refuse_memory(m->f->refusal);
}

static bool open_calls(const struct message *m, json_t *message)
{
    json_t *calls = json_object_get(message, "tool_calls");
    const json_t *old = json_object_get(message, "function_call");
    if (old && !json_is_null(old))
        return bad_message(m, ".function_call", "tool_calls in its place", old);
    if (!calls || json_is_null(calls) || (json_is_array(calls) && !json_array_size(calls))) {
        json_object_del(message, "tool_calls");
        return true;
    }
    if (!ead_template_mentions(m->c->chat, "tool_calls"))
        return bad_message(m, ".tool_calls", "none, as the chat template knows no tools", calls);
    if (!json_is_array(calls)) return bad_message(m, ".tool_calls", "an array", calls);
    for (size_t i = 0; i < json_array_size(calls); i++)
        if (!open_call(m, i, json_array_get(calls, i))) return false;
    return true;
}

static bool set_role(const struct message *m, json_t *message)
{
    static const char *const roles[] = {"system", "user",     "assistant",
                                        "tool",   "function", "developer"};
    const char *role = json_string_value(json_object_get(message, "role"));
    for (size_t i = 0; role && i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(role, roles[i])) continue;
        if (strcmp(role, "developer")) return true;
        return !json_object_set_new(message, "role", json_string("system")) ||
               refuse_memory(m->f->refusal);
    }
    return bad_message(m, ".role", "system, developer, user, assistant or tool",
                       json_object_get(message, "role"));
}

/* The messages, made what templates read. */
static json_t *read_messages(const struct ask_context *c, const struct field *f)
{
    json_t *given = field_get(f, "messages");
    if (!json_is_array(given) || !json_array_size(given)) {
        field_refuse(f, "messages", "an array of at least one message");
        return NULL;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(given); i++) {
        const struct message m = {c, f, i};
        json_t *message = json_array_get(given, i);
        if (!json_is_object(message))
            ok = bad_message(&m, "", "an object", message);
        else
            ok = set_role(&m, message) && open_calls(&m, message) && set_content(&m, message);
    }
    return ok ? given : NULL;
}

/* ---- what stands beside messages --------------------------------------------------------- */

static bool add_tools(const struct ask_context *c, const struct field *f, json_t *conversation)
{
    json_t *tools = field_get(f, "tools"), *choice = field_get(f, "tool_choice");
    const bool none = json_is_string(choice) && !strcmp(json_string_value(choice), "none");
    if (!tools || (json_is_array(tools) && !json_array_size(tools)) || none) return true;
    if (!json_is_array(tools)) return field_refuse(f, "tools", "an array");
    if (!ead_template_mentions(c->chat, "tools"))
        return refuse(f->refusal, 400, "unsupported_value", "tools",
                      "tools: the chat template knows none");
    for (size_t i = 0; i < json_array_size(tools); i++) {
        char name[96];
        if (names_function(json_array_get(tools, i))) continue;
        field_path(name, "tools[%zu]", i);
        return refuse(f->refusal, 400, "invalid_value", name,
                      "%s: expected an object with a function that has a name", name);
    }
    return !json_object_set(conversation, "tools", tools) || refuse_memory(f->refusal);
}

/* Variables of the template: the server's, then the request's. NULL after refusing. */
static char *variables(const struct ask_context *c, const struct field *f)
{
    json_t *more = field_get(f, "chat_template_kwargs");
    json_error_t error;
    json_t *all =
        c->variables ? jsonio_read(c->variables, strlen(c->variables), 0, &error) : json_object();
    char *text = NULL;
    if (more && !json_is_object(more))
        field_refuse(f, "chat_template_kwargs", "an object");
    else if (!all || (more && json_object_update(all, more)) ||
             !(text = jsonio_text(all, JSON_COMPACT)))
        refuse_memory(f->refusal);
    json_decref(all);
    return text;
}

static bool add_documents(const struct ask_context *c, const struct field *f, json_t *conversation)
{
    json_t *documents = field_get(f, "documents");
    if (!documents || (json_is_array(documents) && !json_array_size(documents))) return true;
    if (!json_is_array(documents)) return field_refuse(f, "documents", "an array");
    if (!ead_template_mentions(c->chat, "documents"))
        return refuse(f->refusal, 400, "unsupported_value", "documents",
                      "documents: the chat template knows none");
    return !json_object_set(conversation, "documents", documents) || refuse_memory(f->refusal);
}

/* A template tells of its file, which is not the client's to know, and then of the fault. What a
 * client sends can bring any template to one. */
static bool refuse_render(const struct field *f, ead_status st, const char *message)
{
    static const char mark[] = "chat_template: ";
    const char *own = strstr(message, mark);
    return refuse(f->refusal, st == EAD_MEMORY ? 503 : 400, "template", "messages",
                  "the chat template: %s", own ? own + sizeof mark - 1 : message);
}

static bool render(const struct ask_context *c, const struct field *f, const char *json,
                   const char *more, bool opens, struct ask_prompt *out)
{
    const ead_conversation conversation = {.json = json,
                                           .json_bytes = strlen(json),
                                           .variables = more,
                                           .now = c->now,
                                           .finished = !opens};
    ead_error error;
    char *text;
    size_t n;
    unsigned flags;
    const ead_status st = ead_template_render(c->chat, &conversation, &text, &n, &flags, &error);
    if (st) return refuse_render(f, st, error.message);
    const bool ok = tokenise(c, f, text, n, flags, "messages", out);
    ead_free(text);
    return ok;
}

static bool render_all(const struct ask_context *c, const struct field *f, json_t *conversation,
                       struct ask_prompt *out)
{
    bool opens = true;
    if (!add_tools(c, f, conversation) || !add_documents(c, f, conversation) ||
        !field_flag(f, "add_generation_prompt", &opens))
        return false;
    char *json = jsonio_text(conversation, JSON_COMPACT), *more = json ? variables(c, f) : NULL;
    if (!json) refuse_memory(f->refusal);
    const bool ok = more && render(c, f, json, more, opens, out);
    free(json);
    free(more);
    return ok;
}

bool ask_render(const struct ask_context *c, const struct field *f, struct ask_prompt *out)
{
    if (!c->chat)
        return refuse(f->refusal, 400, "no_template", "messages",
                      "the model has no chat template; --chat-template gives one");
    json_t *messages = read_messages(c, f);
    if (!messages) return false;
    json_t *conversation = json_pack("{s:O}", "messages", messages);
    const bool ok = conversation ? render_all(c, f, conversation, out) : refuse_memory(f->refusal);
    json_decref(conversation);
    return ok;
}

/* ---- prompts ----------------------------------------------------------------------------- */

static struct ask_prompt *add_prompt(const struct field *f, struct ask *a, int most)
{
    if (!a->prompts) a->prompts = calloc((size_t)most, sizeof *a->prompts);
    if (a->prompts && a->n_prompts < most) return &a->prompts[a->n_prompts++];
    if (!a->prompts)
        refuse_memory(f->refusal);
    else
        refuse(f->refusal, 400, "invalid_value", "prompt", "prompt: expected at most %d prompts",
               most);
    return NULL;
}

bool ask_messages(const struct ask_context *c, const struct field *f, struct ask *a)
{
    struct ask_prompt *p = add_prompt(f, a, 1);
    return p && ask_render(c, f, p) && check_text(c, f, "messages", p);
}

static bool add_text(const struct ask_context *c, const struct field *f, struct ask *a,
                     const json_t *value)
{
    const char *text = json_string_value(value);
    const size_t n = json_string_length(value);
    bool bos = true;
    struct ask_prompt *p = add_prompt(f, a, c->max_choices);
    if (!p || !field_flag(f, "add_special_tokens", &bos)) return false;
    if (!n) return field_refuse(f, "prompt", "a text, or ids");
    const unsigned flags = EAD_PARSE_SPECIAL | (bos ? EAD_ADD_BOS : 0u);
    if (!tokenise(c, f, text, n, flags, "prompt", p)) return false;
    if (a->echo) {
        p->bytes = n;
        p->text = malloc(n);
        if (!p->text) return refuse_memory(f->refusal);
        memcpy(p->text, text, n);
    }
    return check_text(c, f, "prompt", p);
}

static bool add_ids(const struct ask_context *c, const struct field *f, struct ask *a,
                    const json_t *ids)
{
    const size_t n = json_array_size(ids);
    struct ask_prompt *p = add_prompt(f, a, c->max_choices);
    if (!p) return false;
    if (!n) return field_refuse(f, "prompt", "a text, or ids");
    if (!check_length(c, f, "prompt", n)) return false;
    p->ids = malloc(n * sizeof *p->ids);
    if (!p->ids) return refuse_memory(f->refusal);
    for (p->n = 0; p->n < n; p->n++) {
        const json_t *id = json_array_get(ids, p->n);
        if (!field_id(f, "prompt", p->n, id, c->n_vocab)) return false;
        p->ids[p->n] = (int32_t)json_integer_value(id);
    }
    return true;
}

/* A text, ids, or an array of either. */
bool ask_prompts(const struct ask_context *c, const struct field *f, struct ask *a)
{
    const json_t *prompt = field_get(f, "prompt"), *first = json_array_get(prompt, 0);
    if (json_is_string(prompt)) return add_text(c, f, a, prompt);
    if (!json_is_array(prompt) || !first)
        return field_refuse(f, "prompt", "a text, an array of ids, or an array of either");
    if (json_is_number(first)) return add_ids(c, f, a, prompt);
    for (size_t i = 0; i < json_array_size(prompt); i++) {
        const json_t *one = json_array_get(prompt, i);
        const bool text = json_is_string(one);
        if ((!text && !json_is_array(one)) || text != json_is_string(first))
            return field_refuse(f, "prompt", "texts, or arrays of ids, but not both");
        if (!(text ? add_text(c, f, a, one) : add_ids(c, f, a, one))) return false;
    }
    return true;
}
