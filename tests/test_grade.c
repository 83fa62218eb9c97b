/*
 * The grader: our own table of verdicts, the public suites with every deliberate difference named,
 * extraction, and damaged answers by the thousand.
 */
#include "base/rng.h"
#include "grade/grade.h"
#include "grade/work.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { LINE_MAX_BYTES = 1 << 16 };

/* ---- our own table ------------------------------------------------------------------------- */

/* "<LF>" is a newline. */
static void unescape(char *s)
{
    for (char *at = s; (at = strstr(at, "<LF>"));) {
        *at++ = '\n';
        memmove(at, at + 3, strlen(at + 3) + 1);
    }
}

/* Split "= GOLD | PRED" in place. */
static bool split(char *line, const char **gold, const char **pred)
{
    line[strcspn(line, "\n")] = 0;
    char *bar = strstr(line, " | ");
    if ((*line != '=' && *line != '!') || !bar) return false;
    *bar = 0;
    unescape(bar + 3);
    *gold = line + 2;
    *pred = bar + 3;
    return true;
}

static void test_cases(void **state)
{
    (void)state;
    static char line[LINE_MAX_BYTES];
    FILE *from = fopen(SOURCE_DIR "/tests/grade_cases.txt", "r");
    assert_non_null(from);
    int n = 0, wrong = 0;
    while (fgets(line, sizeof line, from)) {
        const char *gold, *pred;
        const bool equal = *line == '=';
        if (!split(line, &gold, &pred)) continue;
        n++;
        if (grade_equal(gold, pred) == equal) continue;
        print_error("expected %s: gold %s | pred %s\n", equal ? "the same" : "different", gold,
                    pred);
        wrong++;
    }
    fclose(from);
    assert_true(n > 500);
    assert_int_equal(wrong, 0);
}

/* An answer equals itself, and nothing equals no answer. */
static void test_reflexive(void **state)
{
    (void)state;
    static char line[LINE_MAX_BYTES];
    FILE *from = fopen(SOURCE_DIR "/tests/grade_cases.txt", "r");
    assert_non_null(from);
    while (fgets(line, sizeof line, from)) {
        const char *gold, *pred;
        if (!split(line, &gold, &pred)) continue;
        if (!grade_equal(gold, gold)) fail_msg("\"%s\" is not itself", gold);
    }
    fclose(from);
    assert_false(grade_equal("", ""));
    assert_false(grade_equal("5", ""));
    assert_false(grade_equal("5", " $ "));
    assert_false(grade_equal(NULL, "5"));
    assert_false(grade_equal("5", NULL));
    assert_false(grade_equal(NULL, NULL));
}

/* ---- the public suites --------------------------------------------------------------------- */

/* Lines of equiv_cases.jsonl, from 0, on which we differ, and why; docs/GRADING.md explains. */
static const struct {
    int line;
    const char *why;
} differences[] = {
    {6, "boxes"},     {7, "boxes"},         {10, "boxes"},         {13, "boxes"},  {22, "boxes"},
    {47, "value"},    {54, "white space"},  {56, "approximation"}, {61, "comma"},  {69, "comma"},
    {70, "boxes"},    {74, "boxes"},        {75, "order"},         {80, "boxes"},  {81, "absolute"},
    {82, "names"},    {88, "comma"},        {92, "boxes"},         {93, "boxes"},  {99, "boxes"},
    {102, "product"}, {108, "white space"}, {109, "tuple"},        {118, "boxes"}, {135, "boxes"},
};
enum { N_DIFFERENCES = sizeof differences / sizeof *differences };

static const struct suite {
    const char *name;
    int cases, agree;
} suites[] = {
    {"hendrycks_is_equiv", 9, 8},
    {"simple_evals_examples", 2, 2},
    {"math_verify", 135, 111},
};
enum { N_SUITES = sizeof suites / sizeof *suites };

static bool is_difference(int line)
{
    for (int i = 0; i < N_DIFFERENCES; i++)
        if (differences[i].line == line) return true;
    return false;
}

static int suite_of(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "suite"));
    for (int i = 0; i < N_SUITES; i++)
        if (name && !strcmp(suites[i].name, name)) return i;
    fail_msg("a suite that is not known: %s", name ? name : "none");
    return 0;
}

static bool agrees(const json_t *object, const char **gold, const char **pred)
{
    *gold = json_string_value(json_object_get(object, "gold"));
    *pred = json_string_value(json_object_get(object, "pred"));
    return grade_equal(*gold, *pred) == json_is_true(json_object_get(object, "equal"));
}

static void test_suites(void **state)
{
    (void)state;
    static char line[LINE_MAX_BYTES];
    FILE *from = fopen(SHARED_DIR "/grading/equiv_cases.jsonl", "r");
    if (!from) {
        print_message("skipped: no " SHARED_DIR "/grading\n");
        skip();
    }
    int cases[N_SUITES] = {0}, agree[N_SUITES] = {0};
    for (int number = 0; fgets(line, sizeof line, from); number++) {
        const char *gold, *pred;
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        const int suite = suite_of(object);
        const bool same = agrees(object, &gold, &pred);
        if (same == is_difference(number))
            fail_msg("line %d: unexpected %s: gold %.200s | pred %.200s", number,
                     same ? "agreement" : "difference", gold, pred);
        cases[suite]++;
        agree[suite] += same;
        json_decref(object);
    }
    fclose(from);
    for (int i = 0; i < N_SUITES; i++) {
        assert_int_equal(cases[i], suites[i].cases);
        assert_int_equal(agree[i], suites[i].agree);
    }
}

/* Pairs that were misjudged once; all must come out right. */
static void test_reported(void **state)
{
    (void)state;
    static char line[LINE_MAX_BYTES];
    FILE *from = fopen(SHARED_DIR "/grading/reported.jsonl", "r");
    if (!from) {
        print_message("skipped: no " SHARED_DIR "/grading\n");
        skip();
    }
    int n = 0, wrong = 0;
    for (; fgets(line, sizeof line, from); n++) {
        json_t *object = json_loads(line, JSON_ALLOW_NUL, NULL);
        assert_non_null(object);
        const json_t *gold = json_object_get(object, "gold"),
                     *pred = json_object_get(object, "pred");
        char *g = grade_text(json_string_value(gold), json_string_length(gold));
        char *p = grade_text(json_string_value(pred), json_string_length(pred));
        if (grade_equal(g, p) != json_is_true(json_object_get(object, "equal"))) {
            print_error("line %d: gold %.200s | pred %.200s\n", n, g, p);
            wrong++;
        }
        free(g);
        free(p);
        json_decref(object);
    }
    fclose(from);
    assert_true(n > 0);
    assert_int_equal(wrong, 0);
}

/* ---- extraction ---------------------------------------------------------------------------- */

static void test_extract(void **state)
{
    (void)state;
    static const struct {
        bool (*extract)(const char *output, char **pred);
        const char *output, *pred;
    } cases[] = {
        {grade_extract_math, "so \\boxed{5}.", "5"},
        {grade_extract_math, "\\boxed{1}, no: \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"},
        {grade_extract_math, "\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"},
        {grade_extract_math, "\\boxed{\\boxed{7}}", "7"},
        {grade_extract_math, "\\boxed{3} and \\boxed{4", "3"},
        {grade_extract_math, "\\boxed { 3 }", "3"},
        {grade_extract_math, "$\\boxed 5$ it is", "5"},
        {grade_extract_math, "\\fbox{8}", "8"},
        {grade_extract_math, "\\boxed{9} \\fbox{8}", "9"},
        {grade_extract_math, "\\boxed{4", NULL},
        {grade_extract_math, "\\boxed{}", NULL},
        {grade_extract_math, "the answer is 5", NULL},
        {grade_extract_math, "#### 5", NULL},
        {grade_extract_math, "", NULL},
        {grade_extract_gsm8k, "1 + 1 = 2\n#### 2", "2"},
        {grade_extract_gsm8k, "#### 1\n#### $1,200 \nbye", "$1,200"},
        {grade_extract_gsm8k, "####\n\\boxed{6}", "6"},
        {grade_extract_gsm8k, "in all 7 cars cost $1,234.50.", "$1,234.50"},
        {grade_extract_gsm8k, "from 10 to -3", "-3"},
        {grade_extract_gsm8k, "16-3=<<16-3=13>>13 eggs", "13"},
        {grade_extract_gsm8k, "none", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *pred = NULL;
        assert_int_equal(cases[i].extract(cases[i].output, &pred), cases[i].pred != NULL);
        if (cases[i].pred) assert_string_equal(pred, cases[i].pred);
        free(pred);
    }
}

/* ---- any bytes ----------------------------------------------------------------------------- */

enum { MUTANTS = 6000, SEEDS_MAX = 2048, MUTANT_MAX = 4000, SECONDS_MAX = 120 };

static struct {
    char *text[SEEDS_MAX];
    size_t n;
} seeds;

static void seed_add(const char *text)
{
    if (seeds.n < SEEDS_MAX && text && strlen(text) < MUTANT_MAX / 2)
        seeds.text[seeds.n++] = strdup(text);
}

static void seeds_open(void)
{
    static char line[LINE_MAX_BYTES];
    FILE *from = fopen(SOURCE_DIR "/tests/grade_cases.txt", "r");
    assert_non_null(from);
    while (fgets(line, sizeof line, from)) {
        const char *gold, *pred;
        if (!split(line, &gold, &pred)) continue;
        seed_add(gold);
        seed_add(pred);
    }
    fclose(from);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    return rng_bits(state) % below;
}

static void insert(char *text, size_t at, const char *more, size_t n)
{
    const size_t length = strlen(text);
    if (length + n >= MUTANT_MAX) return;
    memmove(text + at + n, text + at, length - at + 1);
    memcpy(text + at, more, n);
}

/* What an answer may be hurt with. */
static const char *const signs[] = {
    "\\frac",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\\{",
    "\\}",
    "|",
    "^",
    "_",
    "\\sqrt",
    "\\pm",
    "!",
    "-",
    "+",
    "1",
    ",",
    "\\text{",
    "\\begin{pmatrix}",
    "\\end{pmatrix}",
    "&",
    "\\\\",
    "\\boxed{",
    "$",
    "####",
    "\\cup",
    "=",
    "<",
    "\\infty",
    "e",
    "i",
    "\\overline{",
    ".",
    "\\sin",
    "%",
    "/",
    ":",
    ";",
    " and ",
    "\\log_",
    "\\binom",
    "999999999999999999",
    "\xcf\x80",
    "\xe2\x88\x9a",
    "\xff",
    "\\left",
    "**",
    "\\over",
    "\\pmod",
    " base ",
    " to ",
    "(mod ",
    "<<1=",
    ">>",
    "\xe2\x81\xbb",
    "...",
    "th",
    ",\\!",
    "\\$",
    " p.m.",
    ":05",
    " units^",
    " rad",
    "{kg}",
    "^\\circ",
    "\\ldots",
    "\\arcsin",
    "\\ln",
    "(five)",
    "10^{-40}",
    "\n",
    "\xef\xbc\x92",
};

/* One wound: a byte changed, bytes lost, a sign repeated, a piece of another answer put in. */
static void wound(char *text, uint64_t *state)
{
    const size_t length = strlen(text), at = draw(state, length + 1);
    const char *other = seeds.text[draw(state, seeds.n)];
    const char *sign = signs[draw(state, sizeof signs / sizeof *signs)];
    switch (draw(state, 5)) {
    case 0:
        if (at < length) text[at] = (char)(1 + draw(state, 255));
        break;
    case 1: memmove(text + at, text + at + (at < length), length - at + (at == length)); break;
    case 2: insert(text, at, sign, strlen(sign)); break;
    case 3:
        for (uint64_t i = draw(state, 60); i; i--) insert(text, at, sign, strlen(sign));
        break;
    default: insert(text, at, other, strlen(other));
    }
}

static void mutant(char *text, uint64_t *state)
{
    strcpy(text, seeds.text[draw(state, seeds.n)]);
    for (uint64_t i = 1 + draw(state, 6); i; i--) wound(text, state);
}

static void test_any_bytes(void **state)
{
    (void)state;
    static char gold[MUTANT_MAX], pred[MUTANT_MAX];
    uint64_t random = 20261124;
    const clock_t start = clock();
    seeds_open();
    for (int i = 0; i < MUTANTS; i++) {
        char *found;
        mutant(gold, &random);
        mutant(pred, &random);
        (void)grade_equal(gold, pred);
        (void)grade_equal(gold, gold);
        (i % 2 ? grade_extract_math : grade_extract_gsm8k)(pred, &found);
        free(found);
    }
    for (size_t i = 0; i < seeds.n; i++) free(seeds.text[i]);
    assert_true((clock() - start) / CLOCKS_PER_SEC < SECONDS_MAX);
}

/* The dearest shapes: deep, wide, huge. */
static const struct {
    const char *piece, *end;
    int times;
} shapes[] = {
    {"(", "1", 50000},
    {"{", "1", 900},
    {"\\sqrt", "2", 390},
    {"\\frac", "2", 390},
    {"2^", "9", 900},
    {"-", "5", 1900},
    {"300!,", "1", 380},
    {"|", "1", 1900},
    {"\\boxed{", "1}", 20000},
    {"$a", "1", 50000},
    {"x<", "1", 900},
    {"9", "8", 1900},
    {"\\begin{pmatrix}", "1", 130},
    {"\\pm x,", "1", 330},
    {"\\fbox 5", "", 20000},
    {"answer", "", 20000},
    {"\\binom{300}{150}", "1", 110},
    {"{1,2,3,4},", "1", 190},
    {"\\text{", "1", 330},
    {"x_{", "1", 600},
    {"1\\over", "1", 300},
    {"3\\pmod", "1", 250},
    {"**", "1", 900},
    {"answer\n", "1", 20000},
    {"3 to ", "1", 350},
    {"\\binom{x}{300},", "1", 140},
    {"\\binom{x}{300}+", "1", 140},
    {"300!!", "1", 390},
    {"\\arcsin x+", "1", 190},
    {"\\sqrt{-x},", "1", 200},
    {"\\ln(x-200),", "1", 160},
    {"x^{4611686018427387903},", "1", 80},
    {"\\cosh x,", "1", 230},
    {"x\\ne 3,", "1", 240},
    {"[1,2]\\cup", "[3,4]", 190},
    {"\\frac{x}{y}+", "1", 150},
    {"0.1234567890123456789,", "1", 90},
    {"\\log_x y+", "1", 190},
    {"twenty-one,", "1", 180},
    {"word ", "1", 390},
    {"\\(", "1", 50000},
    {"$5 ", "1", 30000},
    {"\\boxed $", "1", 12000},
};

/* No comparison takes more steps than are allowed, and steps are all that takes long: this many
 * seconds are 20 times what the steps take. */
static void assert_bounded(const char *gold, const char *pred)
{
    const double seconds_max = 1;
    const clock_t start = clock();
    long steps;
    (void)grade_equal_counted(gold, pred, &steps);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (steps > 2 * WORK_MAX || seconds > seconds_max)
        fail_msg("%ld steps, %.3f s: %.40s | %.40s", steps, seconds, gold, pred);
}

static void test_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const size_t piece = strlen(shapes[i].piece), n = piece * (size_t)shapes[i].times;
        char *text = malloc(n + 8), *other = malloc(n + 8);
        for (int k = 0; k < shapes[i].times; k++)
            memcpy(text + piece * (size_t)k, shapes[i].piece, piece);
        strcpy(text + n, shapes[i].end);
        strcpy(other, text);
        strcpy(other + n, "7");
        assert_bounded(text, other);
        assert_bounded("5", text);
        assert_bounded(text, "5");
        free(text);
        free(other);
    }
}

/* Steps are counted, the dear ones too, and answers as people write them are far from the bound. */
static void test_steps(void **state)
{
    (void)state;
    static char line[LINE_MAX_BYTES];
    long steps, most = 0;
    FILE *from = fopen(SOURCE_DIR "/tests/grade_cases.txt", "r");
    assert_non_null(from);
    while (fgets(line, sizeof line, from)) {
        const char *gold, *pred;
        if (!split(line, &gold, &pred)) continue;
        (void)grade_equal_counted(gold, pred, &steps);
        if (steps > most) most = steps;
    }
    fclose(from);
    assert_in_range(most, 1, WORK_MAX / 10);
    (void)grade_equal_counted("300!", "299!", &steps);
    assert_in_range(steps, 599, WORK_MAX / 10);
    (void)grade_equal_counted("5", "5", &steps);
    assert_int_equal(steps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),    cmocka_unit_test(test_reflexive),
        cmocka_unit_test(test_suites),   cmocka_unit_test(test_extract),
        cmocka_unit_test(test_reported), cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_bounded),  cmocka_unit_test(test_steps),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
