#include "eval/risk.h"

#include "eval/fault.h"
#include "eval/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bins and classes -------------------------------------------------------------------- */

/* Most drafts are certain; the bins are where they are not. */
static const double quantiles[EAD_RISK_BINS - 1] = {0.5,  0.65, 0.75,  0.82,  0.87, 0.91,
                                                    0.94, 0.96, 0.975, 0.985, 0.993};
static const double EDGE = 1e-4, RISK = 1e-6; /* their last digits */
enum { DOUBT = 4 /* bins from which on a draft is in doubt */ };

static int by_entropy(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* With the digits that a profile has, so that what was measured is what is read back. */
static float rounded(double x, double unit)
{
    return (float)(round(x / unit) * unit);
}

/* Rising, whatever the drafts are. */
static bool find_edges(const struct drafts *d, float edges[EAD_RISK_BINS - 1])
{
    float *all = malloc((d->n + 1) * sizeof *all);
    if (!all) return false;
    for (size_t i = 0; i < d->n; i++) all[i] = d->list[i].entropy;
    qsort(all, d->n, sizeof *all, by_entropy);
    for (int b = 0; b < EAD_RISK_BINS - 1; b++) {
        const float edge = rounded((double)all[(size_t)(quantiles[b] * (double)d->n)], EDGE);
        edges[b] = !b || edge > edges[b - 1] ? edge : rounded((double)edges[b - 1] + EDGE, EDGE);
    }
    free(all);
    return true;
}

static int bin_of(const ead_risk *t, float entropy)
{
    int b = 0;
    while (b < EAD_RISK_BINS - 1 && entropy >= t->edges[b]) b++;
    return b;
}

struct count {
    int32_t id;
    int n;
};

static int by_id(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int by_count(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : by_id(&x->id, &y->id);
}

/* The tokens that most often are in doubt have a class of their own. */
static bool find_classes(const struct drafts *d, ead_risk *t)
{
    int32_t *ids = malloc((d->n + 1) * sizeof *ids);
    struct count *counts = malloc((d->n + 1) * sizeof *counts);
    size_t n = 0, kinds = 0;
    const bool good = ids && counts;
    for (size_t i = 0; good && i < d->n; i++)
        if (bin_of(t, d->list[i].entropy) >= DOUBT) ids[n++] = d->list[i].id;
    if (n) qsort(ids, n, sizeof *ids, by_id);
    for (size_t i = 0; i < n; i++) {
        if (!i || ids[i] != ids[i - 1]) counts[kinds++] = (struct count){ids[i], 0};
        counts[kinds - 1].n++;
    }
    if (kinds) qsort(counts, kinds, sizeof *counts, by_count);
    const int own = kinds < EAD_RISK_CLASSES - 1 ? (int)kinds : EAD_RISK_CLASSES - 1;
    for (int c = 0; c < own; c++) t->ids[c] = counts[c].id;
    if (own) qsort(t->ids, (size_t)own, sizeof *t->ids, by_id);
    t->n_classes = own + 1;
    free(ids);
    free(counts);
    return good;
}

static int class_of(const ead_risk *t, int32_t id)
{
    const int own = t->n_classes - 1;
    const int32_t *at = own ? bsearch(&id, t->ids, (size_t)own, sizeof id, by_id) : NULL;
    return at ? (int)(at - t->ids) : own;
}

/* ---- the table --------------------------------------------------------------------------- */

struct cells {
    double drafts[EAD_RISK_BINS][EAD_RISK_CLASSES], wrong[EAD_RISK_BINS][EAD_RISK_CLASSES];
};

static bool is_refused(const struct draft *x, double slack, int by)
{
    const double best = (double)x->max_p;
    return (double)x->p < (by == EAD_SLACK_LEAD ? best - slack : (1 - slack) * best);
}

static void count(const struct drafts *d, const ead_policy_options *rule, const ead_risk *t,
                  struct cells *to)
{
    const bool slack = option_concerns(option_find("slack"), rule->kind);
    const bool either = option_concerns(option_find("slack-by"), rule->kind);
    bool over = false;
    for (size_t i = 0; i < d->n; i++) {
        const struct draft *x = &d->list[i];
        if (x->first) over = false;
        if (over) continue;
        over = is_refused(x, slack ? rule->slack : 0, either ? rule->slack_by : EAD_SLACK_RATIO);
        const int b = bin_of(t, x->entropy), c = class_of(t, x->id);
        to->drafts[b][c]++;
        to->wrong[b][c] += over;
    }
}

/* So many drafts that are refused as often as those around count beside a cell's own. */
static const double LEAN = 8;

static double leaning(double wrong, double drafts, double mean)
{
    return (wrong + LEAN * mean) / (drafts + LEAN);
}

static void fill(const struct cells *cells, ead_risk *t)
{
    double drafts[EAD_RISK_BINS] = {0}, wrong[EAD_RISK_BINS] = {0}, all = 0, bad = 0;
    for (int b = 0; b < EAD_RISK_BINS; b++)
        for (int c = 0; c < t->n_classes; c++) {
            drafts[b] += cells->drafts[b][c];
            wrong[b] += cells->wrong[b][c];
            all += cells->drafts[b][c];
            bad += cells->wrong[b][c];
        }
    for (int b = 0; b < EAD_RISK_BINS; b++) {
        const double mean = leaning(wrong[b], drafts[b], bad / all);
        for (int c = 0; c < t->n_classes; c++)
            t->risk[b][c] = rounded(leaning(cells->wrong[b][c], cells->drafts[b][c], mean), RISK);
    }
}

bool risk_count(const struct drafts *d, const ead_policy_options *rule, ead_risk *out)
{
    struct cells *cells = calloc(1, sizeof *cells);
    *out = (ead_risk){.n_classes = 1};
    const bool good = cells && d->n && find_edges(d, out->edges) && find_classes(d, out);
    if (good) {
        count(d, rule, out, cells);
        fill(cells, out);
    }
    free(cells);
    return good;
}

/* ---- JSON -------------------------------------------------------------------------------- */

/* Six digits are enough for a probability, and a profile is read by people. */
static json_t *numbers(const float *x, int n)
{
    json_t *out = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(out, json_real((double)x[i]));
    return out;
}

json_t *risk_json(const ead_risk *t)
{
    json_t *ids = json_array(), *risk = json_array();
    for (int c = 0; c < t->n_classes - 1; c++) json_array_append_new(ids, json_integer(t->ids[c]));
    for (int b = 0; b < EAD_RISK_BINS; b++)
        json_array_append_new(risk, numbers(t->risk[b], t->n_classes));
    return json_pack("{s:o, s:o, s:o}", "edges", numbers(t->edges, EAD_RISK_BINS - 1), "tokens",
                     ids, "risk", risk);
}

/* An array of n numbers from low to high, and rising if they have to be. */
static bool read_numbers(const json_t *array, int n, double high, bool rising, float *out)
{
    if (!json_is_array(array) || json_array_size(array) != (size_t)n) return false;
    for (int i = 0; i < n; i++) {
        const json_t *x = json_array_get(array, (size_t)i);
        out[i] = (float)json_number_value(x);
        if (!json_is_number(x) || !(json_number_value(x) >= 0) || !(json_number_value(x) <= high))
            return false;
        if (rising && i && out[i] <= out[i - 1]) return false;
    }
    return true;
}

static bool read_ids(const json_t *array, ead_risk *out)
{
    const size_t n = json_array_size(array);
    if (!json_is_array(array) || n >= EAD_RISK_CLASSES) return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(array, i);
        const json_int_t x = json_integer_value(id);
        if (!json_is_integer(id) || x < 0 || x > INT32_MAX) return false;
        out->ids[i] = (int32_t)x;
        if (i && out->ids[i] <= out->ids[i - 1]) return false;
    }
    out->n_classes = (int)n + 1;
    return true;
}

ead_status risk_read(const struct jsonl_field *at, ead_risk *out, ead_error *error)
{
    const json_t *risk = json_object_get(at->object, "risk");
    *out = (ead_risk){.n_classes = 1};
    if (!read_numbers(json_object_get(at->object, "edges"), EAD_RISK_BINS - 1, HUGE_VAL, true,
                      out->edges))
        return jsonl_unfit(at, "edges", "11 rising numbers of bits", error);
    if (!read_ids(json_object_get(at->object, "tokens"), out))
        return jsonl_unfit(at, "tokens", "at most 63 rising token ids", error);
    bool good = json_is_array(risk) && json_array_size(risk) == EAD_RISK_BINS;
    for (int b = 0; good && b < EAD_RISK_BINS; b++)
        good =
            read_numbers(json_array_get(risk, (size_t)b), out->n_classes, 1, false, out->risk[b]);
    if (good) return EAD_OK;
    return jsonl_unfit(at, "risk", "12 arrays of probabilities, one more each than tokens", error);
}
