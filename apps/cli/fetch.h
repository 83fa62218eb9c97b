/* Models named by "hf:OWNER/REPO:QUANT": fetched into the cache folder, with progress on stderr. */
#ifndef EAD_CLI_FETCH_H
#define EAD_CLI_FETCH_H

#include "hub/pull.h"

#include <stdbool.h>

/* In the help of options that take a model, behind a comma. */
#define FETCH_HELP "or\nhf:OWNER/REPO[:QUANT] (ead pull)"

/* $EAD_CACHE, $XDG_CACHE_HOME/ead or ~/.cache/ead, to be freed; NULL after saying that there is
 * none. */
char *fetch_cache(void);

/* Its files, to be released. EXIT_FAIL after saying why. */
int fetch_model(const char *name, bool refresh, struct pulled *out);

/* Where *path is such a name, fetch it and make *path its first file, which is kept until the
 * program ends. Any other path, and NULL, stays. */
int fetch_in_place(const char **path);

#endif
