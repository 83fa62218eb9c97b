/* The public face of chat templates. */
#include "face.h"
#include "text/chat.h"

#include <stdlib.h>
#include <string.h>

struct ead_template {
    struct chat *chat;
};

/* ---- opening ----------------------------------------------------------------------------- */

static enum status open_chat(const ead_model *model, const ead_template_options *options,
                             struct chat **out, struct err *err)
{
    const struct vocab *vocab = model ? model->model->vocab : NULL;
    if (options && options->source)
        return chat_open(options->label ? options->label : "chat template", options->source,
                         options->bytes, vocab, out, err);
    if (options && options->name) return chat_open_named(options->name, vocab, out, err);
    if (model) return chat_open_gguf(model->model->gguf, vocab, out, err);
    return err_set(err, ST_ARG, "expected a model, or a template by its name or its text");
}

ead_status ead_template_open(const ead_model *model, const ead_template_options *options,
                             ead_template **out, ead_error *error)
{
    struct err err = {0};
    ead_template *t = calloc(1, sizeof *t);
    if (!t) return face_report(err_memory(&err, "a chat template"), &err, error);
    const enum status st = open_chat(model, options, &t->chat, &err);
    if (st != ST_OK) {
        free(t);
        return face_report(st, &err, error);
    }
    *out = t;
    return EAD_OK;
}

void ead_template_close(ead_template *t)
{
    if (!t) return;
    chat_close(t->chat);
    free(t);
}

/* ---- asking ------------------------------------------------------------------------------ */

const char *ead_template_name(size_t i)
{
    return chat_name_at(i);
}

const char *ead_template_known(const ead_template *t)
{
    return chat_known(t->chat);
}

bool ead_template_mentions(const ead_template *t, const char *name)
{
    return chat_mentions(t->chat, name);
}

bool ead_template_present(const ead_model *model)
{
    return gguf_find(model->model->gguf, "tokenizer.chat_template") != NULL;
}

/* ---- rendering --------------------------------------------------------------------------- */

static enum status render(const ead_template *t, const ead_conversation *c, struct buf *out,
                          bool *brings_bos, struct err *err)
{
    struct chat_message *messages = calloc(c->n_messages + 1, sizeof *messages);
    if (!messages) return err_memory(err, "%zu messages", c->n_messages);
    for (size_t i = 0; i < c->n_messages; i++)
        messages[i] = (struct chat_message){c->messages[i].role, c->messages[i].content};
    const struct chat_input input = {.messages = messages,
                                     .n = c->n_messages,
                                     .json = c->json,
                                     .n_json = c->json_bytes,
                                     .label = c->json_label,
                                     .variables = c->variables,
                                     .n_variables = c->variables ? strlen(c->variables) : 0,
                                     .now = c->now,
                                     .finished = c->finished};
    enum status st = chat_render(t->chat, &input, out, brings_bos, err);
    if (st == ST_OK && !out->data) st = buf_add_str(out, ""); /* no text is one, too */
    free(messages);
    return st;
}

ead_status ead_template_render(const ead_template *t, const ead_conversation *conversation,
                               char **text, size_t *bytes, unsigned *flags, ead_error *error)
{
    struct err err = {0};
    struct buf out = {0};
    bool brings_bos;
    const enum status st = render(t, conversation, &out, &brings_bos, &err);
    if (st != ST_OK) {
        buf_deinit(&out);
        return face_report(st, &err, error);
    }
    *text = out.data;
    *bytes = out.len;
    *flags = EAD_PARSE_SPECIAL | (brings_bos ? 0 : EAD_ADD_BOS);
    return EAD_OK;
}
