#include "text/jinja.h"

#include "text/jinja/parser.h"
#include "text/jinja/run.h"

#include <stdlib.h>
#include <string.h>

struct jinja {
    struct pool pool; /* owns the tree */
    struct tree tree;
};

const struct jinja_limits jinja_limits_usual = {
    .memory = (size_t)256 << 20, .output = (size_t)64 << 20, .steps = 20000000, .depth = 1000};

enum status jinja_open(const char *text, size_t n, struct jinja **out, struct err *err)
{
    if (n > JINJA_TEMPLATE_MAX)
        return err_set(err, ST_SUPPORT, "expected at most %d bytes, found %zu", JINJA_TEMPLATE_MAX,
                       n);
    struct jinja *j = calloc(1, sizeof *j);
    if (!j) return err_memory(err, "a chat template of %zu bytes", n);
    j->pool.max = (size_t)512 << 20; /* some 200 bytes for each of the template, at the most */
    const enum status st = parser_run(&j->pool, text, n, &j->tree, err);
    if (st == ST_OK)
        *out = j;
    else
        jinja_close(j);
    return st;
}

void jinja_close(struct jinja *j)
{
    if (!j) return;
    pool_deinit(&j->pool);
    free(j);
}

bool jinja_mentions(const struct jinja *j, const char *name)
{
    return tree_has_name(&j->tree, name);
}

enum status jinja_render(const struct jinja *j, const struct jv_dict *variables,
                         const struct jinja_limits *limits, const struct tm *now, struct pool *pool,
                         struct buf *out, struct err *err)
{
    struct buf text = {.max = limits->output};
    struct scope top = {0};
    struct jinja_run run = {.pool = pool,
                            .out = &text,
                            .err = err,
                            .tree = &j->tree,
                            .variables = variables,
                            .scope = &top,
                            .steps = limits->steps,
                            .depth = limits->depth,
                            .now = *now};
    pool->max = limits->memory;
    enum status st = run_blocks(&run, j->tree.first);
    if (st == ST_OK && text.len && buf_add(out, text.data, text.len) != ST_OK)
        st = err_memory(err, "a text of %zu bytes", text.len);
    buf_deinit(&text);
    return st;
}
