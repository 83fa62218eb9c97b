/* One event of a streamed chat, as a server of OpenAI's kind writes it, with what `ead serve` adds.
 */
#ifndef EAD_CLI_CHUNK_H
#define EAD_CLI_CHUNK_H

#include "base/status.h"
#include "ead.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct chunk {
    json_t *json;     /* owned; what follows is borrowed from it */
    const char *text; /* of the answer; may be empty, never NULL */
    size_t n;
    const char *finish;  /* why the answer ended; NULL where it did not */
    const json_t *usage; /* the account; NULL where there is none */
    bool told;           /* the writer and entropy of a token came with it */
    ead_writer writer;
    double entropy;     /* bits; NaN where it is not known */
    const json_t *lost; /* what was refused where it stands, objects with "text"; NULL: nothing */
};

/* Read the data of one event. ST_FORMAT for what is no such event, and ST_IO where the server says
 * in it that it failed. To be released with chunk_deinit in any case. */
MUST_USE enum status chunk_read(const char *data, size_t n, struct chunk *out, struct err *err);
void chunk_deinit(struct chunk *c);

#endif
