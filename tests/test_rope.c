/* Scaled angles: what YaRN does to frequencies and to the size of what turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"

enum { SHORT = 10 };

/* YaRN: every number given; none but the factor; a ramp that is a step; with what files have beside
 * it. */
static void test_yarn_against_the_oracle(void **state)
{
    (void)state;
    struct tiny_spec given = tiny_spec("qwen2", QT_F32), bare = tiny_spec("qwen3", QT_Q8_0);
    struct tiny_spec step = tiny_spec("llama", QT_F32), beside = tiny_spec("llama", QT_F16);
    given.n_ctx = 160;
    given.yarn = (struct tiny_yarn){.factor = 4, .ctx = 40, .fast = 3, .slow = 0.02f, .ext = 0.75f};
    laws_check(&given, SHORT);
    given.yarn.log = 0.6f;
    laws_check(&given, SHORT);
    bare.n_ctx = 20000; /* 32 and 1 turns of these are far apart */
    bare.yarn.factor = 2.5f;
    laws_check(&bare, SHORT);
    step.yarn = (struct tiny_yarn){.factor = 8, .ctx = 64, .fast = 1.5f, .slow = 1.5f, .log = 1};
    laws_check(&step, SHORT);
    step.yarn = (struct tiny_yarn){.factor = 8, .ctx = 6, .attn = 1}; /* before the first pair */
    laws_check(&step, SHORT);
    beside.yarn = (struct tiny_yarn){.factor = 4, .ctx = 40, .fast = 2, .slow = 0.05f};
    beside.rope_freqs = true;
    beside.rope_magnitude = 1.19f;
    laws_check(&beside, SHORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yarn_against_the_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
