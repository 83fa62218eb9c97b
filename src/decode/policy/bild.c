/*
 * BiLD (Kim et al. 2023, arXiv 2302.07863; kssteven418/BigLittleDecoder): the small model writes
 * until the largest probability of its distribution is below `fallback`, and that token is left to
 * the large one, or until there are 10. In its pass the large model looks back: the first draft
 * with -ln p(x) > rollback that is not its best is cut, and its own choice stands there.
 */
#include "decode/policy/draft.h"

#include <math.h>

enum { DRAFT = 10 };

static bool keeps(const struct policy *p, const ead_opinion *o)
{
    return o->id == o->argmax || -log((double)o->p) <= p->options.rollback;
}

static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    const bool falls_back = s->drafts && (double)s->stats.max_prob < p->options.fallback;
    return falls_back ? draft_drop_last(p, s) : draft_decide(p, s, DRAFT);
}

static int sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    return p->options.fallback > 0 ? 1 : draft_sure_of(p, s, next, DRAFT);
}

const struct policy_rule policy_bild = {
    .info = {.name = "bild",
             .help = "fall back where the small model doubts, roll back where the large one is "
                     "surprised",
             .needs = {true, true},
             .judges = true},
    .decide = decide,
    .sure = sure,
    .keeps = keeps,
};
