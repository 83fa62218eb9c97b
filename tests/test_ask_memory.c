/*
 * Requests and answers without memory: the nth allocation fails, for every n, alone and with all
 * that would follow. Each time the request is refused with 503, or was not in need of it and is
 * read as ever; an answer is whole or none. Nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "heap.h"
#include "server/answer.h"
#include "server/vocabulary.h"
#include "json/jsonio.h"

static struct asking asking;

static int open_all(void **state)
{
    (void)state;
    asking_open(&asking);
    asking.context.variables = "{\"mood\":\"good\"}";
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    asking_close(&asking);
    return 0;
}

/* ---- sweeping ------------------------------------------------------------------------------ */

/* What was made, as text; NULL after saying why in *r. */
typedef char *scenario(struct refusal *r);

/* What is allocated between these two is the test's own, and never fails. */
static bool own(void)
{
    return heap_failed();
}

static void go_on(bool failed)
{
    if (!failed) heap_fail_at(1 << 30, false);
}

/* One run in which allocation n fails; false when there was none of that number. */
static bool run_once(const char *what, scenario *run, int n, bool for_good, const char *whole,
                     int *refused)
{
    struct refusal r = {0};
    const int held = atomic_load(&heap_held);
    heap_fail_at(n, for_good);
    char *text = run(&r);
    const bool failed = heap_failed();
    if (!text && (!failed || r.status != 503))
        fail_msg("%s, allocation %d: %d: %s", what, n, r.status, r.message);
    if (text && strcmp(text, whole)) fail_msg("%s, allocation %d: %s", what, n, text);
    *refused += !text;
    free(text);
    const int left = atomic_load(&heap_held) - held;
    if (left) fail_msg("%s, allocation %d: %d blocks are left", what, n, left);
    return failed;
}

static void sweep(const char *what, scenario *run)
{
    struct refusal r = {0};
    int n = 1, refused = 0;
    free(run(&r)); /* what a library allocates once and keeps */
    char *whole = run(&r);
    if (!whole) fail_msg("%s: %s", what, r.message);
    while (run_once(what, run, n, false, whole, &refused)) n++;
    for (int from = 1; from < n; from++) run_once(what, run, from, true, whole, &refused);
    print_message("%s: %d allocations\n", what, n - 1);
    assert_true(refused > n / 2);
    free(whole);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* What was read of a request, in short. */
static char *parsed(enum ask_kind kind, const char *body, struct refusal *r)
{
    struct ask a;
    char text[512];
    if (!ask_parse(&asking.context, kind, body, strlen(body), &a, r)) return NULL;
    size_t at = (size_t)snprintf(text, sizeof text, "%d %d %d %d %d %g:", a.n_prompts, a.n,
                                 a.n_stops, a.sampler.n_bias, a.max_tokens, a.policy.tau);
    for (size_t i = 0; i < a.prompts[0].n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, " %d", a.prompts[0].ids[i]);
    ask_free(&a);
    const bool failed = own();
    char *copy = tiny_must(strdup(text));
    go_on(failed);
    return copy;
}

static char *read_chat(struct refusal *r)
{
    return parsed(ASK_CHAT,
                  "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":"
                  "\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":"
                  "null,\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
                  "[1]}\"}}]}],\"tools\":[{\"function\":{\"name\":\"f\"}}],\"documents\":[\"d\"],"
                  "\"chat_template_kwargs\":{\"x\":1},\"stop\":[\"a\",\"b\"],\"best_of\":1,"
                  "\"response_format\":{\"type\":\"text\"},\"logit_bias\":{\"5\":1},\"seed\":1}",
                  r);
}

static char *read_completion(struct refusal *r)
{
    return parsed(ASK_COMPLETION,
                  "{\"prompt\":[\"abc\",\"d\"],\"echo\":true,\"ignore_eos\":true,\"suffix\":\"\","
                  "\"ead\":{\"tau\":0.5},\"stop\":\"\\n\",\"seed\":1}",
                  r);
}

static char *read_ids(struct refusal *r)
{
    return parsed(ASK_COMPLETION, "{\"prompt\":[[1,5],[7]],\"seed\":1,\"user\":\"\\u20ac\"}", r);
}

static void test_requests(void **state)
{
    (void)state;
    sweep("a chat", read_chat);
    sweep("a completion", read_completion);
    sweep("ids", read_ids);
}

/* ---- the vocabulary ------------------------------------------------------------------------ */

/* A value as text. */
static char *text_of(json_t *value)
{
    const bool failed = own();
    char *text = value ? tiny_must(json_dumps(value, JSON_COMPACT)) : NULL;
    json_decref(value);
    go_on(failed);
    return text;
}

static char *tokenize(struct refusal *r)
{
    static const char body[] = "{\"prompt\":\"a\xe2\x82\xac\",\"return_token_strs\":true,"
                               "\"with_pieces\":true}";
    return text_of(vocabulary_tokenize(&asking.context, body, strlen(body), r));
}

static char *tokenize_chat(struct refusal *r)
{
    static const char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
    return text_of(vocabulary_tokenize(&asking.context, body, strlen(body), r));
}

static char *detokenize(struct refusal *r)
{
    static const char body[] = "{\"tokens\":[1,70,229,133,260]}";
    return text_of(vocabulary_detokenize(&asking.context, body, strlen(body), r));
}

static char *info(struct refusal *r)
{
    return text_of(vocabulary_info(&asking.context, r));
}

static void test_vocabulary(void **state)
{
    (void)state;
    sweep("tokenize", tokenize);
    sweep("tokenize a chat", tokenize_chat);
    sweep("detokenize", detokenize);
    sweep("tokenizer_info", info);
}

/* ---- answers ------------------------------------------------------------------------------- */

static struct choice_record records[2];
static struct ask_prompt prompt = {.n = 3};
static struct choice choice;
static struct job job;

static void set_up(enum ask_kind kind)
{
    static char text[] = "a\xe2\x82\xac";
    job = (struct job){.ask = {.kind = kind,
                               .prompts = &prompt,
                               .n_prompts = 1,
                               .n = 1,
                               .logprobs = 2,
                               .trace = true,
                               .include_usage = true},
                       .id = "x",
                       .choices = &choice,
                       .n_choices = 1};
    choice = (struct choice){.ask = &job.ask,
                             .prompt = &prompt,
                             .model = asking.models[1],
                             .text = {.data = text, .len = 4},
                             .records = records,
                             .n_records = 2,
                             .n_tokens = 2,
                             .finish = "stop"};
    for (int i = 0; i < 2; i++)
        records[i] = (struct choice_record){.token = {.id = 260 + i, .taken_back = i},
                                            .begin = (size_t)i,
                                            .end = (size_t)(i + 1),
                                            .n_best = 2,
                                            .best = {{.id = 260 + i}, {.id = 5, .log_prob = -2}}};
}

/* No memory is all that an answer can lack. */
static char *made(json_t *value, struct refusal *r)
{
    if (!value) refuse_memory(r);
    return text_of(value);
}

static char *whole(struct refusal *r)
{
    return made(answer_whole(&job), r);
}

static char *one_chunk(struct refusal *r)
{
    return made(answer_chunk(&job, &choice, 0, 1, 0, 1), r);
}

static char *opening(struct refusal *r)
{
    return made(answer_opening(&job, &choice), r);
}

static char *ending(struct refusal *r)
{
    return made(answer_ending(&job, &choice), r);
}

static char *account(struct refusal *r)
{
    return made(answer_account(&job), r);
}

static void test_answers(void **state)
{
    (void)state;
    for (int kind = ASK_CHAT; kind <= ASK_COMPLETION; kind++) {
        set_up((enum ask_kind)kind);
        sweep("an answer", whole);
        sweep("a chunk", one_chunk);
        if (kind == ASK_CHAT) sweep("an opening", opening);
        sweep("an ending", ending);
        sweep("an account", account);
    }
}

/* ---- long and faulty ----------------------------------------------------------------------- */

/* What a long array held is released in the time that its length takes. */
static void test_long(void **state)
{
    (void)state;
    enum { ITEMS = 500000 };
    json_error_t error;
    char *text = tiny_must(malloc(2 * ITEMS + 2));
    for (size_t i = 0; i < ITEMS; i++) memcpy(text + 2 * i, i ? ",1" : "[1", 2);
    text[2 * ITEMS] = 'x';
    assert_null(jsonio_read(text, 2 * ITEMS + 1, 0, &error));
    assert_true(error.text[0] != 0);
    free(text);
}

int main(void)
{
    if (!HEAP_SEEN) return heap_skipped();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests_name("ask_memory", tests, open_all, close_all);
}
