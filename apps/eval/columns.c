#include "eval/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(struct summary_row, field)

const struct column columns[] = {
    {.key = "setting",
     .unit = "setting",
     .help = "the policy, and options that differ from what holds otherwise",
     .offset = AT(setting),
     .prints = VALUE},
    {.key = "policy", .head = "policy", .help = "the policy's name", .offset = AT(policy)},
    {.key = "tau",
     .head = "tau",
     .unit = "bits",
     .help = "the large model writes while the rolling entropy is above this",
     .offset = AT(tau),
     .kind = COLUMN_NUMBER},
    {.key = "problems",
     .head = "problems",
     .help = "problems with a result",
     .offset = AT(problems),
     .kind = COLUMN_COUNT},
    {.key = "paired",
     .head = "paired",
     .help = "problems that the large model alone has a result for as well",
     .offset = AT(paired),
     .kind = COLUMN_COUNT},
    {.key = "correct",
     .head = "correct",
     .help = "problems solved",
     .offset = AT(correct),
     .kind = COLUMN_COUNT},
    {.key = "accuracy",
     .head = "accuracy",
     .unit = "%",
     .help = "problems solved; Wilson's 95 % interval",
     .offset = AT(accuracy),
     .kind = COLUMN_SHARE,
     .spans = true,
     .prints = INTERVAL},
    {.key = "kept",
     .head = "kept",
     .unit = "% of large",
     .help = "accuracy relative to the large model alone, on the same problems; 95 % interval of a "
             "paired bootstrap",
     .offset = AT(kept),
     .kind = COLUMN_SHARE,
     .spans = true,
     .prints = INTERVAL},
    {.key = "same",
     .head = "same",
     .unit = "%",
     .help = "answers that are, to the letter, what the large model wrote alone",
     .offset = AT(same),
     .kind = COLUMN_SHARE,
     .prints = VALUE},
    {.key = "gain",
     .head = "over random",
     .unit = "points",
     .help = "accuracy less that of random switching at the same share of large-model tokens, on "
             "the same problems; 95 % interval of a paired bootstrap",
     .offset = AT(gain),
     .kind = COLUMN_POINTS,
     .spans = true,
     .prints = INTERVAL},
    {.key = "against",
     .head = "against",
     .unit = "points",
     .help = "accuracy less that of the setting named by --against, on the same problems; 95 % "
             "interval of a paired bootstrap",
     .offset = AT(against),
     .kind = COLUMN_POINTS,
     .spans = true,
     .prints = INTERVAL},
    {.key = "large_share",
     .head = "large",
     .unit = "%",
     .help = "tokens that the large model wrote",
     .offset = AT(share),
     .kind = COLUMN_SHARE,
     .prints = VALUE},
    {.key = "large_passes",
     .head = "L pass",
     .unit = "/100",
     .help = "passes of the large model to write or judge, per 100 tokens",
     .offset = AT(passes),
     .kind = COLUMN_NUMBER,
     .prints = VALUE},
    {.key = "large_rows",
     .head = "L rows",
     .unit = "/100",
     .help = "rows of these passes, per 100 tokens",
     .offset = AT(rows),
     .kind = COLUMN_NUMBER,
     .prints = VALUE},
    {.key = "lost",
     .head = "lost",
     .unit = "/100",
     .help = "tokens of the small model that were thrown away, per 100 tokens that stand",
     .offset = AT(lost),
     .kind = COLUMN_NUMBER,
     .prints = VALUE},
    {.key = "accepted",
     .head = "kept of",
     .unit = "judged",
     .help = "drafts that stand, of those that the large model judged",
     .offset = AT(accepted),
     .kind = COLUMN_SHARE,
     .prints = VALUE},
    {.key = "parameter_cost",
     .head = "cost",
     .unit = "%",
     .help = "the paper's cost: parameters at work for a token, relative to the large model alone",
     .offset = AT(cost),
     .kind = COLUMN_SHARE},
    {.key = "time",
     .head = "time",
     .unit = "x",
     .help = "measured seconds relative to the large model alone, on the same problems; 95 % "
             "interval of a paired bootstrap",
     .offset = AT(time),
     .kind = COLUMN_FACTOR,
     .spans = true,
     .prints = INTERVAL},
    {.key = "modelled_time",
     .head = "model",
     .unit = "x",
     .help = "the same of modelled time, which no machine or company changes; 95 % interval of a "
             "paired bootstrap",
     .offset = AT(modelled),
     .kind = COLUMN_FACTOR,
     .spans = true,
     .prints = INTERVAL},
    {.key = "against_time",
     .head = "against",
     .unit = "x",
     .help = "measured seconds relative to the setting named by --against, on the same problems; "
             "95 % interval of a paired bootstrap",
     .offset = AT(against_time),
     .kind = COLUMN_FACTOR,
     .spans = true,
     .prints = INTERVAL},
    {.key = "seconds",
     .head = "seconds",
     .help = "measured seconds, all problems",
     .offset = AT(seconds),
     .kind = COLUMN_NUMBER},
    {.key = "processor",
     .head = "processor",
     .unit = "%",
     .help = "processor time that the run had, of what it would have used on a quiet machine; far "
             "below 100 % times mean little",
     .offset = AT(had),
     .kind = COLUMN_SHARE},
    {.key = "overhead",
     .head = "over",
     .unit = "ideal",
     .help = "measured time of writing over the ideal, in which every token costs one decode step "
             "of its writer, less one",
     .offset = AT(overhead),
     .kind = COLUMN_SHARE,
     .prints = VALUE},
    {.key = "switches",
     .head = "sw",
     .unit = "/100",
     .help = "switches per 100 tokens",
     .offset = AT(switches),
     .kind = COLUMN_NUMBER,
     .prints = VALUE},
    {.key = "catchup_rows",
     .head = "catch",
     .unit = "/100",
     .help = "rows evaluated to catch up with the other model, per 100 tokens",
     .offset = AT(catchup),
     .kind = COLUMN_NUMBER},
    {.key = "tokens",
     .head = "tokens",
     .help = "tokens per problem",
     .offset = AT(tokens),
     .kind = COLUMN_NUMBER},
    {.key = "cut",
     .head = "cut",
     .unit = "%",
     .help = "texts that reached the limit of tokens before their end",
     .offset = AT(cut),
     .kind = COLUMN_SHARE},
    {.key = "unanswered",
     .head = "unanswered",
     .help = "problems whose prompts did not fit into the context; they count as not solved",
     .offset = AT(unanswered),
     .kind = COLUMN_COUNT},
};
const size_t n_columns = sizeof columns / sizeof *columns;

const char *column_text(const struct column *c, const struct summary_row *row)
{
    return *(const char *const *)((const char *)row + c->offset);
}

struct measure column_measure(const struct column *c, const struct summary_row *row)
{
    const char *at = (const char *)row + c->offset;
    if (c->spans) return *(const struct measure *)at;
    return (struct measure){*(const double *)at, {NAN, NAN}};
}

bool column_prints(const struct column *c, const struct summary_row *rows, size_t n)
{
    bool any = c->kind == COLUMN_TEXT;
    for (size_t i = 0; i < n; i++)
        any |= c->kind != COLUMN_TEXT && !isnan(column_measure(c, &rows[i]).value);
    return any && c->prints != HIDDEN;
}

const char *column_kind_name(enum column_kind kind)
{
    static const char *const names[] = {"text", "count", "share", "points", "factor", "number"};
    return names[kind];
}

/* ---- for people -------------------------------------------------------------------------- */

static void show_number(enum column_kind kind, double x, char out[GRID_TEXT_MAX])
{
    static const struct {
        double scale;
        const char *format;
    } shapes[] = {[COLUMN_COUNT] = {1, "%.0f"},
                  [COLUMN_SHARE] = {100, "%.1f"},
                  [COLUMN_POINTS] = {100, "%+.1f"},
                  [COLUMN_FACTOR] = {1, "%.2f"},
                  [COLUMN_NUMBER] = {1, "%.1f"}};
    snprintf(out, GRID_TEXT_MAX, shapes[kind].format, shapes[kind].scale * x);
    if (isnan(x))
        snprintf(out, GRID_TEXT_MAX, "-");
    else if (!strcmp(out, "-0.0")) /* what rounds to zero has no sign */
        snprintf(out, GRID_TEXT_MAX, "0.0");
}

/* "ead tau=0.1" as "ead 0.1", and without the digest of a table: the column is narrow. */
static void show_setting(const char *name, char out[GRID_TEXT_MAX])
{
    char brief[2 * GRID_TEXT_MAX];
    const char *tau = strstr(name, " tau="), *table = strstr(name, " table=");
    const int n = table ? (int)(table - name) : (int)strlen(name);
    if (tau)
        snprintf(brief, sizeof brief, "%.*s %.*s", (int)(tau - name), name,
                 n - (int)(tau + 5 - name), tau + 5);
    else
        snprintf(brief, sizeof brief, "%.*s", n, name);
    grid_set(out, brief);
}

void column_show(const struct column *c, const struct summary_row *row, struct grid_cell *cell)
{
    char low[GRID_TEXT_MAX], high[GRID_TEXT_MAX];
    if (c->kind == COLUMN_TEXT) {
        show_setting(column_text(c, row), cell->value);
        return;
    }
    const struct measure m = column_measure(c, row);
    show_number(c->kind, m.value, cell->value);
    *cell->remark = 0;
    if (c->prints != INTERVAL || isnan(m.span.low) || m.span.low == m.span.high) return;
    show_number(c->kind, m.span.low, low);
    show_number(c->kind, m.span.high, high);
    snprintf(cell->remark, sizeof cell->remark, "%.20s%s%.20s", low,
             c->kind == COLUMN_POINTS ? "…" : "–", high);
}
