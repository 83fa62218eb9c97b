/*
 * The angles by which queries and keys are turned at a position (Su et al. 2021): pair i of a head
 * turns by position * scale * base^(-2i/n_rot), divided by its factor where the file has factors.
 */
#ifndef EAD_MODEL_ROPE_H
#define EAD_MODEL_ROPE_H

struct rope {
    float base, scale;
    float magnitude; /* of q and k where they turn; 1 as a rule */
};

/* Their cosines and sines [n_rot/2], times the magnitude; factors [n_rot/2] or NULL. */
void rope_angles(const struct rope *rope, const float *factors, int n_rot, int pos, float *cosines,
                 float *sines);

#endif
