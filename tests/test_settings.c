/* Settings of `ead eval` as they are written, and samples of its data. */
#include "eval/sample.h"
#include "eval/setting.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_samples(void **state)
{
    (void)state;
    int before[100], now[100];
    size_t n_before = 0;
    for (size_t n = 1; n <= 100; n++) {
        assert_int_equal(sample_draw(100, n, 7, now), n);
        for (size_t i = 0, k = 0; i < n_before; i++) { /* it holds the smaller one */
            while (k < n && now[k] != before[i]) k++;
            assert_true(k < n);
        }
        for (size_t i = 1; i < n; i++) assert_true(now[i - 1] < now[i]);
        memcpy(before, now, sizeof now);
        n_before = n;
    }
    assert_int_equal(sample_draw(100, 0, 7, now), 100);
    assert_int_equal(sample_draw(100, 500, 7, now), 100);
    assert_true(sample_seed(1, 2) != sample_seed(1, 3) && sample_seed(1, 2) != sample_seed(2, 2));
}

static struct settings *settings_of(const struct settings_wish *wish)
{
    struct settings *s = NULL;
    ead_error error;
    if (settings_open(wish, &s, &error)) fail_msg("%s", error.message);
    return s;
}

static void test_settings(void **state)
{
    (void)state;
    static const char *const names[] = {"large",        "ead tau=1e-05",    "ead tau=0.3",
                                        "ead tau=-2",   "random tau=1e-05", "random tau=0.3",
                                        "random tau=-2"};
    struct settings *s = settings_of(&(struct settings_wish){.policies = " ead, random ,large,ead",
                                                             .taus = "0.00001, 0.30,-2",
                                                             .base = ead_duo_defaults().policy});
    assert_int_equal(s->n, 7);
    for (size_t i = 0; i < 7; i++) assert_string_equal(s->list[i].name, names[i]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->list[4 + i].of, 1 + i);
        assert_int_equal(s->list[1 + i].of, -1);
    }
    settings_close(s);
}

/* Names say what differs, and read back as what they name. */
static void test_settings_of_any_policy(void **state)
{
    (void)state;
    static const char *const names[] = {"small",
                                        "large",
                                        "ead tau=0.2 dwell=8",
                                        "speculative draft=8",
                                        "speculative draft=heuristic",
                                        "judge slack=0.25 risk=inf",
                                        "random dwell=8 share=0.1",
                                        "judge",
                                        "ead tau=1",
                                        "random tau=0.2 dwell=8",
                                        "random tau=1"};
    static const char *const more[] = {"judge  risk=0.5", "speculative draft=8"};
    ead_policy_options rule = ead_duo_defaults().policy, back;
    ead_error error;
    struct settings *s = settings_of(&(struct settings_wish){
        .policies = "ead tau=0.2 dwell=8,small,speculative draft=8 , speculative draft=heuristic,"
                    "random,judge risk=inf slack=0.25,random share=.1 dwell=8,large",
        .taus = "3",
        .more = more,
        .n_more = 2,
        .rules = &rule,
        .n_rules = 1,
        .base = rule});
    assert_int_equal(s->n, 11);
    for (size_t i = 0; i < 11; i++) assert_string_equal(s->list[i].name, names[i]);
    assert_int_equal(s->list[9].of, 2);
    assert_int_equal(s->list[9].rule.dwell, 8);
    assert_int_equal(s->list[4].rule.draft, EAD_DRAFT_HEURISTIC);
    assert_true(isinf(s->list[5].rule.risk));
    for (size_t i = 0; i < 9; i++) {
        char name[SETTING_NAME_MAX];
        assert_int_equal(setting_read(s->list[i].name, &rule, "x", &back, &error), EAD_OK);
        assert_true(setting_name(&back, &rule, name));
        assert_string_equal(name, names[i]);
    }
    settings_close(s);
}

/* What another table says is another setting. */
static void test_settings_by_a_table(void **state)
{
    (void)state;
    static const char *const more[] = {"judge", "speculative", "speculative draft=survival"};
    ead_policy_options rule = ead_duo_defaults().policy;
    static ead_risk table = {.n_classes = 1};
    rule.table = &table;
    for (int i = 0; i < 2; i++) {
        table.risk[3][0] = (float)i;
        struct settings *s =
            settings_of(&(struct settings_wish){.more = more, .n_more = 3, .base = rule});
        assert_int_equal(strncmp(s->list[0].name, "judge table=", 12), 0);
        assert_string_equal(s->list[1].name, "speculative");
        assert_non_null(strstr(s->list[2].name, "draft=survival table="));
        static char before[SETTING_NAME_MAX];
        assert_string_not_equal(s->list[0].name, before);
        snprintf(before, sizeof before, "%s", s->list[0].name);
        settings_close(s);
    }
}

static void test_an_oracle_is_last(void **state)
{
    (void)state;
    static const char *const names[] = {"large", "ead tau=1", "r2r", "oracle", "random tau=1"};
    struct settings *s =
        settings_of(&(struct settings_wish){.policies = "oracle , random,ead,large",
                                            .taus = "1",
                                            .more = (const char *const[]){"r2r", " oracle\t"},
                                            .n_more = 2,
                                            .base = ead_duo_defaults().policy});
    assert_int_equal(s->n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(s->list[i].name, names[i]);
        assert_int_equal(setting_is_oracle(&s->list[i]), i == 3);
    }
    assert_int_equal(s->list[3].of, 0);
    settings_close(s);
}

static void test_bad_settings(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "policy: expected one of ead, large, small, random, "},
        {"luck", "found \"luck\""},
        {"replay", "found \"replay\""},
        {"random", "policy: random needs ead beside it"},
        {"oracle,ead", "policy: oracle needs large beside it"},
        {"oracle draft=1,large", "policy: oracle stands in lists of eval, without options"},
        {"judge 0.5", "policy: judge: expected NAME=VALUE, found \"0.5\""},
        {"judge tau=1",
         "policy: judge has no option \"tau\"; it has slack, slack-by, risk, risk-sum, unj"},
        {"small tau=1", "small has no option \"tau\"; it has none"},
        {"judge slack=2", "judge: slack: expected a number from 0 to 1, found \"2\""},
        {"judge slack=", "found \"\""},
        {"judge unjudged=1.5", "expected a whole number from 0 to 63, found \"1.5\""},
        {"speculative draft=-1", "or heuristic, confidence or survival, found \"-1\""},
        {"ead start=both", "start: expected small or large, found \"both\""},
        {"ead clear-window=1", "clear-window: expected off or on, found \"1\""}};
    struct settings *s = NULL;
    ead_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct settings_wish wish = {.policies = bad[i][0],
                                           .base = ead_duo_defaults().policy};
        assert_int_equal(settings_open(&wish, &s, &error), EAD_ARGUMENT);
        if (!strstr(error.message, bad[i][1]))
            fail_msg("expected \"%s\" in: %s", bad[i][1], error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_settings_of_any_policy),
        cmocka_unit_test(test_settings_by_a_table),
        cmocka_unit_test(test_an_oracle_is_last),
        cmocka_unit_test(test_bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
