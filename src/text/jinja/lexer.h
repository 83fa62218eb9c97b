/*
 * The template's text as tokens. Outside of tags it is text, which white-space control shortens
 * (trim_blocks and lstrip_blocks are on, as chat templates expect); inside of tags there are names,
 * numbers, strings and operators. Comments and raw blocks are gone.
 */
#ifndef EAD_TEXT_JINJA_LEXER_H
#define EAD_TEXT_JINJA_LEXER_H

#include "base/pool.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_TEXT,        /* what stands outside of tags */
    TOKEN_BLOCK_BEGIN, /* {% */
    TOKEN_BLOCK_END,
    TOKEN_PRINT_BEGIN, /* {{ */
    TOKEN_PRINT_END,
    TOKEN_NAME,
    TOKEN_STRING, /* its value, escapes undone */
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_OPERATOR
};

/* Operators of two characters; those of one are their character. */
enum { OP_FLOORDIV = 256, OP_POWER, OP_EQ, OP_NE, OP_LE, OP_GE };

struct token {
    enum token_kind kind;
    int line;      /* from 1 */
    int op;        /* of an operator */
    const char *s; /* text, name or value of a string, n bytes */
    size_t n;
    int64_t i;
    double f;
};

enum { LEXER_BRACKETS_MAX = 256 };

struct lexer {
    struct pool *pool; /* for strings whose escapes were undone */
    struct err *err;
    const char *s; /* the template, n bytes, lines ended by "\n" alone */
    size_t n, at;
    int line;
    enum { LEXER_TEXT, LEXER_BLOCK, LEXER_PRINT } mode;
    bool line_starts; /* what comes begins a line: a tag behind blanks takes them away */
    bool tag_waits;   /* the text before the tag at `at` was given, the tag was not */
    char bracket[LEXER_BRACKETS_MAX]; /* open ones */
    int n_brackets;
};

/* Begin with a text of n bytes, which is copied to the pool. */
MUST_USE enum status lexer_init(struct lexer *x, struct pool *pool, const char *s, size_t n,
                                struct err *err);
MUST_USE enum status lexer_next(struct lexer *x, struct token *out);

/* ST_FORMAT and "line N: ...". */
enum status lexer_fault(struct err *err, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
