#include "text/jinja/run.h"

#include <string.h>

/* ---- names ------------------------------------------------------------------------------- */

static enum status name_value(struct jinja_run *run, const struct name *name, struct jv *out)
{
    const struct jv *given;
    for (const struct scope *s = run->scope; s; s = s->outer) {
        TRY(run_charge(run, (uint64_t)s->n / 16));
        for (int i = 0; i < s->n; i++)
            if (s->variables[i].name == name) {
                *out = s->variables[i].value;
                return ST_OK;
            }
    }
    TRY(run_find(run, run->variables, jv_text(name->s, name->n), &given));
    if (given) {
        *out = *given;
        return ST_OK;
    }
    const struct jinja_function *f = function_find(jinja_globals, name->s, name->n);
    *out = f ? (struct jv){.kind = JV_FUNCTION, .function = f} : jv_undefined(name->s, name->n);
    if (!jv_text_is(jv_text(name->s, name->n), "self")) return ST_OK;
    /* self has the template's blocks, and there are none */
    return jv_dict_init(run->pool, JV_NAMESPACE, out) ? ST_OK : run_memory(run);
}

/* ---- literals ---------------------------------------------------------------------------- */

static enum status list_value(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv list;
    TRY(run_list(run, node->kind == NODE_LIST ? JV_LIST : JV_TUPLE, &list));
    for (const struct node *n = node->a; n; n = n->next) {
        struct jv item;
        TRY(run_evaluate(run, n, &item));
        TRY(run_append(run, list, item));
    }
    *out = list;
    return ST_OK;
}

static enum status dict_value(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv dict;
    TRY(run_dict(run, &dict));
    for (const struct node *n = node->a; n; n = n->next->next) {
        struct jv key, value;
        TRY(run_evaluate(run, n, &key));
        TRY(run_evaluate(run, n->next, &value));
        TRY(run_set(run, dict, key, value));
    }
    *out = dict;
    return ST_OK;
}

static enum status concat_value(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv all, part;
    TRY(run_evaluate(run, node->a, &part));
    TRY(run_text(run, part, &all));
    for (const struct node *n = node->a->next; n; n = n->next) {
        TRY(run_evaluate(run, n, &part));
        TRY(run_text(run, part, &part));
        all.tag = part.tag = 0;
        TRY(run_arithmetic(run, '+', all, part, &all));
    }
    *out = all;
    return ST_OK;
}

/* ---- arguments and calls ----------------------------------------------------------------- */

/* Room while arguments are gathered. */
struct gathering {
    struct jv item; /* list of those by position */
    struct named_value *named;
    int n_named, cap_named;
};

static enum status add_named(struct jinja_run *run, struct gathering *g, struct jv name,
                             struct jv value)
{
    TRY(run_charge(run, 1));
    if (g->n_named == g->cap_named) {
        const int cap = g->cap_named ? 2 * g->cap_named : 4;
        struct named_value *more = pool_take(run->pool, (size_t)cap * sizeof *more);
        if (!more) return run_memory(run);
        if (g->n_named) memcpy(more, g->named, (size_t)g->n_named * sizeof *more);
        g->named = more;
        g->cap_named = cap;
    }
    g->named[g->n_named++] = (struct named_value){name, value};
    return ST_OK;
}

static enum status add_stars(struct jinja_run *run, const struct node_args *args,
                             struct gathering *g)
{
    struct jv v;
    if (args->star) {
        const struct jv_list *items;
        TRY(run_evaluate(run, args->star, &v));
        TRY(run_items(run, v, &items));
        for (uint32_t i = 0; i < items->n; i++) TRY(run_append(run, g->item, items->items[i]));
    }
    if (!args->star_star) return ST_OK;
    TRY(run_evaluate(run, args->star_star, &v));
    if (v.kind != JV_DICT)
        return run_fault(run, "expected a dict after \"**\", found %s", jv_type_name(v));
    for (uint32_t i = 0; i < v.dict->n; i++) {
        if (v.dict->pairs[i].key.kind != JV_TEXT)
            return run_fault(run, "expected texts as names of arguments, found %s",
                             jv_type_name(v.dict->pairs[i].key));
        TRY(add_named(run, g, v.dict->pairs[i].key, v.dict->pairs[i].value));
    }
    return ST_OK;
}

static enum status gather(struct jinja_run *run, const struct node_args *args,
                          const struct jv *caller, struct arguments *out)
{
    static struct jv nothing;
    struct gathering g = {0};
    *out = (struct arguments){.item = &nothing};
    if (!args->first && !args->star && !args->star_star && !caller) return ST_OK;
    TRY(run_list(run, JV_LIST, &g.item));
    for (const struct node *n = args->first; n; n = n->next) {
        struct jv value;
        TRY(run_evaluate(run, n->kind == NODE_NAMED ? n->a : n, &value));
        if (n->kind == NODE_NAMED)
            TRY(add_named(run, &g, jv_text(n->name->s, n->name->n), value));
        else
            TRY(run_append(run, g.item, value));
    }
    TRY(add_stars(run, args, &g));
    if (caller) TRY(add_named(run, &g, jv_text("caller", 6), *caller));
    *out = (struct arguments){g.item.list->items, (int)g.item.list->n, g.named, g.n_named};
    return ST_OK;
}

enum status run_call_node(struct jinja_run *run, const struct node *node, const struct jv *caller,
                          struct jv *out)
{
    struct jv callee;
    struct arguments args;
    TRY(run_evaluate(run, node->a, &callee));
    TRY(gather(run, &node->args, caller, &args));
    run->line = node->line;
    return run_call(run, callee, &args, out);
}

static enum status apply(struct jinja_run *run, const struct node *node, struct jv self,
                         struct jv *out)
{
    struct arguments args;
    TRY(gather(run, &node->args, NULL, &args));
    run->line = node->line;
    if (node->function) return function_call(run, node->function, self, &args, out);
    return run_fault(run, "there is no %s \"%.*s\"", node->kind == NODE_TEST ? "test" : "filter",
                     (int)node->word->n, node->word->s);
}

/* A filter or a test of an expression. */
static enum status function_value(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv self;
    TRY(run_evaluate(run, node->a, &self));
    return apply(run, node, self, out);
}

enum status run_filter(struct jinja_run *run, const struct node *node, struct jv self,
                       struct jv *out)
{
    TRY(run_enter(run));
    if (node->a) TRY(run_filter(run, node->a, self, &self));
    run->depth++;
    return apply(run, node, self, out);
}

/* ---- operators --------------------------------------------------------------------------- */

static enum status two(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv a, b;
    TRY(run_evaluate(run, node->a, &a));
    TRY(run_evaluate(run, node->b, &b));
    run->line = node->line;
    return run_arithmetic(run, node->op, a, b, out);
}

static enum status comparison(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv a, b;
    bool holds = true;
    TRY(run_evaluate(run, node->a, &a));
    for (const struct node *n = node->b; n && holds; n = n->next, a = b) {
        TRY(run_evaluate(run, n->a, &b));
        run->line = n->line;
        TRY(run_compare(run, n->op, a, b, &holds));
    }
    *out = jv_bool(holds);
    return ST_OK;
}

/* The value that decides, not its truth. */
static enum status logic(struct jinja_run *run, const struct node *node, struct jv *out)
{
    TRY(run_evaluate(run, node->a, out));
    if (jv_truth(*out) == (node->kind == NODE_OR)) return ST_OK;
    return run_evaluate(run, node->b, out);
}

static enum status choice(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv test;
    TRY(run_evaluate(run, node->a, &test));
    if (jv_truth(test)) return run_evaluate(run, node->b, out);
    if (node->c) return run_evaluate(run, node->c, out);
    *out = jv_undefined("a choice without else", 21);
    return ST_OK;
}

static enum status unary(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv a;
    TRY(run_evaluate(run, node->a, &a));
    run->line = node->line;
    if (node->kind != NODE_NOT) return run_negate(run, a, node->kind == NODE_NEGATE, out);
    *out = jv_bool(!jv_truth(a));
    return ST_OK;
}

static enum status slice(struct jinja_run *run, const struct node *node, struct jv *out)
{
    const struct node *const part[3] = {node->b, node->c, node->d};
    struct jv of, bound[3] = {jv_none(), jv_none(), jv_none()};
    TRY(run_evaluate(run, node->a, &of));
    for (int i = 0; i < 3; i++)
        if (part[i]) TRY(run_evaluate(run, part[i], &bound[i]));
    run->line = node->line;
    return run_slice(run, of, bound, out);
}

static enum status member(struct jinja_run *run, const struct node *node, struct jv *out)
{
    struct jv of, key;
    TRY(run_evaluate(run, node->a, &of));
    if (node->kind == NODE_ATTRIBUTE) {
        run->line = node->line;
        return run_attribute(run, of, jv_text(node->name->s, node->name->n), out);
    }
    TRY(run_evaluate(run, node->b, &key));
    run->line = node->line;
    return run_item(run, of, key, out);
}

static enum status evaluate(struct jinja_run *run, const struct node *node, struct jv *out)
{
    switch ((enum node_kind)node->kind) {
    case NODE_CONST: *out = node->value; return ST_OK;
    case NODE_NAME: return name_value(run, node->name, out);
    case NODE_LIST:
    case NODE_TUPLE: return list_value(run, node, out);
    case NODE_DICT: return dict_value(run, node, out);
    case NODE_ATTRIBUTE:
    case NODE_ITEM: return member(run, node, out);
    case NODE_SLICE: return slice(run, node, out);
    case NODE_CALL: return run_call_node(run, node, NULL, out);
    case NODE_FILTER:
    case NODE_TEST: return function_value(run, node, out);
    case NODE_NEGATE:
    case NODE_PLUS:
    case NODE_NOT: return unary(run, node, out);
    case NODE_ARITHMETIC: return two(run, node, out);
    case NODE_CONCAT: return concat_value(run, node, out);
    case NODE_COMPARE: return comparison(run, node, out);
    case NODE_AND:
    case NODE_OR: return logic(run, node, out);
    case NODE_CHOICE: return choice(run, node, out);
    default: return run_fault(run, "expected an expression");
    }
}

enum status run_evaluate(struct jinja_run *run, const struct node *node, struct jv *out)
{
    TRY(run_charge(run, 1));
    TRY(run_enter(run));
    const enum status st = evaluate(run, node, out);
    run->depth++;
    return st;
}
