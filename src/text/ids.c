#include "text/ids.h"

#include "base/check.h"

#include <stdlib.h>

enum status ids_add(struct ids *ids, int32_t id)
{
    if (ids->n == ids->cap) {
        size_t cap = ids->cap ? 2 * ids->cap : 64;
        if (cap > IDS_MAX) return ST_MEMORY;
        int32_t *grown = realloc(ids->id, cap * sizeof *grown);
        if (!grown) return ST_MEMORY;
        ids->id = grown;
        ids->cap = cap;
    }
    CHECK(ids->n < ids->cap);
    ids->id[ids->n++] = id;
    return ST_OK;
}

void ids_deinit(struct ids *ids)
{
    free(ids->id);
    *ids = (struct ids){0};
}
