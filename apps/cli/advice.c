#include "cli/advice.h"

#include <stdio.h>

/* Beyond the positions that a model was trained on it mostly writes nonsense, and nothing fails. */
static void advise_context(const ead_model *const models[EAD_WRITERS],
                           const char *const paths[EAD_WRITERS], int n_ctx)
{
    int trained = n_ctx, shortest = -1;
    for (int w = 0; w < EAD_WRITERS; w++) {
        const int its = models[w] ? ead_model_describe(models[w]).n_ctx_train : n_ctx;
        if (its <= 0 || its >= trained) continue;
        trained = its;
        shortest = w;
    }
    if (shortest >= 0)
        fprintf(stderr,
                "ead: %s: a context of %d tokens is beyond the %d that it was trained on, where "
                "texts lose their sense\n",
                paths[shortest], n_ctx, trained);
}

void advice_give(const ead_model *const models[EAD_WRITERS], const char *const paths[EAD_WRITERS],
                 int n_ctx)
{
    uint64_t parameters[EAD_WRITERS] = {0};
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (models[w]) parameters[w] = ead_model_describe(models[w]).n_params;
    }
    advise_context(models, paths, n_ctx);
    if (parameters[EAD_LARGE] && parameters[EAD_SMALL] > parameters[EAD_LARGE])
        fprintf(stderr,
                "ead: the large model has %.4g M parameters and the small one %.4g M: %s and %s "
                "may be swapped\n",
                (double)parameters[EAD_LARGE] * 1e-6, (double)parameters[EAD_SMALL] * 1e-6,
                paths[EAD_LARGE], paths[EAD_SMALL]);
}
