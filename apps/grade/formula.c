#include "grade/formula.h"

#include <ctype.h>

size_t node_count(const struct node *node)
{
    size_t n = 0;
    for (const struct node *c = node->child; c; c = c->next) n++;
    return n;
}

bool node_has_var(const struct node *node, uint64_t *name, bool *single)
{
    if (node->kind == NODE_VAR) {
        if (single && name && *name && *name != node->name) *single = false;
        if (name) *name = node->name;
        return true;
    }
    bool any = false;
    for (const struct node *c = node->child; c; c = c->next) any |= node_has_var(c, name, single);
    return any;
}

bool node_is_application(const struct node *node)
{
    if (node->kind != NODE_PRODUCT || node_count(node) != 2) return false;
    const struct node *f = node->child, *x = f->next;
    return (f->kind == NODE_VAR || f->kind == NODE_WORD) && (x->grouped || x->kind == NODE_TUPLE);
}

bool node_has_kind(const struct node *node, enum node_kind kind)
{
    if (node->kind == kind) return true;
    for (const struct node *c = node->child; c; c = c->next)
        if (node_has_kind(c, kind)) return true;
    return false;
}

uint64_t name_hash_exact(uint64_t hash, const char *s, size_t n)
{
    return hash_more(hash, s, n);
}

uint64_t name_hash(uint64_t hash, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char c = (char)tolower((unsigned char)s[i]);
        hash = name_hash_exact(hash, &c, 1);
    }
    return hash;
}
