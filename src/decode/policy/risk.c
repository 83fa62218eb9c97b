#include "decode/policy/risk.h"

#include <math.h>

/* ---- a table -------------------------------------------------------------------------------- */

static enum status check_rising(const ead_risk *t, struct err *err)
{
    for (int i = 1; i < t->n_classes - 1; i++)
        if (t->ids[i] <= t->ids[i - 1])
            return err_set(err, ST_ARG, "table: ids[%d]: expected more than %d, found %d", i,
                           t->ids[i - 1], t->ids[i]);
    for (int i = 0; i < EAD_RISK_BINS - 1; i++) {
        const double edge = (double)t->edges[i], before = i ? (double)t->edges[i - 1] : -INFINITY;
        if (isnan(edge))
            return err_set(err, ST_ARG, "table: edges[%d]: expected a number, found NaN", i);
        if (i && !(edge > before))
            return err_set(err, ST_ARG, "table: edges[%d]: expected more than %g, found %g", i,
                           before, edge);
    }
    return ST_OK;
}

enum status risk_check(const ead_risk *t, struct err *err)
{
    if (t->n_classes < 1 || t->n_classes > EAD_RISK_CLASSES)
        return err_set(err, ST_ARG, "table: n_classes: expected 1 to %d, found %d",
                       EAD_RISK_CLASSES, t->n_classes);
    TRY(check_rising(t, err));
    for (int b = 0; b < EAD_RISK_BINS; b++)
        for (int c = 0; c < t->n_classes; c++)
            if (!(t->risk[b][c] >= 0 && t->risk[b][c] <= 1))
                return err_set(err, ST_ARG, "table: risk[%d][%d]: expected 0 to 1, found %g", b, c,
                               (double)t->risk[b][c]);
    return ST_OK;
}

/* The class of a token: its place among the frequent ones, or the last. */
static int class_of(const ead_risk *table, int32_t id)
{
    int low = 0, high = table->n_classes - 1;
    while (low < high) {
        const int mid = (low + high) / 2;
        if (table->ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < table->n_classes - 1 && table->ids[low] == id ? low : table->n_classes - 1;
}

double risk_look_up(const ead_risk *table, float entropy, int32_t id)
{
    int bin = 0;
    while (bin < EAD_RISK_BINS - 1 && entropy >= table->edges[bin]) bin++;
    return (double)table->risk[bin][class_of(table, id)];
}

/* ---- drafts --------------------------------------------------------------------------------- */

double risk_of(const ead_policy_options *o, const ead_signals *s)
{
    return o->table ? risk_look_up(o->table, s->stats.entropy, s->id) : (double)s->stats.entropy;
}

bool slack_lets(const struct policy *p, double slack, const ead_opinion *o)
{
    if (slack > 0) return (double)o->p >= (1 - slack) * (double)o->max_p;
    return o->id == (p->drawn ? o->own : o->argmax);
}

bool slack_keeps(const struct policy *p, const ead_opinion *o)
{
    const double slack = p->options.slack;
    if (slack > 0 && p->options.slack_by == EAD_SLACK_LEAD)
        return (double)o->p >= (double)o->max_p - slack;
    return slack_lets(p, slack, o);
}

bool risk_too_many(const ead_policy_options *o, const ead_signals *s, int n)
{
    const int most = o->unjudged < s->draft_max ? o->unjudged : s->draft_max;
    return most > 0 && n >= most;
}

bool risk_left_too_long(const ead_policy_options *o, const ead_signals *s)
{
    return (s->end && o->tail) || risk_too_many(o, s, s->drafts);
}
