/*
 * Choosing a token from a distribution. First logits are changed: by biases, then the repetition
 * penalty, then presence and frequency penalties. With temperature 0 the token is the most probable
 * one (the lowest id when several tie). Otherwise the candidates pass through top-k, top-p, min-p
 * and temperature, and one is drawn.
 *
 * Sources: Keskar et al. 2019 (repetition penalty), Fan et al. 2018 (top-k), Holtzman et al. 2020
 * (top-p), Nguyen et al. 2024 (min-p); OpenAI's API reference (presence, frequency, bias).
 */
#ifndef EAD_DECODE_SAMPLER_H
#define EAD_DECODE_SAMPLER_H

#include "base/status.h"
#include "ead.h"
#include "engine/distribution.h"

enum { REPEAT_LAST_MAX = 2048 }; /* the penalty compares recent tokens pairwise */

/* In place of a token: none is known that both models have; all that are known are forbidden. */
enum { SAMPLER_UNKNOWN = -1, SAMPLER_FORBIDDEN = -2 };

struct sampler {
    ead_sampler_options options;
    int n_vocab;
    struct candidate *candidates; /* [n_vocab] scratch, borrowed */
};

MUST_USE enum status sampler_check(const ead_sampler_options *o, struct err *err);

/* `scratch` [n_vocab] is borrowed; samplers that choose one after the other may share it. */
void sampler_init(struct sampler *s, const ead_sampler_options *o, struct candidate *scratch,
                  int n_vocab);

/* Do two choose alike? */
bool sampler_same(const ead_sampler_options *a, const ead_sampler_options *b);

/* Does it draw from the distribution as it is: no bias, no penalty? */
bool sampler_is_plain(const struct sampler *s);

/* The token that follows text [n_text], whose last n_written tokens were written since the last
 * append, among ids below n_vocab. What is drawn at a position depends on the seed, the position
 * and the changed distribution alone. Of a distribution that knows only its most probable tokens,
 * one of those is chosen. Below 0 there is none. */
int32_t sampler_choose(const struct sampler *s, const struct distribution *d, const int32_t *text,
                       size_t n_text, size_t n_written);

/* The probabilities by which a token is drawn, out[n_vocab]; or, with temperature 0, those of the
 * distribution as it is. False when no token can be drawn. */
bool sampler_shape(const struct sampler *s, const struct distribution *d, const int32_t *text,
                   size_t n_text, size_t n_written, float *out);

#endif
