/*
 * The programs behind chat templates, as a table. A family says what stands around each role's
 * text, where a system prompt goes, and by which words a template is recognised.
 *
 * Strings of a family may hold CHAT_BOS, CHAT_EOS and CHAT_DATE, which stand for texts known when
 * the template is rendered.
 */
#ifndef EAD_TEXT_CHAT_FAMILY_H
#define EAD_TEXT_CHAT_FAMILY_H

#include "text/chat.h"

#include <stdbool.h>
#include <stddef.h>

#define CHAT_BOS  "\x01"
#define CHAT_EOS  "\x02"
#define CHAT_DATE "\x03"

enum chat_place {
    CHAT_PLACE_TURN,   /* a turn of its own, wherever it is among the messages */
    CHAT_PLACE_HEADER, /* one leading turn, written even when there is no system prompt */
    CHAT_PLACE_FIRST,  /* inside the first user turn */
    CHAT_PLACE_LAST,   /* inside the last message when that is a user turn */
    CHAT_PLACE_START,  /* bare, before all turns */
    CHAT_PLACE_NONE,   /* nowhere: the template leaves it out */
    CHAT_PLACE_REFUSED /* the template raises an error */
};

/* What happens to the thinking part of earlier answers. */
enum chat_think {
    CHAT_THINK_KEEP,
    CHAT_THINK_DROP,         /* all before the last "</think>" goes */
    CHAT_THINK_DROP_EARLIER, /* the same, and leading line feeds, except in the last message */
    CHAT_THINK_REBUILD       /* gone before the last question, rewritten in one form after it */
};

enum chat_trim {
    CHAT_TRIM_NONE,
    CHAT_TRIM_TEXT,    /* white space around each message goes */
    CHAT_TRIM_ANSWER,  /* only around the assistant's */
    CHAT_TRIM_TOGETHER /* around a message together with the system prompt inside it */
};

struct chat_turn {
    const char *open, *close;
};

enum { CHAT_WORDS_MAX = 5 };

struct chat_family {
    const char *name;
    const char *bos, *eos;     /* usual texts; "" where the format has none */
    bool bos_first;            /* the text begins with BOS */
    struct chat_turn turns[3]; /* by enum chat_role */
    const char *generate;      /* opens the assistant's turn */
    const char *closing;       /* written when no turn is opened; NULL is nothing */
    enum chat_place place;
    struct chat_turn joint; /* around a system prompt that is not a turn */
    enum chat_trim trim;
    enum chat_think think;
    bool last_only;           /* the last message is all that is written, in the user's turn */
    bool alternate;           /* after the system prompt, user and assistant by turns */
    const char *system;       /* default system prompt; NULL is none */
    const char *needs_system; /* why there must be one; NULL when there need not */
    /* A template is of this family when it has all of the first words and none of the second. The
     * words are looked for after escaped line feeds have become line feeds and double quotes single
     * ones: both spellings are in circulation. A family without words is known by name only. */
    const char *has[CHAT_WORDS_MAX], *lacks[CHAT_WORDS_MAX];
};

/* Family i, NULL after the last; in the order in which templates are tried. */
const struct chat_family *chat_family_at(size_t i);

#endif
