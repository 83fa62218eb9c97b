/*
 * For tests of the template language: a template and its variables as JSON, rendered and compared.
 * What is expected was made with jinja2 under transformers' settings.
 */
#ifndef EAD_TESTS_TEST_JINJA_RENDER_H
#define EAD_TESTS_TEST_JINJA_RENDER_H

#include "text/jinja.h"
#include "text/jinja/jvjson.h"

#include <stdio.h>
#include <string.h>

/* 2026-01-02 03:04:05, a Friday. */
static const struct tm render_clock = {.tm_year = 126,
                                       .tm_mday = 2,
                                       .tm_hour = 3,
                                       .tm_min = 4,
                                       .tm_sec = 5,
                                       .tm_wday = 5,
                                       .tm_yday = 1};

/* Variables may be NULL. The text is appended to `out`; of an error `err` has the message. */
static inline enum status render_text(const char *text, size_t n, const char *variables,
                                      const struct jinja_limits *limits, struct buf *out,
                                      struct err *err)
{
    struct pool pool = {.max = limits->memory};
    struct jinja *j = NULL;
    struct jv v;
    const char *json = variables ? variables : "{}";
    enum status st = jvjson_read(&pool, json, strlen(json), &v, err);
    if (st == ST_OK) st = jinja_open(text, n, &j, err);
    if (st == ST_OK) st = jinja_render(j, v.dict, limits, &render_clock, &pool, out, err);
    jinja_close(j);
    pool_deinit(&pool);
    return st;
}

struct row {
    const char *text, *variables, *expected;
};

/* Rows whose text is another than expected, each of them printed. */
static inline int render_rows(const struct row *rows, size_t n)
{
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct buf out = {0};
        struct err err = {0};
        const enum status st =
            render_text(r->text, strlen(r->text), r->variables, &jinja_limits_usual, &out, &err);
        if (st != ST_OK || out.len != strlen(r->expected) ||
            (out.len && memcmp(out.data, r->expected, out.len) != 0)) {
            printf("template: %s\nexpected: %s\nfound:    %s\n", r->text, r->expected,
                   st != ST_OK ? err.message
                   : out.data  ? out.data
                               : "");
            wrong++;
        }
        buf_deinit(&out);
    }
    return wrong;
}

#define RENDER_ROWS(rows) assert_int_equal(render_rows(rows, sizeof(rows) / sizeof *(rows)), 0)

#endif
