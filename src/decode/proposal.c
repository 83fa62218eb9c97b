#include "decode/proposal.h"

#include "base/check.h"

#include <string.h>

void proposals_carve(struct proposals *p, struct arena *arena)
{
    for (int i = 0; i < PROPOSAL_PLACES; i++) {
        p->places[i].pos = -1;
        p->places[i].tokens = arena_carve(arena, PROPOSAL_TOKENS, sizeof(struct candidate));
    }
}

void proposals_reset(struct proposals *p)
{
    for (int i = 0; i < PROPOSAL_PLACES; i++) p->places[i].pos = -1;
}

void proposals_copy(struct proposals *p, const struct proposals *from)
{
    for (int i = 0; i < PROPOSAL_PLACES; i++) {
        struct proposal *to = &p->places[i];
        const struct proposal *of = &from->places[i];
        to->pos = of->pos;
        if (to->pos < 0) continue;
        to->n = of->n;
        to->cut = of->cut;
        memcpy(to->tokens, of->tokens, (size_t)of->n * sizeof *of->tokens);
    }
}

static const struct proposal *place(const struct proposals *p, int pos)
{
    return &p->places[pos % PROPOSAL_PLACES];
}

/* The most probable of q, by id where q has few tokens; `fell` is what all others have. It is
 * summed as they fall: next to one, what is left over would be lost to rounding. */
static int gather(const float *q, int n_vocab, struct candidate *out, double *fell)
{
    int n = 0;
    *fell = 0;
    for (int id = 0; id < n_vocab; id++)
        if (q[id] > 0) out[n++] = (struct candidate){q[id], id};
    if (n <= PROPOSAL_TOKENS) return n;
    candidates_heapify(out, PROPOSAL_TOKENS);
    for (int i = PROPOSAL_TOKENS; i < n; i++) {
        const float least = out[0].logit;
        *fell += (double)(out[i].logit < least ? out[i].logit : least);
        candidates_offer(out, PROPOSAL_TOKENS, out[i]);
    }
    return PROPOSAL_TOKENS;
}

void proposals_keep(struct proposals *p, int pos, const float *q, int n_vocab,
                    struct candidate *scratch)
{
    struct proposal *to = &p->places[pos % PROPOSAL_PLACES];
    double total = 0, fell = 0;
    to->pos = pos;
    to->n = gather(q, n_vocab, scratch, &fell);
    for (int i = 0; i < to->n; i++) total += (double)scratch[i].logit;
    for (int i = 0; i < to->n; i++) {
        const float share = (float)((double)scratch[i].logit / total);
        to->tokens[i] = (struct candidate){share, scratch[i].id};
    }
    to->cut = fell > 0 ? fell / (total + fell) : 0;
}

bool proposals_know(const struct proposals *p, int pos)
{
    return place(p, pos)->pos == pos;
}

void proposals_spread(const struct proposals *p, int pos, float *q, int n_vocab)
{
    const struct proposal *of = place(p, pos);
    CHECK(of->pos == pos);
    memset(q, 0, (size_t)n_vocab * sizeof *q);
    for (int i = 0; i < of->n; i++) q[of->tokens[i].id] = of->tokens[i].logit;
}

double proposals_cut(const struct proposals *p, int pos)
{
    const struct proposal *of = place(p, pos);
    CHECK(of->pos == pos);
    return of->cut;
}

int32_t proposals_draw(const struct proposals *p, int pos, double chance)
{
    const struct proposal *of = place(p, pos);
    double total = 0, sum = 0;
    CHECK(of->pos == pos && of->n > 0);
    for (int i = 0; i < of->n; i++) total += (double)of->tokens[i].logit;
    for (int i = 0; i < of->n; i++) {
        sum += (double)of->tokens[i].logit;
        if (sum > chance * total) return of->tokens[i].id;
    }
    return of->tokens[of->n - 1].id; /* rounding left a hair behind the last */
}
