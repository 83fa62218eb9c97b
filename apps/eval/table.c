#include "eval/table.h"

#include "eval/columns.h"
#include "eval/grid.h"
#include "eval/remark.h"

#include <math.h>
#include <string.h>

/* ---- grids ------------------------------------------------------------------------------- */

/* The colours that `run` gives the models. */
static const char *color_of(const struct summary_row *row)
{
    static const char *const colors[] = {[EAD_POLICY_SMALL] = "\x1b[36m",
                                         [EAD_POLICY_LARGE] = "\x1b[33m",
                                         [EAD_POLICY_EAD] = "\x1b[1m",
                                         [EAD_POLICY_RANDOM] = "\x1b[2m"};
    const int kind = ead_policy_parse(row->policy);
    return kind >= 0 && kind < (int)(sizeof colors / sizeof *colors) ? colors[kind] : NULL;
}

/* Settings down, columns across. */
static bool main_grid(const struct summary *s, struct grid *g)
{
    size_t shown = 0;
    for (size_t i = 0; i < n_columns; i++)
        shown += column_prints(&columns[i], s->rows, s->n_settings);
    if (!grid_init(g, shown, s->n_settings)) return false;
    size_t at = 0;
    for (size_t i = 0; i < n_columns; i++) {
        if (!column_prints(&columns[i], s->rows, s->n_settings)) continue;
        grid_set(g->heads[at][0], columns[i].head ? columns[i].head : "");
        grid_set(g->heads[at][1], columns[i].unit ? columns[i].unit : "");
        for (size_t r = 0; r < s->n_settings; r++)
            column_show(&columns[i], &s->rows[r], grid_at(g, r, at));
        at++;
    }
    for (size_t r = 0; r < s->n_settings; r++) grid_at(g, r, 0)->color = color_of(&s->rows[r]);
    return true;
}

/* A name in two lines, parted at the space nearest its middle. */
static void part(const char *name, char heads[GRID_HEADS][GRID_TEXT_MAX])
{
    char whole[GRID_TEXT_MAX];
    size_t n, best = 0;
    grid_set(whole, name);
    n = strlen(whole);
    for (size_t i = 1; i < n; i++)
        if (whole[i] == ' ' && (!best || (2 * i > n ? 2 * i - n : n - 2 * i) <
                                             (2 * best > n ? 2 * best - n : n - 2 * best)))
            best = i;
    grid_set(heads[1], whole + (best ? best + 1 : 0));
    if (!best) return;
    whole[best] = 0;
    grid_set(heads[0], whole);
}

static const struct column *find_column(const char *key)
{
    for (size_t i = 0; i < n_columns; i++)
        if (!strcmp(columns[i].key, key)) return &columns[i];
    return NULL;
}

/* Settings down, groups across; accuracy without interval. */
static bool group_grid(const struct summary *s, const struct summary_group *groups, size_t n,
                       struct grid *g)
{
    const struct column *accuracy = find_column("accuracy");
    if (!grid_init(g, n + 1, s->n_settings)) return false;
    grid_set(g->heads[0][1], "setting");
    for (size_t k = 0; k < n; k++) part(groups[k].name, g->heads[k + 1]);
    for (size_t r = 0; r < s->n_settings; r++) {
        column_show(&columns[0], &s->rows[r], grid_at(g, r, 0));
        grid_at(g, r, 0)->color = color_of(&s->rows[r]);
        for (size_t k = 0; k < n; k++) {
            struct grid_cell *cell = grid_at(g, r, k + 1);
            column_show(accuracy, &groups[k].rows[r], cell);
            *cell->remark = 0;
        }
    }
    return true;
}

/* ---- for people -------------------------------------------------------------------------- */

static void print_remarks(const struct summary *s, FILE *to, const char *bullet)
{
    char text[REMARK_TEXT_MAX];
    for (size_t i = 0; i < REMARK_KINDS; i++)
        if (remark_make(s, i, text)) fprintf(to, "%s%s\n", bullet, text);
}

/* Say over how many problems this is, and which settings lack some. */
static void print_coverage(const struct summary *s, FILE *to, const char *bullet)
{
    fprintf(to, "%zu problem%s", s->n_problems, s->n_problems == 1 ? "" : "s");
    if (s->n_wanted > s->n_problems) fprintf(to, " of %zu", s->n_wanted);
    if (s->parallel) fprintf(to, ", timed %d at a time", s->parallel);
    if (s->parallel && s->threads) /* none where both models are behind an API */
        fprintf(to, " on %d thread%s", s->threads, s->threads == 1 ? "" : "s");
    fputc('\n', to);
    print_remarks(s, to, bullet);
    for (size_t i = 0; i < s->n_settings; i++) {
        const struct summary_row *row = &s->rows[i];
        struct grid_cell name;
        if ((size_t)row->problems == s->n_problems) continue;
        column_show(&columns[0], row, &name);
        fprintf(to, "%s%s: %.0f of %zu problems, %.0f of them in common with large\n", bullet,
                name.value, row->problems, s->n_problems, row->paired);
    }
}

typedef void (*show_grid)(const struct grid *g, FILE *to, bool color);

static void show_markdown(const struct grid *g, FILE *to, bool color)
{
    (void)color;
    grid_markdown(g, to);
}

static bool show_groups(const struct summary *s, const struct summary_group *groups, size_t n,
                        const char *title, show_grid show, FILE *to, bool color)
{
    struct grid g;
    if (!n) return true;
    bool good = group_grid(s, groups, n, &g);
    if (good) {
        fprintf(to, "\n%s\n\n", title);
        show(&g, to, color);
    }
    grid_deinit(&g);
    return good;
}

/* The paper's cost counts parameters and no row that is read: a note, and no column. */
static void print_costs(const struct summary *s, FILE *to)
{
    const struct column *cost = find_column("parameter_cost");
    int at = 0;
    for (size_t i = 0; i < s->n_settings; i++) {
        struct grid_cell name, value;
        if (isnan(s->rows[i].cost)) continue;
        column_show(&columns[0], &s->rows[i], &name);
        column_show(cost, &s->rows[i], &value);
        if (!at) at = fprintf(to, "\nThe paper's cost, which counts no row that is read, %%:") - 1;
        const int more = (int)(strlen(name.value) + strlen(value.value)) + 3;
        if (at + more > GRID_WIDTH) at = fprintf(to, "\n ") - 1;
        at += fprintf(to, " %s %s;", name.value, value.value);
    }
    if (at) fputc('\n', to);
}

/* What time was modelled with, beside what this run measured. */
static void print_model(const struct summary *s, FILE *to)
{
    if (!isfinite(s->measured.small) || !isfinite(s->measured.row)) return;
    fprintf(
        to,
        "\nModelled with a step of the small model at %.3g of the large one's and a further row "
        "at %.3g\nof a pass; in this run they took %.3g and %.3g.\n",
        s->cost.small, s->cost.row, s->measured.small, s->measured.row);
}

/* Settings that gave every answer of the large model as it did. */
static void print_lossless(const struct summary *s, FILE *to)
{
    bool any = false;
    for (size_t i = 0; i < s->n_settings; i++) {
        struct grid_cell name;
        const struct summary_row *row = &s->rows[i];
        if (!(row->same >= 1) || ead_policy_parse(row->policy) == EAD_POLICY_LARGE) continue;
        column_show(&columns[0], row, &name);
        fprintf(to, "%s%s",
                any ? "\n  " : "\nLossless, every answer being the large model's own:\n  ",
                name.value);
        any = true;
    }
    if (any) fputc('\n', to);
}

static bool show_main(const struct summary *s, show_grid show, FILE *to, bool color)
{
    struct grid g;
    if (!s->n_settings) return true;
    bool good = main_grid(s, &g);
    fputc('\n', to);
    if (good) {
        show(&g, to, color);
        print_model(s, to);
        print_lossless(s, to);
        print_costs(s, to);
    }
    grid_deinit(&g);
    return good;
}

bool table_print_settings(const struct summary *s, FILE *to, bool color)
{
    print_coverage(s, to, "  ");
    return show_main(s, grid_print, to, color);
}

bool table_print(const struct summary *s, FILE *to, bool color)
{
    return table_print_settings(s, to, color) &&
           show_groups(s, s->levels, s->n_levels, "Accuracy by level, %", grid_print, to, color) &&
           show_groups(s, s->subjects, s->n_subjects, "Accuracy by subject, %", grid_print, to,
                       color);
}

bool table_markdown(const struct summary *s, FILE *to)
{
    print_coverage(s, to, "- ");
    if (!show_main(s, show_markdown, to, false)) return false;
    fputc('\n', to);
    for (size_t i = 1; i < n_columns; i++)
        if (column_prints(&columns[i], s->rows, s->n_settings))
            fprintf(to, "- **%s %s**: %s\n", columns[i].head, columns[i].unit, columns[i].help);
    return show_groups(s, s->levels, s->n_levels, "## Accuracy by level, %", show_markdown, to,
                       false) &&
           show_groups(s, s->subjects, s->n_subjects, "## Accuracy by subject, %", show_markdown,
                       to, false);
}

/* ---- CSV --------------------------------------------------------------------------------- */

static void csv_text(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

/* Nothing stands for what is not defined. */
static void csv_number(FILE *to, double x)
{
    fputc(',', to);
    if (isfinite(x)) fprintf(to, "%.6g", x);
}

static void csv_row(const char *by, const char *group, const struct summary_row *row, FILE *to)
{
    fprintf(to, "%s,", by);
    csv_text(to, group);
    for (size_t i = 0; i < n_columns; i++) {
        const struct column *c = &columns[i];
        if (c->kind == COLUMN_TEXT) {
            fputc(',', to);
            csv_text(to, column_text(c, row));
            continue;
        }
        const struct measure m = column_measure(c, row);
        csv_number(to, m.value);
        if (!c->spans) continue;
        csv_number(to, m.span.low);
        csv_number(to, m.span.high);
    }
    fputc('\n', to);
}

static void csv_group(const struct summary *s, const char *by, const char *name,
                      const struct summary_row *rows, FILE *to)
{
    for (size_t i = 0; i < s->n_settings; i++) csv_row(by, name, &rows[i], to);
}

void table_csv(const struct summary *s, FILE *to)
{
    fputs("by,group", to);
    for (size_t i = 0; i < n_columns; i++) {
        fprintf(to, ",%s", columns[i].key);
        if (columns[i].spans) fprintf(to, ",%s_low,%s_high", columns[i].key, columns[i].key);
    }
    fputc('\n', to);
    csv_group(s, "all", "", s->rows, to);
    for (size_t i = 0; i < s->n_levels; i++)
        csv_group(s, "level", s->levels[i].name, s->levels[i].rows, to);
    for (size_t i = 0; i < s->n_subjects; i++)
        csv_group(s, "subject", s->subjects[i].name, s->subjects[i].rows, to);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *json_measured(const struct column *c, double x)
{
    if (!isfinite(x)) return json_null();
    return c->kind == COLUMN_COUNT ? json_integer((json_int_t)x) : json_real(x);
}

static json_t *json_row(const struct summary_row *row)
{
    json_t *out = json_object();
    for (size_t i = 0; i < n_columns; i++) {
        const struct column *c = &columns[i];
        char key[64];
        if (c->kind == COLUMN_TEXT) {
            json_object_set_new(out, c->key, json_string(column_text(c, row)));
            continue;
        }
        const struct measure m = column_measure(c, row);
        json_object_set_new(out, c->key, json_measured(c, m.value));
        if (!c->spans) continue;
        snprintf(key, sizeof key, "%s_low", c->key);
        json_object_set_new(out, key, json_measured(c, m.span.low));
        snprintf(key, sizeof key, "%s_high", c->key);
        json_object_set_new(out, key, json_measured(c, m.span.high));
    }
    return out;
}

/* Settings without a problem of a group have no row there. */
static json_t *json_rows(const struct summary *s, const struct summary_row *rows)
{
    json_t *out = json_array();
    for (size_t i = 0; i < s->n_settings; i++)
        if (rows[i].problems > 0) json_array_append_new(out, json_row(&rows[i]));
    return out;
}

static json_t *json_groups(const struct summary *s, const struct summary_group *groups, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_pack("{s:s, s:o}", "name", groups[i].name, "rows",
                                             json_rows(s, groups[i].rows)));
    return out;
}

static json_t *json_columns(void)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n_columns; i++) {
        const struct column *c = &columns[i];
        json_array_append_new(
            out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "key", c->key, "head",
                           c->head ? c->head : "", "unit", c->unit ? c->unit : "", "kind",
                           column_kind_name(c->kind), "help", c->help, "interval", (int)c->spans));
    }
    return out;
}

static json_t *json_remarks(const struct summary *s)
{
    char text[REMARK_TEXT_MAX];
    json_t *out = json_array();
    for (size_t i = 0; i < REMARK_KINDS; i++)
        if (remark_make(s, i, text)) json_array_append_new(out, json_string(text));
    return out;
}

json_t *table_json(const struct summary *s)
{
    return json_pack("{s:O, s:I, s:I, s:o, s:i, s:i, s:o, s:o, s:o, s:o}", "run", s->run,
                     "problems", (json_int_t)s->n_problems, "wanted", (json_int_t)s->n_wanted,
                     "remarks", json_remarks(s), "parallel", s->parallel, "threads", s->threads,
                     "columns", json_columns(), "rows", json_rows(s, s->rows), "levels",
                     json_groups(s, s->levels, s->n_levels), "subjects",
                     json_groups(s, s->subjects, s->n_subjects));
}
