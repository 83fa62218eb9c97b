#include "remote/pieces.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* A slot is empty (0), holds the only token with its bytes (id + 1), or one of several
 * (-(id + 1)). At most half of them are taken. */
struct pieces {
    const struct vocab *vocab;
    size_t mask;
    int32_t *slots; /* [mask + 1] owned */
};

static int32_t id_of(int32_t slot)
{
    return abs(slot) - 1;
}

/* The slot of these bytes, or the empty one where they would stand. */
static int32_t *slot_of(const struct pieces *p, const char *bytes, size_t n)
{
    size_t at = (size_t)hash_bytes(bytes, n) & p->mask;
    for (; p->slots[at]; at = (at + 1) & p->mask) {
        size_t n_there;
        const char *there = vocab_piece(p->vocab, id_of(p->slots[at]), &n_there);
        if (n_there == n && !memcmp(there, bytes, n)) break;
    }
    return &p->slots[at];
}

static void add(struct pieces *p, int32_t id)
{
    size_t n;
    const char *bytes = vocab_piece(p->vocab, id, &n);
    const enum vocab_kind kind = vocab_kind(p->vocab, id);
    if (!n || kind == VOCAB_CONTROL || kind == VOCAB_UNKNOWN || kind == VOCAB_UNUSED) return;
    int32_t *slot = slot_of(p, bytes, n);
    if (!*slot)
        *slot = id + 1;
    else if (vocab_kind(p->vocab, id_of(*slot)) == VOCAB_BYTE && kind != VOCAB_BYTE)
        *slot = id + 1;
    else if (kind != VOCAB_BYTE || vocab_kind(p->vocab, id_of(*slot)) == VOCAB_BYTE)
        *slot = -abs(*slot);
}

enum status pieces_open(const struct vocab *v, struct pieces **out, struct err *err)
{
    const int32_t n = vocab_real_size(v);
    size_t room = 16;
    while (room < 2 * (size_t)n) room *= 2;
    struct pieces *p = calloc(1, sizeof *p);
    if (p) p->slots = calloc(room, sizeof *p->slots);
    if (!p || !p->slots) {
        pieces_close(p);
        return err_memory(err, "the texts of %d tokens", (int)n);
    }
    p->vocab = v;
    p->mask = room - 1;
    for (int32_t id = 0; id < n; id++) add(p, id);
    *out = p;
    return ST_OK;
}

void pieces_close(struct pieces *p)
{
    if (!p) return;
    free(p->slots);
    free(p);
}

int32_t pieces_find(const struct pieces *p, const char *bytes, size_t n)
{
    if (!n) return PIECES_NONE;
    const int32_t slot = *slot_of(p, bytes, n);
    return slot > 0 ? slot - 1 : slot ? PIECES_SEVERAL : PIECES_NONE;
}
