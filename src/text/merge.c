#include "text/merge.h"

#include "base/check.h"

#include <stdlib.h>

void merge_clear(struct merge *m)
{
    m->n_symbols = m->n_heap = 0;
}

void merge_deinit(struct merge *m)
{
    free(m->symbols);
    free(m->heap);
    *m = (struct merge){0};
}

enum status merge_add(struct merge *m, uint32_t at, uint32_t n, int32_t id)
{
    if (m->n_symbols == m->cap_symbols) {
        size_t cap = m->cap_symbols ? 2 * m->cap_symbols : 64;
        struct merge_symbol *grown = realloc(m->symbols, cap * sizeof *grown);
        if (!grown) return ST_MEMORY;
        m->symbols = grown;
        m->cap_symbols = cap;
    }
    CHECK(n > 0 && m->n_symbols < INT32_MAX);
    int32_t index = (int32_t)m->n_symbols++;
    m->symbols[index] =
        (struct merge_symbol){.at = at, .n = n, .prev = index - 1, .next = -1, .id = id};
    if (index > 0) m->symbols[index - 1].next = index;
    return ST_OK;
}

static enum status heap_push(struct merge *m, struct merge_pair pair)
{
    if (m->n_heap == m->cap_heap) {
        size_t cap = m->cap_heap ? 2 * m->cap_heap : 64;
        struct merge_pair *grown = realloc(m->heap, cap * sizeof *grown);
        if (!grown) return ST_MEMORY;
        m->heap = grown;
        m->cap_heap = cap;
    }
    size_t i = m->n_heap++;
    for (; i && m->heap[(i - 1) / 2].key > pair.key; i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = pair;
    return ST_OK;
}

static struct merge_pair heap_pop(struct merge *m)
{
    CHECK(m->n_heap);
    struct merge_pair top = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->n_heap; i = child) {
        if (child + 1 < m->n_heap && m->heap[child + 1].key < m->heap[child].key) child++;
        if (last.key <= m->heap[child].key) break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = last;
    return top;
}

static enum status consider(struct merge *m, int32_t left, int32_t right, merge_rule *rule,
                            const void *context)
{
    if (left < 0 || right < 0) return ST_OK;
    const struct merge_symbol *l = &m->symbols[left], *r = &m->symbols[right];
    uint32_t order;
    int32_t id;
    if (!rule(context, l, r, &order, &id)) return ST_OK;
    return heap_push(m, (struct merge_pair){.key = (uint64_t)order << 32 | (uint32_t)left,
                                            .right = (uint32_t)right,
                                            .bytes = l->n + r->n,
                                            .id = id});
}

enum status merge_run(struct merge *m, merge_rule *rule, const void *context)
{
    for (size_t i = 1; i < m->n_symbols; i++)
        TRY(consider(m, (int32_t)i - 1, (int32_t)i, rule, context));
    while (m->n_heap) {
        struct merge_pair pair = heap_pop(m);
        int32_t left = (int32_t)(uint32_t)pair.key;
        struct merge_symbol *l = &m->symbols[left], *r = &m->symbols[pair.right];
        /* A pair is stale when either side has merged since: the left is gone, the right is gone,
         * or one of them has grown. Symbols never shrink, so the sum of lengths tells. */
        if (!l->n || !r->n || l->n + r->n != pair.bytes) continue;
        CHECK(l->next == (int32_t)pair.right && r->prev == left);
        l->n += r->n;
        r->n = 0;
        l->id = pair.id;
        l->next = r->next;
        if (l->next >= 0) m->symbols[l->next].prev = left;
        TRY(consider(m, l->prev, left, rule, context));
        TRY(consider(m, left, l->next, rule, context));
    }
    return ST_OK;
}
