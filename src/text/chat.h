/*
 * Chat templates. A GGUF file carries its model's template as a program in a template language;
 * there are thousands of files and a dozen programs. This module recognises the program from its
 * text and writes what it would write for messages without tools. What it does not recognise it
 * refuses: a model that is prompted in a foreign format answers badly and silently.
 *
 * Choices where a template looks at the world: the Llama 3.1 header carries the date the published
 * template falls back to ("26 Jul 2024"), so that equal conversations are equal texts; set `date`
 * to change it.
 */
#ifndef EAD_TEXT_CHAT_H
#define EAD_TEXT_CHAT_H

#include "base/buf.h"
#include "base/status.h"
#include "format/gguf.h"
#include "text/vocab.h"

#include <stdbool.h>
#include <stddef.h>

enum chat_role { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT };

struct chat_message {
    enum chat_role role;
    const char *content; /* borrowed, n bytes */
    size_t n;
};

struct chat_family; /* one recognised program; static */

enum { CHAT_SYSTEM_MAX = 1024, CHAT_TOKEN_MAX = 64 };

/* A template ready to render; a plain value that owns nothing. All texts are NUL-terminated. */
struct chat {
    const struct chat_family *family;
    char system[CHAT_SYSTEM_MAX]; /* written when the messages bring no system prompt; "" is none */
    char bos[CHAT_TOKEN_MAX];     /* texts of the vocabulary's BOS and EOS */
    char eos[CHAT_TOKEN_MAX];
    char date[CHAT_TOKEN_MAX];
    bool writes_bos;         /* the text begins with BOS */
    bool always_generates;   /* the template opens the assistant's turn unasked */
    bool skips_empty_system; /* an empty system prompt gives no turn */
    bool joins_systems;      /* of several system prompts all count, not only the last */
};

/* Recognise a template of n bytes. `vocab` gives the texts of BOS and EOS; NULL takes those usual
 * in the family. ST_SUPPORT when no family matches; the message names the ways round. */
MUST_USE enum status chat_init(struct chat *c, const char *text, size_t n,
                               const struct vocab *vocab, struct err *err);
/* The same with tokenizer.chat_template of a file; ST_SUPPORT also when the file has none. */
MUST_USE enum status chat_init_gguf(struct chat *c, const struct gguf *g, const struct vocab *vocab,
                                    struct err *err);
/* A family by its name, with the default system prompt the family is published with. ST_ARG lists
 * the names. */
MUST_USE enum status chat_init_named(struct chat *c, const char *name, const struct vocab *vocab,
                                     struct err *err);

/* Name i for chat_init_named, NULL after the last; static. */
const char *chat_name_at(size_t i);
const char *chat_name(const struct chat *c);

/* "system", "user", "assistant" to a role; false for another word. */
bool chat_role_parse(const char *word, enum chat_role *out);
const char *chat_role_name(enum chat_role role);

/* Does the rendered text begin with the BOS token's text? Then encode it with VOCAB_SPECIAL alone;
 * otherwise with VOCAB_SPECIAL | VOCAB_BOS. */
bool chat_writes_bos(const struct chat *c);

/* Append the conversation, and with `generate` the opening of the assistant's turn. ST_ARG where
 * the template itself refuses the messages (n == 0, roles that do not alternate, a system prompt it
 * has no place for), ST_MEMORY; after an error `out` holds what it held before. */
MUST_USE enum status chat_render(const struct chat *c, const struct chat_message *messages,
                                 size_t n, bool generate, struct buf *out, struct err *err);

#endif
