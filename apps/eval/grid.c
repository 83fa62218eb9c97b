#include "eval/grid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool grid_init(struct grid *g, size_t n_columns, size_t n_rows)
{
    *g = (struct grid){.n_columns = n_columns, .n_rows = n_rows};
    g->heads = calloc(n_columns, sizeof *g->heads);
    g->cells = calloc(n_columns * n_rows + 1, sizeof *g->cells);
    return g->heads && g->cells;
}

void grid_deinit(struct grid *g)
{
    free(g->heads);
    free(g->cells);
    *g = (struct grid){0};
}

struct grid_cell *grid_at(const struct grid *g, size_t row, size_t column)
{
    return &g->cells[row * g->n_columns + column];
}

static bool continues(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

void grid_set(char to[GRID_TEXT_MAX], const char *text)
{
    size_t n = strnlen(text, GRID_TEXT_MAX - 1);
    if (text[n])
        while (n && continues(text[n])) n--; /* not within a character */
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    to[n] = 0;
}

/* ---- terminal ---------------------------------------------------------------------------- */

#define DIM   "\x1b[2m"
#define RESET "\x1b[0m"

/* Columns that a text takes, if each character takes one. */
static int width(const char *text)
{
    int n = 0;
    for (; *text; text++) n += !continues(*text);
    return n;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

struct layout {
    int value, remark; /* widths */
};

static int layout_width(const struct layout *l)
{
    return larger(l->value, 1) + (l->remark ? 1 + l->remark : 0);
}

static struct layout measure(const struct grid *g, size_t column)
{
    struct layout l = {0, 0};
    for (size_t r = 0; r < g->n_rows; r++) {
        const struct grid_cell *cell = grid_at(g, r, column);
        l.value = larger(l.value, width(cell->value));
        l.remark = larger(l.remark, width(cell->remark));
    }
    for (int h = 0; h < GRID_HEADS; h++)
        l.value += larger(0, width(g->heads[column][h]) - layout_width(&l));
    return l;
}

/* A column with remarks stands further off. */
static int gap(const struct layout *l, size_t column)
{
    return !column ? 0 : l[column].remark || l[column - 1].remark || column == 1 ? 2 : 1;
}

static void pad(FILE *to, int n)
{
    fprintf(to, "%*s", larger(n, 0), "");
}

static void print_head(const struct grid *g, const struct layout *l, size_t column, int line,
                       FILE *to)
{
    const char *head = g->heads[column][line];
    const int room = layout_width(&l[column]) - width(head);
    pad(to, gap(l, column) + (column ? room : 0));
    fputs(head, to);
    if (!column) pad(to, room);
}

static void print_cell(const struct grid_cell *cell, const struct layout *l, size_t column,
                       FILE *to, bool color)
{
    const int room = l[column].value - width(cell->value);
    pad(to, gap(l, column) + (column ? room : 0));
    if (color && cell->color) fputs(cell->color, to);
    fputs(cell->value, to);
    if (color && cell->color) fputs(RESET, to);
    if (!column) pad(to, room);
    if (!l[column].remark) return;
    pad(to, 1 + l[column].remark - width(cell->remark));
    fprintf(to, "%s%s%s", color ? DIM : "", cell->remark, color ? RESET : "");
}

/* The first column and those from `from` on as far as they fit; returns the first that does not. */
static size_t print_block(const struct grid *g, const struct layout *l, size_t from, FILE *to,
                          bool color)
{
    int used = layout_width(&l[0]);
    size_t end = from;
    while (end < g->n_columns &&
           (end == from || used + gap(l, end) + layout_width(&l[end]) <= GRID_WIDTH))
        used += gap(l, end) + layout_width(&l[end]), end++;
    for (int h = 0; h < GRID_HEADS; h++) {
        print_head(g, l, 0, h, to);
        for (size_t c = from; c < end; c++) print_head(g, l, c, h, to);
        fputc('\n', to);
    }
    for (size_t r = 0; r < g->n_rows; r++) {
        print_cell(grid_at(g, r, 0), l, 0, to, color);
        for (size_t c = from; c < end; c++) print_cell(grid_at(g, r, c), l, c, to, color);
        fputc('\n', to);
    }
    return end;
}

void grid_print(const struct grid *g, FILE *to, bool color)
{
    struct layout *l = calloc(g->n_columns, sizeof *l);
    if (!l) return;
    for (size_t c = 0; c < g->n_columns; c++) l[c] = measure(g, c);
    for (size_t c = 1; c < g->n_columns;) {
        c = print_block(g, l, c, to, color);
        if (c < g->n_columns) fputc('\n', to);
    }
    free(l);
}

/* ---- Markdown ---------------------------------------------------------------------------- */

/* What Markdown, or the HTML in it, would read is shown as it stands. */
static void print_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '&') {
            fputs(*text == '<' ? "&lt;" : "&amp;", to);
            continue;
        }
        if (strchr("\\`*_{}[]>|$~", *text)) fputc('\\', to);
        fputc(*text, to);
    }
}

void grid_markdown(const struct grid *g, FILE *to)
{
    for (size_t c = 0; c < g->n_columns; c++) {
        const bool both = *g->heads[c][0] && *g->heads[c][1];
        fputs("| ", to);
        print_escaped(to, g->heads[c][0]);
        fputs(both ? " " : "", to);
        print_escaped(to, g->heads[c][1]);
        fputc(' ', to);
    }
    fputs("|\n", to);
    for (size_t c = 0; c < g->n_columns; c++) fputs(c ? "|---:" : "|---", to);
    fputs("|\n", to);
    for (size_t r = 0; r < g->n_rows; r++) {
        for (size_t c = 0; c < g->n_columns; c++) {
            const struct grid_cell *cell = grid_at(g, r, c);
            fputs("| ", to);
            print_escaped(to, cell->value);
            if (*cell->remark) fprintf(to, " (%s)", cell->remark);
            fputc(' ', to);
        }
        fputs("|\n", to);
    }
}
