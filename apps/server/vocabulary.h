/* Text to token ids and back, and what a client's own tokenizer needs to know: the bodies of
 * /tokenize, /detokenize and /tokenizer_info, in vLLM's fields and llama-server's. */
#ifndef EAD_SERVER_VOCABULARY_H
#define EAD_SERVER_VOCABULARY_H

#include "server/ask.h"

/* A token of an answer takes up to a kilobyte until it is sent, a byte of a text a dozen. */
enum { VOCABULARY_TOKENS_MAX = 1 << 18, VOCABULARY_TEXT_MAX = 8 << 20 };

/* The answer to a body of n bytes; NULL after saying in *r why there is none. */
json_t *vocabulary_tokenize(const struct ask_context *c, const char *body, size_t n,
                            struct refusal *r);
json_t *vocabulary_detokenize(const struct ask_context *c, const char *body, size_t n,
                              struct refusal *r);
json_t *vocabulary_info(const struct ask_context *c, struct refusal *r);

#endif
