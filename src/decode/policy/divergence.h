/* How far the large model's distribution is from the small one's. */
#ifndef EAD_DECODE_POLICY_DIVERGENCE_H
#define EAD_DECODE_POLICY_DIVERGENCE_H

/* Where q was cut, with `cut` of it on tokens that qq does not have (0: it was not), all of these
 * are one: no divergence grows when outcomes are joined, so what is returned is a lower bound of
 * that of the whole q.
 *
 * EAD_DIVERGENCE_KL: KL(p, q), in nats. _JS: KL(m, p) / 2 + KL(m, q) / 2 with their mean m, which
 * is what the code of FSD computes by that name, and not Jensen's and Shannon's. _TV: the sum of |p
 * - q| / 2. The first two are infinite where a token is possible on one side alone. */
double divergence_of(int kind, const float *pp, const float *qq, int n, double cut);

#endif
