/*
 * The hub's two answers that a pull needs: what a repository holds, and a file of it. Redirections
 * are followed, five at most and never from https to http; the token goes to the hub alone, not to
 * where it leads. Connections that break and servers that are busy are tried again.
 */
#ifndef EAD_HUB_HUB_H
#define EAD_HUB_HUB_H

#include "base/buf.h"
#include "hub/part.h"
#include "hub/wish.h"

struct hub;

struct hub_options {
    const char *endpoint;      /* "https://huggingface.co" */
    const char *token;         /* NULL: none */
    const char *ca_file;       /* certificates to trust (PEM); NULL: those of the system */
    const struct watch *watch; /* borrowed */
};

MUST_USE enum status hub_open(const struct hub_options *o, struct hub **out, struct err *err);
void hub_close(struct hub *h);

/* What listing_read reads. */
MUST_USE enum status hub_list(struct hub *h, const struct wish *wish, struct buf *out,
                              struct err *err);
/* What the part lacks of its file, as the commit has it. */
MUST_USE enum status hub_fetch(struct hub *h, const struct wish *wish, const char *commit,
                               struct part *part, struct err *err);

#endif
