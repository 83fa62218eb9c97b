/* An answer while it is written: where the tokens of an echoed prompt stand, and what belongs to
 * its last one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "server/choice.h"

#include <math.h>
#include <stdio.h>

static struct ask ask;
static struct choice choice;

static void begin(const char *fields)
{
    char body[512];
    struct refusal r;
    const int n = snprintf(body, sizeof body, "{%s}", fields);
    for (char *c = body; *c; c++) *c = *c == '\'' ? '"' : *c;
    if (!ask_parse(&asking.context, ASK_COMPLETION, body, (size_t)n, &ask, &r))
        fail_msg("%s: %s", fields, r.message);
    assert_true(choice_init(&choice, &ask, asking.models[EAD_LARGE], 0));
}

static int end(void **state)
{
    (void)state;
    choice_deinit(&choice);
    ask_free(&ask);
    return 0;
}

static void write_id(int32_t id)
{
    const ead_token token = {.id = id};
    assert_true(choice_add(&choice, &token, NULL, 0));
}

/* ---- echo ---------------------------------------------------------------------------------- */

static void echo(const char *fields)
{
    begin(fields);
    for (size_t i = 0; i < choice.prompt->n; i++) {
        const ead_scored told = {.id = choice.prompt->ids[i], .log_prob = i ? -1 : NAN};
        assert_true(choice_add_given(&choice, &told));
    }
    assert_true(choice_echo(&choice));
    assert_int_equal(choice.n_records, choice.prompt->n);
}

/* Record i has these characters of the text. */
static void has(int i, const char *expected)
{
    const struct choice_record *r = &choice.records[i];
    assert_true(r->begin <= r->end && r->end <= choice.text.len);
    assert_int_equal(r->end - r->begin, strlen(expected));
    assert_memory_equal(choice.text.data + r->begin, expected, strlen(expected));
}

/* BOS stands before the text, and has nothing of it. */
static void test_echo_of_a_text(void **state)
{
    (void)state;
    echo("'prompt':'\\u0001\\u0002z','echo':true,'logprobs':0");
    assert_int_equal(choice.prompt->ids[0], TINY_BOS);
    assert_string_equal(choice.text.data, "\x01\x02z");
    const int last = choice.n_records - 1;
    has(0, "");
    has(last, "z");
    has(last - 1, "\x02");
    has(last - 2, "\x01");
    write_id('a' + 3); /* what is written follows */
    assert_int_equal(choice.records[last + 1].begin, 3);
    has(last + 1, "a");
}

static void test_echo_without_bos(void **state)
{
    (void)state;
    echo("'prompt':'\\u0001z','echo':true,'logprobs':0,'add_special_tokens':false");
    has(choice.n_records - 1, "z");
    has(choice.n_records - 2, "\x01");
}

/* Ids are told as they are, BOS by its name. */
static void test_echo_of_ids(void **state)
{
    (void)state;
    echo("'prompt':[1,4,5],'echo':true,'logprobs':0");
    assert_string_equal(choice.text.data, "<s>\x01\x02");
    has(0, "<s>");
    has(1, "\x01");
    has(2, "\x02");
}

/* ---- the end ----------------------------------------------------------------------------------
 */

/* Bytes of a character that was begun and never completed are the last token's. */
static void test_length(void **state)
{
    (void)state;
    begin("'prompt':'z','logprobs':0,'max_tokens':2");
    write_id('a' + 3);
    write_id(0xe2 + 3);
    assert_string_equal(choice.finish, "length");
    assert_string_equal(choice.text.data, "a\xe2");
    has(0, "a");
    has(1, "\xe2");
}

/* ---- what was lost ------------------------------------------------------------------------- */

static void lose(int32_t id)
{
    const ead_token token = {.id = id, .lost = true};
    assert_true(choice_lose(&choice, &token));
}

/* Lost tokens belong to the next one that stands, and nobody counts them. */
static void test_lost(void **state)
{
    (void)state;
    begin("'prompt':'a','max_tokens':3,'ead':{'trace':true}");
    lose(40);
    lose(41);
    write_id(50);
    write_id(51);
    lose(42);
    write_id(52);
    lose(43); /* behind the end */
    assert_string_equal(choice.finish, "length");
    assert_int_equal(choice.n_tokens, 3);
    assert_int_equal(choice.n_records, 3);
    assert_int_equal(choice.n_lost, 3);
    static const int first[] = {0, 2, 2}, n[] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(choice.records[i].first_lost, first[i]);
        assert_int_equal(choice.records[i].n_lost, n[i]);
    }
    assert_int_equal(choice.lost_tokens[2].id, 42);
}

static void test_lost_without_trace(void **state)
{
    (void)state;
    begin("'prompt':'a','max_tokens':3,'logprobs':1");
    lose(40);
    write_id(50);
    assert_int_equal(choice.n_lost, 0);
    assert_int_equal(choice.records[0].n_lost, 0);
}

static void test_many_lost(void **state)
{
    (void)state;
    begin("'prompt':'a','max_tokens':3,'ead':{'trace':true}");
    for (int i = 0; i <= CHOICE_LOST_MAX; i++) lose(40);
    assert_int_equal(choice.n_lost, CHOICE_LOST_MAX);
    write_id(50);
    assert_int_equal(choice.records[0].n_lost, CHOICE_LOST_MAX);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_teardown(test, end)
    const struct CMUnitTest tests[] = {
        ONE(test_echo_of_a_text), ONE(test_echo_without_bos),
        ONE(test_echo_of_ids),    ONE(test_length),
        ONE(test_lost),           ONE(test_lost_without_trace),
        ONE(test_many_lost),
    };
    return cmocka_run_group_tests_name("choice", tests, asking_set_up, asking_tear_down);
}
