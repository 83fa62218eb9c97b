/*
 * The angles by which queries and keys are turned at a position (Su et al. 2021): pair i of a head
 * turns by its frequency, scale * base^(-2i/n_rot), at every position; divided by its factor where
 * the file has factors.
 *
 * YaRN (Peng et al. 2023, arXiv 2309.00071) scales only the pairs that hardly turned in training:
 * those that made `fast` turns or more keep their frequency, those that made `slow` or fewer are
 * scaled, and between the two goes a ramp over the pairs.
 */
#ifndef EAD_MODEL_ROPE_H
#define EAD_MODEL_ROPE_H

struct rope {
    float base, scale;
    float magnitude; /* of q and k where they turn; 1 as a rule */
    int yarn_ctx;    /* positions in which turns are counted; 0: no YaRN */
    float fast, slow;
    float ext; /* how far the ramp goes towards unscaled frequencies: 1 as a rule */
};

/* What YaRN multiplies q and k by, for a scale of 1 / factor; log_multiplier 0: the paper's. */
double rope_yarn_magnitude(double factor, double log_multiplier);

/* Of each pair [n_rot/2]; factors [n_rot/2] or NULL. */
void rope_frequencies(const struct rope *rope, const float *factors, int n_rot, double *out);

/* The cosines and sines [pairs] of a position, times the magnitude. */
void rope_angles(const struct rope *rope, const double *frequencies, int pairs, int pos,
                 float *cosines, float *sines);

#endif
