/* The parts of reading a request: each reads its fields into *a, and says false after refusing. */
#ifndef EAD_SERVER_ASK_PARTS_H
#define EAD_SERVER_ASK_PARTS_H

#include "server/ask.h"
#include "server/field.h"

/* What is known and not done here, unless its value asks for nothing. */
bool ask_neutral(const struct field *f);
/* How tokens are chosen, and who writes. */
bool ask_sampler(const struct ask_context *c, const struct field *f, struct ask *a);
bool ask_policy(const struct ask_context *c, const struct field *f, struct ask *a);
/* What is to be continued. */
bool ask_messages(const struct ask_context *c, const struct field *f, struct ask *a);
bool ask_prompts(const struct ask_context *c, const struct field *f, struct ask *a);

/* The prompt that the messages (and tools, ...) of a request make; also of a request to /tokenize.
 */
bool ask_render(const struct ask_context *c, const struct field *f, struct ask_prompt *out);
/* The model whose vocabulary speaks for both. */
const ead_model *ask_speaker(const struct ask_context *c);

#endif
