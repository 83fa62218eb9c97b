#include "decode/policy/divergence.h"

#include "ead.h"

#include <math.h>

/* A token's part of KL(a, b). */
static double part(double a, double b)
{
    return a > 0 ? a * log(a / b) : 0;
}

double divergence_of(int kind, const float *pp, const float *qq, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double p = (double)pp[i], q = (double)qq[i], m = (p + q) / 2;
        switch (kind) {
        case EAD_DIVERGENCE_KL: sum += part(p, q); break;
        case EAD_DIVERGENCE_JS: sum += (part(m, p) + part(m, q)) / 2; break;
        default: sum += fabs(p - q) / 2; break;
        }
    }
    return sum > 0 ? sum : 0;
}
