/*
 * Chat templates. A GGUF file carries its model's template as a program in a template language
 * (jinja.h); here it is read, given what such programs expect, and run.
 *
 * A template sees: messages; tools and documents (none where there are none);
 * add_generation_prompt; bos_token, eos_token, unk_token and pad_token, where the vocabulary has
 * them; and whatever else the caller gives (enable_thinking, date_string, ...). What it does not
 * see is undefined, as in transformers.
 */
#ifndef EAD_TEXT_CHAT_H
#define EAD_TEXT_CHAT_H

#include "base/buf.h"
#include "base/status.h"
#include "format/gguf.h"
#include "text/vocab.h"

#include <stdbool.h>
#include <stddef.h>

struct chat; /* a template ready to render; read-only from then on, so threads may share it */

/* Read a template of n bytes, which messages call `label`. `vocab` gives the texts of special
 * tokens, and may be NULL; nothing need outlive the call. ST_FORMAT names the line. */
MUST_USE enum status chat_open(const char *label, const char *text, size_t n,
                               const struct vocab *vocab, struct chat **out, struct err *err);
/* The same with tokenizer.chat_template of a file, and with tokenizer.chat_template.tool_use where
 * there is one: that serves conversations with tools. ST_SUPPORT when it has no template. */
MUST_USE enum status chat_open_gguf(const struct gguf *g, const struct vocab *vocab,
                                    struct chat **out, struct err *err);
/* A built-in one by its name; without a vocabulary it has the tokens that are usual with it. ST_ARG
 * lists the names. */
MUST_USE enum status chat_open_named(const char *name, const struct vocab *vocab, struct chat **out,
                                     struct err *err);
void chat_close(struct chat *c); /* NULL is allowed */

/* Name i for chat_open_named, NULL after the last; static. */
const char *chat_name_at(size_t i);
/* The name of the built-in template with this very text, or NULL. */
const char *chat_known(const struct chat *c);
/* Does the template mention a variable (or an attribute) of this name? */
bool chat_mentions(const struct chat *c, const char *name);

struct chat_message {
    const char *role, *content; /* "system", "user", "assistant", or what the template knows */
};

struct chat_input {
    const struct chat_message *messages; /* n of them */
    size_t n;
    /* In their place, or NULL: JSON of n_json bytes. An array is the messages, as OpenAI has them;
     * of an object "messages" are they, and the others are variables. */
    const char *json;
    size_t n_json;
    const char *label; /* what messages call that JSON: the name of its file; NULL: "messages" */
    const char *variables; /* a JSON object of n_variables bytes; NULL: none. They come last. */
    size_t n_variables;
    const char *now; /* what strftime_now tells: "2026-01-02T03:04:05"; NULL: the clock */
    bool finished;   /* without the opening of an answer */
};

/* Append the conversation. *brings_bos: the text begins with BOS, so that encoding it adds none.
 * ST_ARG where the template refuses the messages, or the JSON is faulty; ST_FORMAT where the
 * template is; ST_MEMORY for a limit; after an error `out` holds what it held before. */
MUST_USE enum status chat_render(const struct chat *c, const struct chat_input *input,
                                 struct buf *out, bool *brings_bos, struct err *err);

#endif
