/* What a user names of a hub of models: "hf:OWNER/REPO[@REVISION][:QUANT]". */
#ifndef EAD_HUB_WISH_H
#define EAD_HUB_WISH_H

#include "base/status.h"

#include <stdbool.h>

enum { WISH_REPO_MAX = 200, WISH_REVISION_MAX = 200, WISH_QUANT_MAX = 200 };

struct wish {
    char repo[WISH_REPO_MAX];         /* "OWNER/REPO", each of letters, digits, '.', '_' and '-' */
    char revision[WISH_REVISION_MAX]; /* "main" unless named; a slash in it is "%2F", as in URLs,
                                       * so that it is one name of a folder too */
    char quant[WISH_QUANT_MAX];       /* or more of a file's name; "": none named */
};

/* Does it begin as one does? Otherwise it is a path. */
bool wish_is(const char *text);

/* ST_ARG for what can be none. */
MUST_USE enum status wish_parse(const char *text, struct wish *out, struct err *err);

#endif
