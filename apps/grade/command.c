/* What each LaTeX command becomes. */
#include "grade/command.h"

#include "grade/latex.h"

#include <string.h>

static const struct command commands[] = {
    {"frac", TOKEN_FRAC, 0},
    {"dfrac", TOKEN_FRAC, 0},
    {"tfrac", TOKEN_FRAC, 0},
    {"cfrac", TOKEN_FRAC, 0},
    {"sqrt", TOKEN_SQRT, 0},
    {"binom", TOKEN_BINOM, 0},
    {"dbinom", TOKEN_BINOM, 0},
    {"tbinom", TOKEN_BINOM, 0},
    {"overline", TOKEN_OVER, 0},
    {"bar", TOKEN_OVER, 0},
    {"dot", TOKEN_OVER, 0},
    {"vec", TOKEN_OVER, 0},
    {"hat", TOKEN_OVER, 0},
    {"overrightarrow", TOKEN_OVER, 0},
    {"cdot", '*', 0},
    {"times", '*', 0},
    {"ast", '*', 0},
    {"div", '/', 0},
    {"lvert", '|', 0},
    {"rvert", '|', 0},
    {"vert", '|', 0},
    {"mid", '|', 0},
    {"lt", '<', 0},
    {"gt", '>', 0},
    {"le", TOKEN_LE, 0},
    {"leq", TOKEN_LE, 0},
    {"leqslant", TOKEN_LE, 0},
    {"ge", TOKEN_GE, 0},
    {"geq", TOKEN_GE, 0},
    {"geqslant", TOKEN_GE, 0},
    {"ne", TOKEN_NE, 0},
    {"neq", TOKEN_NE, 0},
    {"approx", TOKEN_APPROX, 0},
    {"equiv", '=', 0},
    {"over", TOKEN_INFIX, TOKEN_FRAC},
    {"choose", TOKEN_INFIX, TOKEN_BINOM},
    {"pmod", TOKEN_MOD, 0},
    {"bmod", TOKEN_MOD, 0},
    {"mod", TOKEN_MOD, 0},
    {"in", TOKEN_IN, 0},
    {"cup", TOKEN_CUP, 0},
    {"bigcup", TOKEN_CUP, 0},
    {"cap", TOKEN_CAP, 0},
    {"setminus", TOKEN_EXCEPT, 0},
    {"backslash", TOKEN_EXCEPT, 0},
    {"pm", TOKEN_PM, 0},
    {"mp", TOKEN_MP, 0},
    {"lbrace", TOKEN_SET_OPEN, 0},
    {"rbrace", TOKEN_SET_CLOSE, 0},
    {"lbrack", '[', 0},
    {"rbrack", ']', 0},
    {"lfloor", TOKEN_FLOOR_OPEN, 0},
    {"rfloor", TOKEN_FLOOR_CLOSE, 0},
    {"lceil", TOKEN_CEIL_OPEN, 0},
    {"rceil", TOKEN_CEIL_CLOSE, 0},
    {"langle", TOKEN_ANGLE_OPEN, 0},
    {"rangle", TOKEN_ANGLE_CLOSE, 0},
    {"circ", TOKEN_DEGREE, 0},
    {"degree", TOKEN_DEGREE, 0},
    {"emptyset", TOKEN_EMPTY, 0},
    {"varnothing", TOKEN_EMPTY, 0},
    {"R", TOKEN_REALS, 0},
    {"reals", TOKEN_REALS, 0},
    {"implies", TOKEN_IMPLIES, 0},
    {"Rightarrow", TOKEN_IMPLIES, 0},
    {"Longrightarrow", TOKEN_IMPLIES, 0},
    {"therefore", TOKEN_IMPLIES, 0},
    {"land", TOKEN_AND, 0},
    {"wedge", TOKEN_AND, 0},
    {"lor", TOKEN_OR, 0},
    {"vee", TOKEN_OR, 0},
    {"ldots", COMMAND_DOTS, 0},
    {"dots", COMMAND_DOTS, 0},
    {"cdots", COMMAND_DOTS, 0},
    {"dotsc", COMMAND_DOTS, 0},
    {"dotsb", COMMAND_DOTS, 0},
    {"dotso", COMMAND_DOTS, 0},
    {"hdots", COMMAND_DOTS, 0},
    {"begin", COMMAND_ENVIRONMENT, TOKEN_BEGIN},
    {"end", COMMAND_ENVIRONMENT, TOKEN_FINISH},
    {"color", COMMAND_ENVIRONMENT,
     COMMAND_SKIP}, /* its name, {red}, is read like one that means nothing */
    {"textcolor", COMMAND_ENVIRONMENT, COMMAND_SKIP},
    {"text", COMMAND_TEXT, 0},
    {"textbf", COMMAND_TEXT, 0},
    {"textit", COMMAND_TEXT, 0},
    {"textrm", COMMAND_TEXT, 0},
    {"textsf", COMMAND_TEXT, 0},
    {"texttt", COMMAND_TEXT, 0},
    {"textnormal", COMMAND_TEXT, 0},
    {"mbox", COMMAND_TEXT, 0},
    {"hbox", COMMAND_TEXT, 0},
    {"mathrm", COMMAND_TEXT, 0},
    {"operatorname", COMMAND_TEXT, 0},
    {"sin", TOKEN_FUNCTION, FUNCTION_SIN},
    {"cos", TOKEN_FUNCTION, FUNCTION_COS},
    {"tan", TOKEN_FUNCTION, FUNCTION_TAN},
    {"cot", TOKEN_FUNCTION, FUNCTION_COT},
    {"sec", TOKEN_FUNCTION, FUNCTION_SEC},
    {"csc", TOKEN_FUNCTION, FUNCTION_CSC},
    {"arcsin", TOKEN_FUNCTION, FUNCTION_ARCSIN},
    {"arccos", TOKEN_FUNCTION, FUNCTION_ARCCOS},
    {"arctan", TOKEN_FUNCTION, FUNCTION_ARCTAN},
    {"sinh", TOKEN_FUNCTION, FUNCTION_SINH},
    {"cosh", TOKEN_FUNCTION, FUNCTION_COSH},
    {"tanh", TOKEN_FUNCTION, FUNCTION_TANH},
    {"log", TOKEN_FUNCTION, FUNCTION_LOG},
    {"lg", TOKEN_FUNCTION, FUNCTION_LOG},
    {"ln", TOKEN_FUNCTION, FUNCTION_LN},
    {"exp", TOKEN_FUNCTION, FUNCTION_EXP},
    {"cis", TOKEN_FUNCTION, FUNCTION_CIS},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const char *const skipped[] = {
    "left",         "right",      "big",       "Big",      "bigg",       "Bigg",      "bigl",
    "bigr",         "Bigl",       "Bigr",      "biggl",    "biggr",      "middle",    "limits",
    "rm",           "bf",         "it",        "quad",     "qquad",      "boxed",     "fbox",
    "displaystyle", "textstyle",  "mathbf",    "mathit",   "boldsymbol", "bm",        "mathbb",
    "mathcal",      "mathsf",     "underline", "large",    "Large",      "checkmark", "blacksquare",
    "square",       "ensuremath", "phantom",   "nonumber", "space",      "enspace",   "thinspace",
    "framebox",
};
enum { N_SKIPPED = sizeof skipped / sizeof *skipped };

static bool is(const char *name, const char *s, size_t n)
{
    return strlen(name) == n && !strncmp(name, s, n);
}

const struct command *command_find(const char *s, size_t n)
{
    static const struct command skip = {"", COMMAND_SKIP, 0};
    for (int i = 0; i < N_COMMANDS; i++)
        if (is(commands[i].name, s, n)) return &commands[i];
    for (int i = 0; i < N_SKIPPED; i++)
        if (is(skipped[i], s, n)) return &skip;
    return NULL;
}
