#include "eval/remark.h"

#include "eval/records.h"

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

/* Of a setting that decides by entropy, the largest share of decisions that bounds left open. */
static double most_open(const struct summary *s)
{
    double most = 0;
    for (size_t i = 0; i < s->records->n_settings; i++) {
        const struct record_setting *setting = &s->records->settings[i];
        double open = 0, tokens = 0;
        for (size_t p = 0; p < s->records->n_problems; p++) {
            const struct record *r = setting->records[p];
            open += r ? r->open : 0;
            tokens += r ? r->tokens : 0;
        }
        if (tokens > 0 && open / tokens > most) most = open / tokens;
    }
    return most;
}

static const double few_open = 0.01;

static bool remark_open(const struct summary *s, char out[REMARK_TEXT_MAX])
{
    const double open = most_open(s);
    snprintf(out, REMARK_TEXT_MAX,
             "up to %.1f %% of a setting's decisions lay between the bounds of a server's "
             "entropies; --top-logprobs asks for narrower ones",
             100 * open);
    return open > few_open;
}

bool remark_make(const struct summary *s, size_t i, char out[REMARK_TEXT_MAX])
{
    static bool (*const make[REMARK_KINDS])(const struct summary *, char *) = {
        remark_busy, remark_unanswered, remark_skipped, remark_open};
    return make[i](s, out);
}
