#include "model/rope.h"

#include <math.h>

/* In double: at position 100,000 a float product would be off by a thousandth of a full circle. */
void rope_angles(const struct rope *rope, const float *factors, int n_rot, int pos, float *cosines,
                 float *sines)
{
    const double magnitude = (double)rope->magnitude;
    for (int i = 0; i < n_rot / 2; i++) {
        double angle = pos * (double)rope->scale * pow((double)rope->base, -2.0 * i / n_rot);
        if (factors) angle /= (double)factors[i];
        cosines[i] = (float)(magnitude * cos(angle));
        sines[i] = (float)(magnitude * sin(angle));
    }
}
