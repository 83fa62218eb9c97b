#include "text/jinja/run.h"

#include <string.h>

/* ---- scopes ------------------------------------------------------------------------------ */

static enum status new_scope(struct jinja_run *run, struct scope *outer, struct scope **out)
{
    *out = pool_take(run->pool, sizeof **out);
    if (!*out) return run_memory(run);
    **out = (struct scope){.outer = outer};
    return ST_OK;
}

/* Blocks whose variables end with them. */
static enum status in_scope(struct jinja_run *run, const struct node *body)
{
    struct scope *before = run->scope;
    TRY(new_scope(run, before, &run->scope));
    TRY(run_blocks(run, body));
    run->scope = before;
    return ST_OK;
}

/* The same, their output as a value. */
static enum status captured(struct jinja_run *run, const struct node *body, struct jv *out)
{
    const size_t mark = run->out->len;
    TRY(in_scope(run, body));
    return run_cut(run, mark, out);
}

static enum status assign(struct jinja_run *run, const struct node *target, struct jv value);

static enum status unpack(struct jinja_run *run, const struct node *tuple, struct jv value)
{
    const struct jv_list *items;
    uint32_t i = 0;
    TRY(run_items(run, value, &items));
    for (const struct node *n = tuple->a; n; n = n->next, i++)
        if (i < items->n) TRY(assign(run, n, items->items[i]));
    if (i == items->n) return ST_OK;
    return run_fault(run, "expected %u values to unpack, found %u", i, items->n);
}

static enum status assign_member(struct jinja_run *run, const struct node *target, struct jv value)
{
    struct jv of;
    const struct node name = {.kind = NODE_NAME, .name = target->name};
    TRY(run_evaluate(run, &name, &of));
    if (of.kind != JV_NAMESPACE)
        return run_fault(run, "expected a namespace to assign \"%.*s\" to, found %s",
                         (int)target->member->n, target->member->s, jv_type_name(of));
    return run_set(run, of, jv_text(target->member->s, target->member->n), value);
}

static enum status assign(struct jinja_run *run, const struct node *target, struct jv value)
{
    if (target->kind == NODE_NAME) return run_variable(run, target->name, value);
    return target->kind == NODE_TUPLE ? unpack(run, target, value)
                                      : assign_member(run, target, value);
}

/* ---- statements -------------------------------------------------------------------------- */

static enum status do_if(struct jinja_run *run, const struct node *node)
{
    for (;;) {
        struct jv test;
        TRY(run_evaluate(run, node->a, &test));
        if (jv_truth(test)) return run_blocks(run, node->body);
        node = node->other;
        if (!node || node->kind != NODE_IF || node->next) return run_blocks(run, node);
    }
}

/* The items for which the loop's condition holds; unpacked ones are tuples from then on. */
static enum status sift(struct jinja_run *run, const struct node *node,
                        const struct jv_list **items)
{
    struct jv kept, holds;
    struct scope *before = run->scope;
    TRY(run_list(run, JV_LIST, &kept));
    for (uint32_t i = 0; i < (*items)->n; i++) {
        TRY(new_scope(run, before, &run->scope));
        TRY(assign(run, node->a, (*items)->items[i]));
        TRY(run_evaluate(run, node->c, &holds));
        if (!jv_truth(holds)) continue;
        struct jv item = (*items)->items[i];
        if (node->a->kind == NODE_TUPLE) TRY(run_evaluate(run, node->a, &item));
        TRY(run_append(run, kept, item));
    }
    run->scope = before;
    *items = kept.list;
    return ST_OK;
}

/* Where no turn of the loop came to its end, there is "else". */
static enum status go_through(struct jinja_run *run, const struct node *node,
                              const struct jv_list *items)
{
    struct scope *before = run->scope;
    struct jinja_loop *loop = pool_take(run->pool, sizeof *loop);
    if (!loop) return run_memory(run);
    *loop = (struct jinja_loop){.items = items};
    bool whole = false;
    for (; loop->index < items->n && run->leaving != RUN_BREAK; loop->index++) {
        run->leaving = RUN_ON;
        TRY(new_scope(run, before, &run->scope));
        TRY(run_variable(run, run->tree->loop, (struct jv){.kind = JV_LOOP, .loop = loop}));
        TRY(assign(run, node->a, items->items[loop->index]));
        TRY(run_blocks(run, node->body));
        whole |= run->leaving == RUN_ON;
    }
    run->leaving = RUN_ON;
    run->scope = before;
    return whole ? ST_OK : in_scope(run, node->other);
}

static enum status do_for(struct jinja_run *run, const struct node *node)
{
    struct jv over;
    const struct jv_list *items;
    TRY(run_evaluate(run, node->b, &over));
    TRY(run_items(run, over, &items));
    if (node->c) TRY(sift(run, node, &items));
    return go_through(run, node, items);
}

static enum status do_set(struct jinja_run *run, const struct node *node)
{
    struct jv value;
    if (node->kind == NODE_SET) {
        TRY(run_evaluate(run, node->b, &value));
    } else {
        TRY(captured(run, node->body, &value));
        if (run->leaving != RUN_ON) return ST_OK; /* its text is lost, as in jinja2 */
        if (node->b) TRY(run_filter(run, node->b, value, &value));
    }
    return assign(run, node->a, value);
}

static enum status do_filter_block(struct jinja_run *run, const struct node *node)
{
    struct jv text;
    TRY(captured(run, node->body, &text));
    if (run->leaving != RUN_ON) return ST_OK;
    TRY(run_filter(run, node->b, text, &text));
    if (text.kind == JV_TEXT) return run_show(run, text);
    return run_fault(run, "expected a text from the filters of a block, found %s",
                     jv_type_name(text));
}

static enum status new_closure(struct jinja_run *run, const struct node_macro *macro,
                               struct jv *out)
{
    struct jinja_closure *closure = pool_take(run->pool, sizeof *closure);
    if (!closure) return run_memory(run);
    *closure = (struct jinja_closure){macro, run->scope};
    *out = (struct jv){.kind = JV_MACRO, .macro = closure};
    return ST_OK;
}

static enum status do_macro(struct jinja_run *run, const struct node *node)
{
    struct jv closure;
    TRY(new_closure(run, node->macro, &closure));
    return run_variable(run, node->macro->name, closure);
}

static enum status do_call_block(struct jinja_run *run, const struct node *node)
{
    struct jv caller, out;
    TRY(new_closure(run, node->macro, &caller));
    TRY(run_call_node(run, node->a, &caller, &out));
    return run_show(run, out);
}

static enum status do_with(struct jinja_run *run, const struct node *node)
{
    struct scope *before = run->scope, *inside;
    TRY(new_scope(run, before, &inside));
    for (const struct node *n = node->a; n; n = n->next->next) {
        struct jv value;
        TRY(run_evaluate(run, n->next, &value));
        run->scope = inside;
        TRY(assign(run, n, value));
        run->scope = before;
    }
    run->scope = inside;
    TRY(run_blocks(run, node->body));
    run->scope = before;
    return ST_OK;
}

static enum status do_print(struct jinja_run *run, const struct node *node)
{
    for (const struct node *n = node->a; n; n = n->next) {
        struct jv value;
        TRY(run_evaluate(run, n, &value));
        TRY(run_show(run, value));
    }
    return ST_OK;
}

static enum status statement(struct jinja_run *run, const struct node *node)
{
    switch ((enum node_kind)node->kind) {
    case NODE_TEXT: return run_write(run, node->value.s, node->value.n);
    case NODE_PRINT: return do_print(run, node);
    case NODE_IF: return do_if(run, node);
    case NODE_FOR: return do_for(run, node);
    case NODE_SET:
    case NODE_SET_BLOCK: return do_set(run, node);
    case NODE_MACRO: return do_macro(run, node);
    case NODE_CALL_BLOCK: return do_call_block(run, node);
    case NODE_FILTER_BLOCK: return do_filter_block(run, node);
    case NODE_WITH: return do_with(run, node);
    case NODE_SCOPE: return in_scope(run, node->body);
    case NODE_BREAK: run->leaving = RUN_BREAK; return ST_OK;
    case NODE_CONTINUE: run->leaving = RUN_CONTINUE; return ST_OK;
    default: return run_fault(run, "expected a statement");
    }
}

enum status run_blocks(struct jinja_run *run, const struct node *node)
{
    TRY(run_enter(run));
    for (; node && run->leaving == RUN_ON; node = node->next) {
        run->line = node->line;
        TRY(run_charge(run, 1));
        TRY(statement(run, node));
    }
    run->depth++;
    return ST_OK;
}

/* ---- macros ------------------------------------------------------------------------------ */

/* Names that a macro takes beside its parameters. */
static enum status bind_rest(struct jinja_run *run, const struct node_macro *macro,
                             const struct arguments *args)
{
    struct jv list, dict;
    if (args->n > macro->n_params && !macro->uses_varargs)
        return run_fault(run, "the macro takes at most %d arguments, found %d", macro->n_params,
                         args->n);
    TRY(run_list(run, JV_TUPLE, &list));
    TRY(run_dict(run, &dict));
    for (int i = macro->n_params; i < args->n; i++) TRY(run_append(run, list, args->item[i]));
    struct jv caller = jv_undefined("caller", 6);
    for (int i = 0; i < args->n_named; i++) {
        const struct named_value *a = &args->named[i];
        bool known = false;
        TRY(run_charge(run, (uint64_t)macro->n_params / 8));
        for (const struct node *n = macro->params; n && !known; n = n->next)
            known = named_is(a, n->name->s, n->name->n);
        if (known) continue;
        if (macro->uses_caller && jv_text_is(a->name, "caller"))
            caller = a->value;
        else if (macro->uses_kwargs)
            TRY(run_set(run, dict, a->name, a->value));
        else
            return run_fault(run, "the macro has no parameter \"%.*s\"",
                             (int)(a->name.n < 80 ? a->name.n : 80), a->name.s);
    }
    if (macro->uses_caller) TRY(run_variable(run, run->tree->caller, caller));
    if (macro->uses_varargs) TRY(run_variable(run, run->tree->varargs, list));
    return macro->uses_kwargs ? run_variable(run, run->tree->kwargs, dict) : ST_OK;
}

static enum status bind_parameters(struct jinja_run *run, const struct node_macro *macro,
                                   const struct arguments *args)
{
    int i = 0;
    for (const struct node *n = macro->params; n; n = n->next, i++) {
        struct jv value = {.kind = JV_ABSENT};
        TRY(run_charge(run, (uint64_t)args->n_named / 8));
        if (i < args->n) value = args->item[i];
        for (int k = 0; k < args->n_named; k++)
            if (named_is(&args->named[k], n->name->s, n->name->n)) {
                if (value.kind != JV_ABSENT)
                    return run_fault(run, "the macro got \"%.*s\" twice", (int)n->name->n,
                                     n->name->s);
                value = args->named[k].value;
            }
        if (value.kind == JV_ABSENT && n->a) TRY(run_evaluate(run, n->a, &value));
        if (value.kind == JV_ABSENT) value = jv_undefined(n->name->s, n->name->n);
        TRY(run_variable(run, n->name, value));
    }
    return ST_OK;
}

static enum status call_macro(struct jinja_run *run, const struct jinja_closure *closure,
                              const struct arguments *args, struct jv *out)
{
    struct scope *before = run->scope;
    const size_t mark = run->out->len;
    TRY(new_scope(run, closure->scope, &run->scope));
    TRY(bind_parameters(run, closure->node, args));
    TRY(bind_rest(run, closure->node, args));
    TRY(run_blocks(run, closure->node->body));
    run->scope = before;
    return run_cut(run, mark, out);
}

/* What a method makes of a text that is marked as safe is safe, too; where it takes in other texts,
 * those would be escaped, which is not done here. */
static enum status keep_mark(struct jinja_run *run, const struct jv_method *m, struct jv *out)
{
    static const char *const takes_in[] = {"format", "join", "replace"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(m->function->name, takes_in[i]))
            return run_fault(run, "%s() of a text that is marked as safe", takes_in[i]);
    if (out->kind == JV_TEXT) out->tag |= JV_MARKUP;
    for (uint32_t i = 0; jv_is_list(*out) && i < out->list->n; i++)
        out->list->items[i].tag |= JV_MARKUP;
    return ST_OK;
}

enum status run_method(struct jinja_run *run, const struct jv_method *m,
                       const struct arguments *args, struct jv *out)
{
    TRY(function_call(run, m->function, m->self, args, out));
    return m->self.kind == JV_TEXT && m->self.tag & JV_MARKUP ? keep_mark(run, m, out) : ST_OK;
}

enum status run_call(struct jinja_run *run, struct jv callee, const struct arguments *args,
                     struct jv *out)
{
    switch (callee.kind) {
    case JV_MACRO: return call_macro(run, callee.macro, args, out);
    case JV_FUNCTION:
        return function_call(run, callee.function, (struct jv){.kind = JV_ABSENT}, args, out);
    case JV_METHOD: return run_method(run, callee.method, args, out);
    case JV_UNDEFINED:
        return run_fault(run, "\"%.*s\" is undefined, and cannot be called",
                         (int)(callee.n < 80 ? callee.n : 80), callee.s);
    default: return run_fault(run, "a %s cannot be called", jv_type_name(callee));
    }
}
