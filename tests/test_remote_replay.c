/*
 * Answers of servers as ../shared/http has them, over a socket and through an engine, each piece by
 * itself and with the end that it had: the tokens and bounds that a correct reader has, an end
 * soon, and behind what broke a request that goes on from the last token that was whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_exchange.h"
#include "remote_far.h"
#include "shared.h"

enum { LOW = 40, HIGH = 500 }; /* tokens of the site's own, whose texts are plain */

/* ---- the answer ---------------------------------------------------------------------------- */

static const struct exchange *played; /* NULL: the site answers by itself */

/* Two tokens of one text, as a request that is not ours brings them, are not to be told apart; and
 * some truths leave it to the reader how many tokens there are before an error. */
static int told(const struct exchange *e)
{
    struct reading r;
    if (named(e, "stream_text_keys_collide")) return 0;
    if (get(e->truth, "tokens") || e->dialect != &dialect_llamacpp) return (int)told_tokens(e);
    reading_begin(&r, e->dialect, e->top);
    (void)reading_stream(&r, e->bytes.data, e->bytes.len, e->bytes.len);
    reading_end(&r);
    return r.n;
}

static bool finishes(const struct exchange *e)
{
    return !named(e, "stream_text_keys_collide") && *text_of(e->truth, "finish") &&
           !get(e->truth, "lost") && strcmp(text_of(e->truth, "finish"), "abort") != 0;
}

/* Is the body JSON or a page, of a length that is known? */
static bool plays_whole(const struct exchange *e)
{
    return strncmp(text_of(get(e->answer, "headers"), "content-type"), "text/event-stream", 17) !=
           0;
}

static void play_head(int fd, const struct exchange *e)
{
    const char *name;
    json_t *value;
    char line[256];
    snprintf(line, sizeof line, "HTTP/1.1 %d So\r\n",
             (int)json_integer_value(get(e->answer, "status")));
    say(fd, line);
    json_object_foreach((json_t *)(uintptr_t)get(e->answer, "headers"), name, value)
    {
        snprintf(line, sizeof line, "%s: %s\r\n", name, json_string_value(value));
        say(fd, line);
    }
    if (plays_whole(e))
        snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", e->bytes.len);
    else
        snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n\r\n");
    say(fd, line);
}

/* The first request that streams gets the exchange's answer, and the others what they would. */
static bool play(int fd, const struct site_asked *a, bool *stays)
{
    const struct exchange *e = played;
    if (!e || !a->stream) return false;
    played = NULL;
    play_head(fd, e);
    for (size_t i = 0, at = 0; i < e->n_segments; at = e->ends[i++]) {
        const size_t n = e->ends[i] - at;
        if (n && !(plays_whole(e) ? say_bytes(fd, e->bytes.data + at, n)
                                  : site_say(fd, e->bytes.data + at, n)))
            break;
    }
    const char *end = text_of(e->answer, "end");
    *stays = !strcmp(end, "eof") && (plays_whole(e) || say(fd, "0\r\n\r\n"));
    if (!strcmp(end, "stall")) stall(fd);
    if (strcmp(end, "reset") != 0) return true;
    usleep(20000); /* so that what was said is read before */
    reset(fd);
    return true;
}

/* ---- what comes of it ---------------------------------------------------------------------- */

/* As many tokens as the answer has, where it has an end, or as its request asked for. */
static int sure_of(const struct exchange *e)
{
    const json_t *most = anywhere(e->body, "max_tokens", "n_predict");
    if (!most) most = anywhere(e->body, "max_new_tokens", "");
    const size_t n = json_array_size(get(e->truth, "tokens"));
    return finishes(e) && n && !get(e->truth, "asked") ? (int)n : (int)json_integer_value(most);
}

static void give_prefix(const struct exchange *e)
{
    int32_t ids[32] = {40, 41};
    const json_t *prefix = prefix_of(e);
    const size_t n = json_array_size(prefix);
    assert_true(n < 32);
    for (size_t i = 0; i < n; i++) {
        ids[i] = (int32_t)json_integer_value(json_array_get(prefix, i));
        if (ids[i] >= READING_VOCAB) ids[i] = LOW; /* no engine would ask with it */
    }
    far_give(0, ids, n ? (int)n : 2);
}

/* The tokens of the truth, each given back; what follows the last of them is wanted. */
static void expect_tokens(const struct exchange *e)
{
    for (int i = 0; i < told(e); i++) {
        const struct result r = far_await();
        if (r.status) fail_msg("%s: token %d: %s", e->name, i, r.message);
        const struct remote_token t = {
            .id = r.drawn, .log_prob = distribution_log_prob(&r.dist, r.drawn), .dist = r.dist};
        expect_token(e, json_array_get(get(e->truth, "tokens"), (size_t)i), &t);
        far_give(0, &r.drawn, 1);
    }
}

/* The text goes on with what the site itself has to say; it was asked for behind the first n. */
static void expect_script(const struct exchange *e, int n, int retries)
{
    float logits[SITE_VOCAB_MAX];
    struct candidate best[SITE_VOCAB_MAX];
    struct distribution wanted;
    struct far_text *t = &far.texts[0];
    const int top = e->top;
    for (int i = 0; i < 3; i++) {
        const struct result r = far_await();
        if (r.status) fail_msg("%s: %s", e->name, r.message);
        site_follow(far.site, t->ids, t->n, top, logits, best, &wanted);
        if (r.drawn != best[0].id)
            fail_msg("%s: expected token %d, found %d", e->name, best[0].id, r.drawn);
        far_same(r.dist.stats.entropy_lo, wanted.stats.entropy_lo, e->name);
        far_same(r.dist.stats.entropy_hi, wanted.stats.entropy_hi, e->name);
        far_give(0, &r.drawn, 1);
    }
    const struct site_asked again = site_asked(EAD_LARGE, 1);
    if (again.n != n) fail_msg("%s: expected to go on behind %d, found %d", e->name, n, again.n);
    assert_memory_equal(again.ids, t->ids, (size_t)n * sizeof *t->ids);
    assert_int_equal(remote_engine_account(far.engine).retries, retries);
}

/* The model ended its text: by a token that ends texts, or without one. */
static void expect_end(const struct exchange *e)
{
    const struct far_text *t = &far.texts[0];
    if (vocab_is_eog(vocabulary.vocab, t->ids[t->n - 1])) {
        expect_script(e, t->n, 0);
        return;
    }
    const struct result r = far_await();
    if (r.status) fail_msg("%s: %s", e->name, r.message);
    assert_int_equal(r.drawn, 1);
}

static void expect_rest(const struct exchange *e)
{
    const int n = far.texts[0].n;
    const int status = (int)json_integer_value(get(e->answer, "status"));
    const char *finish = text_of(e->truth, "finish");
    char words[8];
    snprintf(words, sizeof words, "%d", status);
    if (status != 200 && (status < 500 || get(e->truth, "retry_after_ms")))
        far_fault(status == 400 ? ST_ARG : ST_IO, words);
    else if (!finishes(e))
        expect_script(e, n, !get(e->truth, "lost"));
    else if (!strcmp(finish, "stop") || !strcmp(finish, "eos") || !strcmp(finish, "word"))
        expect_end(e);
    else
        expect_script(e, n, 0); /* where it ended early, the next answer tells why */
}

/* ---- every answer -------------------------------------------------------------------------- */

static int replayed;

static bool is_stream(const struct exchange *e)
{
    const char *path = text_of(e->request, "path");
    const json_t *how = get(e->body, "sampling_params");
    const bool streams = json_is_true(get(e->body, "stream")) || json_is_true(get(how, "stream"));
    return streams && !strstr(path, "/chat/") && !named(e, "v1_stream");
}

static void replay(struct exchange *e)
{
    struct remote_options o = {
        .top = e->top ? e->top : 5,
        .patience = {.first = 0.3, .between = 0.3, .retries = 1, .pause = 0.01}};
    if (!is_stream(e)) return;
    e->top = o.top;
    struct site *s = site_begin(EAD_LARGE, e->dialect, vocabulary.vocab, READING_VOCAB, 5);
    s->low = LOW;
    s->high = HIGH;
    far_open(&o, 1);
    played = e;
    s->reply = play;
    far_expect(0, sure_of(e));
    give_prefix(e);
    const double begun = clock_seconds();
    expect_tokens(e);
    expect_rest(e);
    if (clock_seconds() - begun > 5) fail_msg("%s: it took too long", e->name);
    far_close();
    site_wait();
    replayed++;
}

static void test_replay(void **state)
{
    static const struct {
        const char *name;
        int streams;
    } files[] = {{"vllm_completions", 16}, {"vllm_generate", 1}, {"sglang_generate", 7},
                 {"llamacpp", 11},         {"openai", 4},        {"faults", 25}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        replayed = 0;
        each_line(files[i].name, replay);
        if (replayed != files[i].streams)
            fail_msg("%s: expected %d streams, found %d", files[i].name, files[i].streams,
                     replayed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replay, start_server, stop_server)};
    if (shared_lacks(SHARED_DIR "/http")) return SKIPPED;
    reading_vocab(&vocabulary, &pieces);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pieces_close(pieces);
    held_close(&vocabulary);
    return failed;
}
