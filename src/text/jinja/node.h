/*
 * A template as a tree. Lists are chains through `next`; names are interned, so that equal ones are
 * the same pointer.
 */
#ifndef EAD_TEXT_JINJA_NODE_H
#define EAD_TEXT_JINJA_NODE_H

#include "text/jinja/value.h"

struct jinja_function;

struct name {
    const char *s;
    uint32_t n;
    struct name *next; /* in its bucket */
};

/* Of a call: positional first, then by name, then "*list" and "**dict". */
struct node_args {
    struct node *first; /* each in the order it stands in */
    int n_positional, n_named;
    struct node *star, *star_star; /* NULL: none */
};

enum node_kind {
    /* expressions */
    NODE_CONST,      /* value */
    NODE_NAME,       /* name */
    NODE_LIST,       /* items of a */
    NODE_TUPLE,      /* items of a */
    NODE_DICT,       /* keys and values of a in turn */
    NODE_ATTRIBUTE,  /* a.name */
    NODE_ITEM,       /* a[b] */
    NODE_SLICE,      /* a[b:c:d], each may be NULL */
    NODE_CALL,       /* a(args) */
    NODE_FILTER,     /* a|function(args); a is NULL for what a block holds */
    NODE_TEST,       /* a is function(args) */
    NODE_NEGATE,     /* -a */
    NODE_PLUS,       /* +a */
    NODE_ARITHMETIC, /* a op b */
    NODE_CONCAT,     /* items of a, with ~ between them */
    NODE_COMPARE,    /* a, then pairs: of each node in the chain b its op and its a */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_CHOICE, /* b if a else c; c may be NULL */
    NODE_NAMED,  /* in arguments: name = a */
    /* statements */
    NODE_TEXT,         /* value */
    NODE_PRINT,        /* items of a, one after the other */
    NODE_IF,           /* a, body, other: what "else" or "elif" leads to */
    NODE_FOR,          /* a target, b what is gone through, c a condition or NULL, body, other */
    NODE_SET,          /* a target, b value */
    NODE_SET_BLOCK,    /* a target, b a chain of filters or NULL, body */
    NODE_MACRO,        /* macro */
    NODE_CALL_BLOCK,   /* a the call, macro: the body as its caller */
    NODE_FILTER_BLOCK, /* b a chain of filters, body */
    NODE_WITH,         /* targets and values of a in turn, body */
    NODE_SCOPE,        /* body, whose variables end with it */
    NODE_BREAK,
    NODE_CONTINUE,
    /* targets beside names and tuples */
    NODE_MEMBER /* name.member, of a namespace */
};

struct node_macro {
    const struct name *name; /* NULL: a call block's body */
    struct node *params;     /* NODE_NAMED; without an `a` they have no default */
    int n_params;
    struct node *body;
    bool uses_caller, uses_varargs, uses_kwargs;
};

enum { OP_LT = '<', OP_GT = '>', OP_IN = 300, OP_NOT_IN };

struct node {
    uint8_t kind;
    int op; /* of arithmetic and comparisons: as in lexer.h, or the two above */
    int line;
    struct node *next;
    struct node *a, *b, *c, *d;
    union {
        struct jv value;
        const struct name *name;
        struct node_args args; /* with `function` of a filter or a test */
        struct {
            struct node *body, *other;
        };
        struct node_macro *macro;
    };
    union {
        const struct jinja_function *function; /* NULL: unknown, an error where it is reached */
        const struct name *member;
    };
    const struct name *word; /* of a filter or a test, for messages */
};

struct tree {
    struct node *first;
    const struct name *loop, *caller, *varargs, *kwargs; /* names that the language gives values */
    struct name *const *names;                           /* [TREE_BUCKETS] every one there is */
};

enum { TREE_BUCKETS = 256 };

/* Is there a name like this anywhere, as a variable or an attribute? */
bool tree_has_name(const struct tree *tree, const char *name);

#endif
