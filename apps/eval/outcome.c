#include "eval/outcome.h"

#include "eval/fault.h"

#include <math.h>

struct sums {
    double problems, correct, tokens, large;
    double solved[2], modelled[2], seconds[2]; /* this setting, and the large model, in common */
};

static void add_pair(struct sums *s, const struct cost *cost, const struct record *mine,
                     const struct record *its)
{
    const struct record *both[] = {mine, its};
    for (int i = 0; i < 2; i++) {
        s->solved[i] += both[i]->correct;
        s->modelled[i] += cost_of(cost, both[i]);
        s->seconds[i] += both[i]->timed ? both[i]->seconds : 0;
    }
}

static struct sums add_up(const struct records *records, const struct record_setting *mine,
                          const struct record_setting *large, const struct cost *cost)
{
    struct sums s = {0};
    for (size_t p = 0; p < records->n_problems; p++) {
        const struct record *r = mine->records[p], *its = large->records[p];
        if (!r) continue;
        s.problems++;
        s.correct += r->correct;
        s.tokens += r->tokens;
        s.large += r->large;
        if (its) add_pair(&s, cost, r, its);
    }
    return s;
}

/* Where the large model solved nothing, or took no time, nothing is relative to it. */
static double over(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

ead_status outcome_read(const char *alone, const char *dir, const char *name,
                        const struct cost *cost, struct outcome *out, ead_error *error)
{
    const char *const dirs[] = {alone, dir};
    struct records *records;
    ead_status st = records_read(dirs, 2, &records, error);
    if (st) return st;
    const struct record_setting *mine = records_setting(records, name);
    const struct record_setting *large =
        records_setting(records, ead_policy_describe(EAD_POLICY_LARGE)->name);
    if (!mine || !large) {
        st = fault(error, EAD_FORMAT, "%s: there are no results of \"%s\"", mine ? alone : dir,
                   mine ? "large" : name);
    } else {
        const struct sums s = add_up(records, mine, large, cost);
        *out = (struct outcome){.accuracy = over(s.correct, s.problems),
                                .kept = over(s.solved[0], s.solved[1]),
                                .time = over(s.modelled[0], s.modelled[1]),
                                .measured = over(s.seconds[0], s.seconds[1]),
                                .share = over(s.large, s.tokens)};
    }
    records_free(records);
    return st;
}
