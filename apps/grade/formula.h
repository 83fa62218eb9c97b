/*
 * What an answer says: a tree over numbers, variables, words, lists, sets, tuples, intervals,
 * matrices and relations. The tree is a few levels deep at most (FORMULA_DEPTH_MAX brackets), so
 * walks over it may recurse.
 */
#ifndef EAD_GRADE_FORMULA_H
#define EAD_GRADE_FORMULA_H

#include "base/hash.h"
#include "grade/latex.h"
#include "grade/unit.h"
#include "grade/value.h"

enum node_kind {
    NODE_VALUE,     /* value; code: the digits it is written with, 0 where they say nothing */
    NODE_VAR,       /* name; code: its first character, \ for a command */
    NODE_WORD,      /* name: of all words together */
    NODE_SUM,       /* children */
    NODE_PRODUCT,   /* children */
    NODE_QUOTIENT,  /* two children */
    NODE_INVERSE,   /* one */
    NODE_NEG,       /* one */
    NODE_SIGN,      /* one; code 1 for plus-minus, -1 for minus-plus */
    NODE_POWER,     /* two */
    NODE_FUNCTION,  /* code; one child, or argument and base of a logarithm */
    NODE_ABS,       /* one */
    NODE_FLOOR,     /* one */
    NODE_CEIL,      /* one */
    NODE_FACTORIAL, /* one */
    NODE_BINOMIAL,  /* two */
    NODE_DEGREE,    /* one; code: F or C of a temperature, 0 otherwise */
    NODE_OVER,      /* one under a mark; name */
    NODE_BASED,     /* digits (name) in base `code` */
    NODE_UNIT,      /* one with a unit */
    NODE_RATIO,     /* a : b : ... */
    NODE_MOD,       /* a residue, or an equation that names it, and the modulus */
    NODE_LIST,      /* children; code: the last separator, one of , ; TOKEN_AND TOKEN_OR */
    NODE_SET,       /* children */
    NODE_TUPLE,     /* children; code: opening and closing bracket as open << 8 | close */
    NODE_MATRIX,    /* children row by row; code: columns */
    NODE_RELATION,  /* two or more; code of each but the first: the relation to the one before */
    NODE_UNION,     /* children */
    NODE_INTERSECTION,
    NODE_DIFFERENCE, /* two */
    NODE_REALS,
    NODE_EMPTY
};

struct node {
    enum node_kind kind;
    int code;
    int relation; /* within a RELATION: the kind of the token before it */
    bool grouped; /* stood in brackets */
    struct node *child, *next;
    struct value value;
    uint64_t name;
    struct unit unit;
};

enum { FORMULA_DEPTH_MAX = 40 };

struct formula {
    struct node *root;
    bool percent;
    struct node *nodes; /* owned */
};

/* Read the tokens [from, to). False, and nothing to close, when they are no formula. */
bool formula_open(const struct latex *latex, size_t from, size_t to, struct formula *out);
void formula_close(struct formula *formula);

size_t node_count(const struct node *node); /* its children */
/* Does a variable occur in it? *name (may be NULL) becomes one of them; two or more names clear
 * *single (may be NULL). */
bool node_has_var(const struct node *node, uint64_t *name, bool *single);
/* f(x), P(A), f(2): a letter or word and brackets. */
bool node_is_application(const struct node *node);
bool node_has_kind(const struct node *node, enum node_kind kind);

/* A hash of text without case, going on from `hash`; start with NAME_START. */
#define NAME_START HASH_START
uint64_t name_hash(uint64_t hash, const char *s, size_t n);
uint64_t name_hash_exact(uint64_t hash, const char *s, size_t n);

#endif
