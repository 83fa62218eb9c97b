#include "eval/remark.h"

#include <stdio.h>

/* All settings have the same, but for those that lack results. */
static double unanswered(const struct summary *s)
{
    double most = 0;
    for (size_t i = 0; i < s->n_settings; i++)
        if (s->rows[i].unanswered > most) most = s->rows[i].unanswered;
    return most;
}

static bool remark_unanswered(const struct summary *s, char out[REMARK_TEXT_MAX])
{
    const double n = unanswered(s);
    snprintf(out, REMARK_TEXT_MAX,
             n == 1 ? "%.0f problem has no answer, since its prompt does not fit into the context; "
                      "it counts as not solved"
                    : "%.0f problems have no answer, since their prompts do not fit into the "
                      "context; they count as not solved",
             n);
    return n > 0;
}

static bool remark_skipped(const struct summary *s, char out[REMARK_TEXT_MAX])
{
    const size_t n = s->n_skipped;
    snprintf(out, REMARK_TEXT_MAX,
             n == 1
                 ? "%zu record of the data was skipped, since no problem can be read from it"
                 : "%zu records of the data were skipped, since no problem can be read from them",
             n);
    return n > 0;
}

/* Below that the neighbours are in every figure: seconds vary by more than settings differ. */
static const double quiet = 0.9;

static bool remark_busy(const struct summary *s, char out[REMARK_TEXT_MAX])
{
    const double had = load_share(s->load);
    snprintf(
        out, REMARK_TEXT_MAX,
        "the machine was busy with other work: this run had %.0f %% of the processor time that "
        "it would have used, and its times mean little",
        100 * had);
    return had < quiet;
}

bool remark_make(const struct summary *s, size_t i, char out[REMARK_TEXT_MAX])
{
    static bool (*const make[REMARK_KINDS])(const struct summary *, char *) = {
        remark_busy, remark_unanswered, remark_skipped};
    return make[i](s, out);
}
