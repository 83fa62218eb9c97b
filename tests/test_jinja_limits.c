/*
 * Hostile and broken templates: each limit has its own error and is reached soon, whatever is
 * repeated; a template that ends anywhere is an error or a text, and never a crash.
 */
#include "test_jinja_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- limits ------------------------------------------------------------------------------ */

static const struct jinja_limits small = {
    .memory = 8 << 20, .output = 1 << 20, .steps = 300000, .depth = 300};

/* The template must fail with this status and these words. */
static void expect(const char *text, size_t n, enum status status, const char *words)
{
    struct buf out = {0};
    struct err err = {0};
    const enum status st = render_text(text, n, NULL, &small, &out, &err);
    if (st != status || !strstr(err.message, words) || out.len)
        fail_msg("template: %.200s\nexpected: %s\nfound:    %s", text, words,
                 st == ST_OK ? "no error" : err.message);
    buf_deinit(&out);
}

static void expect_limit(const char *text, const char *words)
{
    expect(text, strlen(text), ST_MEMORY, words);
}

#define STEPS  "too many steps"
#define MEMORY "the values of the template take more than 8 MiB"
#define OUTPUT "the text becomes longer than 1 MiB"
#define NESTED "nests too deep"
#define FOREVER(what)                                                                              \
    "{% set r = range(1000) %}{% for i in r %}{% for j in r %}{% set x = " what                    \
    " %}{% endfor %}{% endfor %}"

static void test_steps(void **state)
{
    (void)state;
    expect_limit("{{ ((range(10000)|list) * 3)|sort|length }}", STEPS);
    /* What one step costs is bounded: long texts are counted by their length. */
    expect_limit("{% set a = 'a' * 500000 %}{% set b = 'a' * 500000 %}" FOREVER("a == b"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("a in {'b': 1}"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("{'b': 1}[a]"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("a is sameas a"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("a.startswith('b', 1)"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("'b' in a"), STEPS);
    expect_limit("{% set a = 'a' * 500000 %}" FOREVER("a.isascii()"), STEPS);
    expect_limit("{% set a = ['a' * 500000] %}{% set b = ['a' * 500000] %}" FOREVER("a == b"),
                 STEPS);
    expect_limit(FOREVER("r|sum"), STEPS);
    expect_limit(FOREVER("r|join|length"), STEPS);
    expect_limit("{% set e = [''] * 1000 %}" FOREVER("e|join"), STEPS);
    expect_limit("{% set e = [''] * 1000 %}" FOREVER("'-'.join(e)|length"), STEPS);
    expect_limit("{% set t = ('a',) * 1000 %}" FOREVER("'b'.startswith(t)"), STEPS);
    expect_limit("{% set p = '0' ~ '.0' * 9000 %}" FOREVER("['a']|map(attribute=p)|first"), STEPS);
    expect_limit("{% set p = '{0' ~ '[0]' * 9000 ~ '}' %}" FOREVER("p.format('a')"), STEPS);
    expect_limit("{% set p = '%%' * 9000 %}" FOREVER("(p % ())|length"), STEPS);
    expect_limit("{% set t = '1' * 99999 %}" FOREVER("t|int(1)"), STEPS);
    expect_limit(FOREVER("strftime_now('%c%c%c%c%c%c%c%c%c%c')"), STEPS);
    expect_limit("{{ ('a' * 500000).strip('b' * 500000 ~ 'a') }}", STEPS);
    expect_limit("{{ ('a' * 500000).rfind('b' ~ 'a' * 100000) }}", STEPS);
    expect_limit("{{ ('a' * 500000).rsplit('b' ~ 'a' * 100000)|length }}", STEPS);
}

static void test_memory(void **state)
{
    (void)state;
    expect_limit("{% set n = namespace(s='x') %}{% for i in range(99) %}"
                 "{% set n.s = n.s ~ n.s %}{% endfor %}",
                 MEMORY);
    expect_limit("{{ ([1] * 100000) * 100000 }}", MEMORY);
    expect_limit("{% for i in range(1000) %}{% set x = range(10000) %}{% endfor %}", MEMORY);
    expect_limit("{% set a = ['a' * 100000] * 10000 %}", "a list with too much in it");
    expect_limit("{% set n = namespace(s=[1]) %}{% for i in range(99) %}"
                 "{% set n.s = [n.s, n.s] %}{% endfor %}",
                 "a list with too much in it");
}

static void test_output(void **state)
{
    (void)state;
    expect_limit("{% for i in range(1000) %}{{ 'x' * 10000 }}{% endfor %}", OUTPUT);
    expect_limit("{{ 'x'|center(9000000000000000000) }}", OUTPUT);
    expect_limit("{{ 'x'.zfill(9000000000000000000) }}", OUTPUT);
    expect_limit("{{ ('a' * 10000).replace('a', 'b' * 10000) }}", OUTPUT);
    expect_limit("{{ ('a\n' * 10000)|indent(10000) }}", OUTPUT);
    /* The inside of a macro is output in the making. */
    expect_limit("{% macro m() %}{% for i in range(1000) %}{{ 'x' * 10000 }}{% endfor %}"
                 "{% endmacro %}{{ m() }}",
                 OUTPUT);
}

static void test_depth(void **state)
{
    (void)state;
    expect_limit("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", NESTED);
    expect_limit("{% macro m() %}{% call m2() %}{% filter upper %}{{ m() }}{% endfilter %}"
                 "{% endcall %}{% endmacro %}{% macro m2() %}{{ caller() }}{% endmacro %}{{ m() }}",
                 NESTED);
    expect_limit("{{ ['a']|map(*(['map'] * 1000))|list }}", NESTED);
    expect_limit("{% set n = namespace(s=[]) %}{% for i in range(999) %}"
                 "{% set n.s = [n.s] %}{% endfor %}",
                 "a list nested more than 200 deep");
    expect_limit("{% set n = namespace(s={}) %}{% for i in range(999) %}"
                 "{% set n.s = {'a': n.s} %}{% endfor %}",
                 "a dict nested more than 200 deep");
}

/* ---- long templates ---------------------------------------------------------------------- */

/* `head`, then `part` as often as fits into `n` bytes. */
static void expect_repeated(const char *head, const char *part, size_t n, enum status status,
                            const char *words)
{
    struct buf text = {0};
    assert_int_equal(buf_add_str(&text, head), ST_OK);
    while (text.len + strlen(part) < n) assert_int_equal(buf_add_str(&text, part), ST_OK);
    expect(text.data, text.len, status, words);
    buf_deinit(&text);
}

static void test_source(void **state)
{
    (void)state;
    static const char deep[] = "nested more than 150 deep";
    expect_repeated("{{", "(", 100000, ST_FORMAT, deep);
    expect_repeated("{{", "[", 100000, ST_FORMAT, deep);
    expect_repeated("{{", "not ", 100000, ST_FORMAT, deep);
    expect_repeated("{{", "-", 100000, ST_FORMAT, deep);
    expect_repeated("{{", "0 if 0 else ", 100000, ST_FORMAT, deep);
    expect_repeated("", "{% if 1 %}", 100000, ST_FORMAT, deep);
    expect_repeated("{% for a in b %}", "{% macro m() %}", 100000, ST_FORMAT, deep);
    expect_repeated("", "{{ a", 100000, ST_FORMAT, "expected");
    expect_repeated("{#", "{#", 100000, ST_FORMAT, "has no end");
    expect_repeated("{% raw %}", "{% ", 100000, ST_FORMAT, "has no end");
    expect_repeated("{{ '", "\\'", 100000, ST_FORMAT, "has no end");
    expect_repeated("", "x", JINJA_TEMPLATE_MAX + 10, ST_SUPPORT, "expected at most");
}

/* A tree that leans to the left is read without nesting, and nests when it is evaluated. */
static void test_chains(void **state)
{
    (void)state;
    static const char *const parts[] = {"+1", ".a", "[0]", "()", "|upper", " is odd", " and 1"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct buf text = {0};
        assert_int_equal(buf_add_str(&text, "{{ 1"), ST_OK);
        for (int k = 0; k < 5000; k++) assert_int_equal(buf_add_str(&text, parts[i]), ST_OK);
        assert_int_equal(buf_add_str(&text, " }}"), ST_OK);
        expect(text.data, text.len, i == 5 ? ST_FORMAT : ST_MEMORY, i == 5 ? "expected" : NESTED);
        buf_deinit(&text);
    }
}

static void test_names(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 5000; i++) assert_int_equal(buf_printf(&text, "{{ a%d }}", i), ST_OK);
    expect(text.data, text.len, ST_FORMAT, "more than 4096 names");
    buf_deinit(&text);
}

/* ---- what ends anywhere ------------------------------------------------------------------ */

static const char all_kinds[] =
    "{#- c -#} {% macro m(a, b='x\\u00e9') -%} {{ a[1:-1]|default(b, true) ~ caller() }}\n"
    "{%- endmacro %}\n{% for k, v in d.items() if v is not none and k not in ['q'] %}\n"
    "  {%+ if loop.first or v >= 1.5e3 %}{% continue %}{% elif not v %}{% break %}{% else %}\n"
    "{{- {'a': (1, 2,), 'b': [x.y for_]}|tojson(indent=2) if k else -v ** 2 // 3 }}{% endif %}\n"
    "{% else %}none{% endfor %}{% set ns.x, y = 1, 2 %}{% set t | upper %}T{% endset %}\n"
    "{% call(q) m(*v, **d) %}{{ q }}{% endcall %}{% raw %}{{ }}{% endraw %}\n"
    "{% filter trim %}{% with a = 1 %}{% generation %}{{ 'a' 'b' }}{% endgeneration %}"
    "{% endwith %}{% endfilter %}{% print 0x1F, 1_0 %}";

/* Every beginning and every end of a template, each in a block of its very size. */
static void test_cut(void **state)
{
    (void)state;
    const size_t n = sizeof all_kinds - 1;
    for (size_t i = 0; i < 2 * n; i++) {
        const size_t from = i < n ? 0 : i - n, to = i < n ? i : n;
        char *text = malloc(to - from + (to == from));
        struct buf out = {0};
        struct err err = {0};
        assert_non_null(text);
        memcpy(text, all_kinds + from, to - from);
        const enum status st =
            render_text(text, to - from, "{\"d\":{\"a\":1}}", &small, &out, &err);
        assert_true(st == ST_OK || !strncmp(err.message, "line ", 5));
        free(text);
        buf_deinit(&out);
    }
}

/* One byte another: still no crash. */
static void test_changed(void **state)
{
    (void)state;
    static const char others[] = "{}%#'\"\\()[].|-+~ a0\n\xc3";
    char text[sizeof all_kinds];
    for (size_t i = 0; i + 1 < sizeof all_kinds; i++)
        for (size_t k = 0; k + 1 < sizeof others; k++) {
            struct buf out = {0};
            struct err err = {0};
            memcpy(text, all_kinds, sizeof text);
            text[i] = others[k];
            const enum status st =
                render_text(text, sizeof text - 1, "{\"d\":{\"a\":[1,2]}}", &small, &out, &err);
            assert_true(st == ST_OK || !strncmp(err.message, "line ", 5));
            buf_deinit(&out);
        }
}

/* A rendering leaves nothing behind for the next one. */
static void test_again(void **state)
{
    (void)state;
    static const char text[] = "{% set self.x = 1 %}{{ self.y is defined }}{% set self.y = [2] %}";
    struct jinja *j = NULL;
    struct err err = {0};
    assert_int_equal(jinja_open(text, sizeof text - 1, &j, &err), ST_OK);
    for (int i = 0; i < 3; i++) {
        struct pool pool = {.max = small.memory};
        struct buf out = {0};
        struct jv variables;
        assert_true(jv_dict_init(&pool, JV_DICT, &variables));
        const enum status st =
            jinja_render(j, variables.dict, &small, &render_clock, &pool, &out, &err);
        assert_true(st != ST_OK || !strcmp(out.data, "False"));
        buf_deinit(&out);
        pool_deinit(&pool);
    }
    jinja_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps), cmocka_unit_test(test_memory), cmocka_unit_test(test_output),
        cmocka_unit_test(test_depth), cmocka_unit_test(test_source), cmocka_unit_test(test_chains),
        cmocka_unit_test(test_names), cmocka_unit_test(test_cut),    cmocka_unit_test(test_changed),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
