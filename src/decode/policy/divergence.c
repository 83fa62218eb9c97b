#include "decode/policy/divergence.h"

#include "ead.h"

#include <math.h>

/* A token's part of KL(a, b). */
static double part(double a, double b)
{
    return a > 0 ? a * log(a / b) : 0;
}

/* An outcome's part of the divergence. */
static double of_outcome(int kind, double p, double q)
{
    const double m = (p + q) / 2;
    switch (kind) {
    case EAD_DIVERGENCE_KL: return part(p, q);
    case EAD_DIVERGENCE_JS: return (part(m, p) + part(m, q)) / 2;
    default: return fabs(p - q) / 2;
    }
}

double divergence_of(int kind, const float *pp, const float *qq, int n, double cut)
{
    double sum = 0, others = 0;
    for (int i = 0; i < n; i++) {
        if (cut > 0 && !(qq[i] > 0))
            others += (double)pp[i];
        else
            sum += of_outcome(kind, (double)pp[i], (double)qq[i] * (1 - cut));
    }
    if (cut > 0) sum += of_outcome(kind, others, cut);
    return sum > 0 ? sum : 0;
}
