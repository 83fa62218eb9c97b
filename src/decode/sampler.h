/*
 * Choosing a token from a distribution. With temperature 0 it is the most probable one (the lowest
 * id when several tie), after the repetition penalty. Otherwise the candidates pass through:
 * penalty, top-k, top-p, min-p, temperature, and one is drawn.
 *
 * Sources: Keskar et al. 2019 (penalty), Fan et al. 2018 (top-k), Holtzman et al. 2020 (top-p),
 * Nguyen et al. 2024 (min-p).
 */
#ifndef EAD_DECODE_SAMPLER_H
#define EAD_DECODE_SAMPLER_H

#include "base/status.h"
#include "ead.h"
#include "engine/distribution.h"

enum { REPEAT_LAST_MAX = 2048 }; /* the penalty compares recent tokens pairwise */

struct sampler {
    ead_sampler_options options;
    int n_vocab;
    struct candidate *candidates; /* [n_vocab] scratch, borrowed */
};

MUST_USE enum status sampler_check(const ead_sampler_options *o, struct err *err);

/* `scratch` [n_vocab] is borrowed; samplers that choose one after the other may share it. */
void sampler_init(struct sampler *s, const ead_sampler_options *o, struct candidate *scratch,
                  int n_vocab);

/* The token that follows text [n_text], among ids below n_vocab. What is drawn at a position
 * depends on the seed, the position and the distribution alone. Of a distribution that knows only
 * its most probable tokens, one of those is chosen; -1 when none of them is below n_vocab. */
int32_t sampler_choose(const struct sampler *s, const struct distribution *d, const int32_t *text,
                       size_t n_text);

#endif
