/*
 * The signal that adaptive decoding steers by: the mean of the last w entropies,
 *     Hbar_t = (H_t + H_{t-1} + ... + H_{t-w+1}) / w,
 * or of what there is while there are fewer. Source: Simonds 2025 (arXiv 2502.06833), section on
 * the rolling entropy.
 */
#ifndef EAD_DECODE_SIGNAL_H
#define EAD_DECODE_SIGNAL_H

enum { SIGNAL_WINDOW_MAX = 1024 };

struct signal {
    int window; /* w, 1 to SIGNAL_WINDOW_MAX */
    int held;   /* values held, at most w */
    int next;   /* where the next one goes */
    float value[SIGNAL_WINDOW_MAX];
};

void signal_init(struct signal *s, int window);
/* Add an entropy in bits and return the mean, in double and summed from the oldest on, so that a
 * reader of the trace gets the same number. */
double signal_push(struct signal *s, float entropy);

#endif
