/* A growing list of token ids with a ceiling. */
#ifndef EAD_TEXT_IDS_H
#define EAD_TEXT_IDS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; ids_deinit frees it. */
struct ids {
    int32_t *id; /* owned; NULL until the first id */
    size_t n, cap;
};

enum { IDS_MAX = 1 << 27 };

/* ST_MEMORY when IDS_MAX or the heap is reached; the list is kept. */
MUST_USE enum status ids_add(struct ids *ids, int32_t id);
void ids_deinit(struct ids *ids);

#endif
