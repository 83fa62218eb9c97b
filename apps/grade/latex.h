/*
 * LaTeX and plain notation as a row of tokens. Spacing, fonts, \left and \right disappear; \dfrac
 * is \frac; words are told from products of letters by \text, by spaces and by what they are.
 */
#ifndef EAD_GRADE_LATEX_H
#define EAD_GRADE_LATEX_H

#include <stdbool.h>
#include <stddef.h>

/* Beside these, a kind may be one of the characters + - * / ^ _ ( ) [ ] { } | = < > ! ' : % & . , ;
 */
enum token_kind {
    TOKEN_END = 256,
    TOKEN_NUMBER, /* s: digits and at most one '.'; code: where a recurring part begins, or n */
    TOKEN_VAR,    /* one letter, or a command: \pi, \infty, \alpha */
    TOKEN_WORD,   /* letters that are no product */
    TOKEN_AND,    /* the words between the parts of a list */
    TOKEN_OR,
    TOKEN_FUNCTION, /* code: enum function */
    TOKEN_FRAC,
    TOKEN_SQRT,
    TOKEN_BINOM,
    TOKEN_INFIX, /* \over, \choose; code: the kind of the command that takes arguments */
    TOKEN_OVER,  /* \overline, \vec and other marks over one argument */
    TOKEN_PM,
    TOKEN_MP,
    TOKEN_LE,
    TOKEN_GE,
    TOKEN_NE,
    TOKEN_APPROX,
    TOKEN_IN,
    TOKEN_CUP,
    TOKEN_CAP,
    TOKEN_EXCEPT,
    TOKEN_SET_OPEN, /* \{ */
    TOKEN_SET_CLOSE,
    TOKEN_FLOOR_OPEN,
    TOKEN_FLOOR_CLOSE,
    TOKEN_CEIL_OPEN,
    TOKEN_CEIL_CLOSE,
    TOKEN_ANGLE_OPEN,
    TOKEN_ANGLE_CLOSE,
    TOKEN_BEGIN, /* of a matrix */
    TOKEN_FINISH,
    TOKEN_ROW, /* \\ */
    TOKEN_DEGREE,
    TOKEN_MONEY, /* \$ */
    TOKEN_EMPTY, /* the empty set */
    TOKEN_REALS,
    TOKEN_IMPLIES,
    TOKEN_MOD
};

enum function {
    FUNCTION_SIN,
    FUNCTION_COS,
    FUNCTION_TAN,
    FUNCTION_COT,
    FUNCTION_SEC,
    FUNCTION_CSC,
    FUNCTION_ARCSIN,
    FUNCTION_ARCCOS,
    FUNCTION_ARCTAN,
    FUNCTION_SINH,
    FUNCTION_COSH,
    FUNCTION_TANH,
    FUNCTION_LOG,
    FUNCTION_LN,
    FUNCTION_EXP,
    FUNCTION_CIS
};

struct token {
    int kind, code; /* of a ':' that was spelled "to" the code is TOKEN_WORD */
    bool space;     /* white space stands before it */
    bool text;      /* it stands in \text{} or the like */
    const char *s;
    size_t n;
};

/* What may be read in two ways. The grader tries each. */
struct latex_options {
    enum { COMMA_GROUPS_OUTSIDE, COMMA_GROUPS_NEVER, COMMA_GROUPS_ALWAYS } commas;
    /* whether the comma of "1,234" groups digits: not within brackets; never; there too */
    bool scientific;   /* "2e-3" is 0.002, not 2e - 3 */
    bool letter_units; /* "5 m" is five metres, and so is "5m" */
};

enum { LATEX_TOKENS_MAX = 1024 };

struct latex {
    struct token *tokens; /* n of them, and one TOKEN_END */
    size_t n, room;
    bool percent; /* a percent sign stands somewhere */
    char *clean, *digits;
};

/* At most LATEX_TOKENS_MAX tokens; false, and nothing to close, when there are more or memory ends.
 */
bool latex_open(const char *text, size_t n, struct latex_options options, struct latex *out);
void latex_close(struct latex *latex);

#endif
