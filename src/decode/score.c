#include "decode/score.h"

void score_ask(struct scoring *s, int n_best, ead_score tell, void *context)
{
    s->tell = tell;
    s->context = context;
    s->n_best = n_best < 0 ? 0 : n_best < EAD_SCORE_BEST_MAX ? n_best : EAD_SCORE_BEST_MAX;
}

void score_tell(struct scoring *s, int at, int32_t id, const struct distribution *d, int n_vocab)
{
    struct candidate best[EAD_SCORE_BEST_MAX];
    ead_alternative told[EAD_SCORE_BEST_MAX];
    struct distribution shared = *d;
    if (shared.n > n_vocab) shared.n = n_vocab; /* no other can stand in the text */
    const int n = distribution_best(&shared, s->n_best, best);
    for (int i = 0; i < n; i++) told[i] = (ead_alternative){best[i].id, best[i].logit};
    s->next = at + 1;
    const ead_scored scored = {.at = (size_t)at,
                               .id = id,
                               .log_prob = distribution_log_prob(d, id),
                               .rank = distribution_rank(d, n_vocab, id),
                               .stats = d->stats,
                               .best = told,
                               .n_best = n};
    s->tell(s->context, &scored);
}
