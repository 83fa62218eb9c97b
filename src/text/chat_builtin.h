/*
 * Chat templates for files that carry none, or a faulty one: of each well-known format the smallest
 * program that writes it for plain messages, without tools.
 */
#ifndef EAD_TEXT_CHAT_BUILTIN_H
#define EAD_TEXT_CHAT_BUILTIN_H

#include <stddef.h>

struct chat_builtin {
    const char *name, *text;
    const char *bos, *eos; /* of the models that have it; for want of a vocabulary */
};

/* Row i, or NULL after the last; static. */
const struct chat_builtin *chat_builtin_at(size_t i);

#endif
