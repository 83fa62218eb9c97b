/*
 * R-Stitch (Chen et al. 2025, arXiv 2507.17307): with h = H / log V, the entropy of a token's
 * distribution relative to that of all tokens alike,
 *
 *     small: h > uncertainty: the token is dropped and the large model writes it; else it goes on;
 *     large: its token stays; h <= uncertainty: the small one goes on.
 */
#include "decode/policy.h"

#include <math.h>

static double relative_entropy(const ead_signals *s)
{
    return s->n_vocab > 1 ? (double)s->stats.entropy / log2(s->n_vocab) : 0;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    if (!s->index) return policy_writer(EAD_SMALL);
    if (!(relative_entropy(s) > p->options.uncertainty)) return policy_writer(EAD_SMALL);
    const int dropped = s->writer == EAD_SMALL;
    return (ead_decision){.writer = EAD_LARGE, .take_back = dropped, .open = dropped};
}

const struct policy_rule policy_rstitch = {
    .info = {.name = "rstitch",
             .help = "relative entropy in both directions; a doubtful token is dropped",
             .needs = {true, true}},
    .decide = decide,
};
