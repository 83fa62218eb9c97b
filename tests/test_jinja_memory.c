/* The template language without memory: every allocation of reading a template and of rendering it
 * fails once, and nothing crashes, leaks or gives another text. */
#include "heap.h"
#include "test_jinja_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char text[] =
    "{% macro say(m, sep=' ') %}{{ m.role ~ sep ~ m.content|trim }}{{ caller() }}{% endmacro %}\n"
    "{% set ns = namespace(n=0, all='') %}\n"
    "{% for m in messages if m.role != 'x' %}\n"
    "{% set ns.n = ns.n + loop.index %}{% set ns.all = ns.all + m.content * 900 %}\n"
    "{% call say(m, sep='\\t') %}{{ m|tojson(indent=2, sort_keys=true) }}{% endcall %}\n"
    "{% filter upper %}{{ '%s, %r' % (m.role, m) }}{% endfilter %}\n"
    "{% endfor %}\n"
    "{{ messages|map(attribute='role')|unique|sort|join(',') }}{{ ns.all|length }}\n"
    "{{ range(3000)|list|length }}{{ (ns.all * 9).split('i')|length }}\n"
    "{{ dict(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=9, j=10)|dictsort|string }}\n";

static const char variables[] = "{\"messages\":[{\"role\":\"user\",\"content\":\" hi \"},"
                                "{\"role\":\"assistant\",\"content\":\"hello\"}]}";

/* Render with the nth allocation failing (0: none). */
static enum status try_nth(int nth, struct buf *out)
{
    struct err err = {0};
    const int held = atomic_load(&heap_held) - (out->data != NULL);
    heap_fail_at(nth, false);
    const enum status st =
        render_text(text, sizeof text - 1, variables, &jinja_limits_usual, out, &err);
    (void)heap_failed();
    const int left = atomic_load(&heap_held) - held - (out->data != NULL);
    if (left) fail_msg("allocation %d: %d blocks are left", nth, left);
    /* jansson may take a failure of its own for a fault of the JSON, and says where */
    if (st != ST_OK && st != ST_MEMORY && !strstr(err.message, ", column "))
        fail_msg("allocation %d: %s", nth, err.message);
    if (st != ST_OK && !err.message[0]) fail_msg("allocation %d: no message", nth);
    return st;
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    struct buf whole = {0}, out = {0};
    assert_int_equal(try_nth(0, &whole), ST_OK);
    assert_true(whole.len > 300);
    int failed = 0;
    for (int nth = 1, passed = 0; passed < 20; nth++) {
        const enum status st = try_nth(nth, &out);
        if (st == ST_OK) {
            assert_int_equal(out.len, whole.len);
            assert_memory_equal(out.data, whole.data, whole.len);
        } else {
            assert_int_equal(out.len, 0);
        }
        passed = st == ST_OK ? passed + 1 : 0;
        failed += st != ST_OK;
        buf_deinit(&out);
    }
    assert_true(failed > 15);
    buf_deinit(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_fails)};
    if (!HEAP_SEEN) return heap_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
