/*
 * Exchanges with servers, one from each line of ../shared/http: what was asked, the answer in the
 * pieces that it came in, and what a correct reader has of it. For a program of one file.
 */
#ifndef EAD_TESTS_REMOTE_EXCHANGE_H
#define EAD_TESTS_REMOTE_EXCHANGE_H

#include "remote_reading.h"

#include <jansson.h>
#include <math.h>

static struct held vocabulary;
static struct pieces *pieces;

struct exchange {
    json_t *line;
    const char *name;
    const json_t *request, *body, *answer, *truth;
    const struct dialect *dialect;
    bool whole, generate;
    int top;
    struct buf bytes;  /* of the answer */
    size_t ends[4096]; /* of its segments */
    size_t n_segments;
};

static const json_t *get(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(get(object, name));
    return text ? text : "";
}

static inline bool named(const struct exchange *e, const char *name)
{
    return !strcmp(e->name, name);
}

/* ---- opening ------------------------------------------------------------------------------- */

static inline int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c && at ? (int)(at - digits) : -1;
}

static inline void add_base64(struct buf *out, const char *s)
{
    unsigned bits = 0, n = 0;
    for (; digit64(*s) >= 0; s++) {
        bits = bits << 6 | (unsigned)digit64(*s);
        n += 6;
        if (n < 8) continue;
        n -= 8;
        const char byte = (char)(bits >> n & 255);
        assert_int_equal(buf_add(out, &byte, 1), ST_OK);
    }
}

static inline void read_segments(struct exchange *e)
{
    size_t i;
    json_t *segment;
    json_array_foreach(get(e->answer, "segments"), i, segment)
    {
        if (json_is_string(segment))
            assert_int_equal(
                buf_add(&e->bytes, json_string_value(segment), json_string_length(segment)), ST_OK);
        else
            add_base64(&e->bytes, text_of(segment, "b64"));
        assert_true(e->n_segments < 4096);
        e->ends[e->n_segments++] = e->bytes.len;
    }
}

/* Most probable tokens that the request asks for, under whatever name. */
static inline int asked_top(const struct exchange *e)
{
    static const char *const names[] = {"logprobs", "n_probs", "top_logprobs_num"};
    for (size_t i = 0; i < 3; i++) {
        const json_t *top = get(e->body, names[i]);
        if (!top) top = get(get(e->body, "sampling_params"), names[i]);
        if (!json_is_integer(top)) continue;
        return json_integer_value(top) < 0 ? READING_VOCAB : (int)json_integer_value(top);
    }
    return 0;
}

/* A field of a request, under the one name or the other. */
static inline const json_t *anywhere(const json_t *body, const char *a, const char *b)
{
    const json_t *how = get(body, "sampling_params"), *found = get(body, a);
    if (!found) found = get(body, b);
    if (!found && how) return anywhere(how, a, b);
    return found;
}

static inline const json_t *prefix_of(const struct exchange *e)
{
    const json_t *ids = get(e->body, "input_ids");
    if (!ids) ids = get(e->body, "token_ids");
    return ids ? ids : get(e->body, "prompt");
}

static inline void open_line(struct exchange *e, const char *text)
{
    *e = (struct exchange){.line = json_loads(text, JSON_ALLOW_NUL, NULL)};
    assert_non_null(e->line);
    e->name = text_of(e->line, "name");
    e->request = get(e->line, "request");
    e->body = get(e->request, "body");
    e->answer = get(e->line, "response");
    e->truth = get(e->line, "truth");
    const char *server = text_of(e->line, "server");
    e->dialect = dialect_find(server, strlen(server));
    if (!e->dialect) e->dialect = &dialect_openai; /* any server, and a proxy */
    e->generate = strstr(text_of(e->request, "path"), "/inference/v1/") != NULL;
    e->whole = !strncmp(text_of(get(e->answer, "headers"), "content-type"), "application/json", 16);
    /* Ids without probabilities are all that is wanted of these. */
    e->top = get(e->truth, "ids") && !get(e->truth, "top") ? 0 : asked_top(e);
    if (named(e, "nonstream_zero_probability")) e->top = 2; /* as many as the answer has */
    read_segments(e);
}

static inline void close_line(struct exchange *e)
{
    buf_deinit(&e->bytes);
    json_decref(e->line);
}

/* Call with every line of a file. */
static inline int each_line(const char *file, void (*call)(struct exchange *))
{
    char path[512], *text = NULL;
    size_t room = 0;
    int n = 0;
    snprintf(path, sizeof path, "%s/http/%s.jsonl", SHARED_DIR, file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (; getline(&text, &room, f) > 0; n++) {
        struct exchange e;
        open_line(&e, text);
        call(&e);
        close_line(&e);
    }
    free(text);
    fclose(f);
    return n;
}

/* ---- what is expected ---------------------------------------------------------------------- */

static inline void expect_near(const struct exchange *e, const json_t *object, const char *name,
                               float x)
{
    const json_t *wanted = get(object, name);
    if (!json_is_number(wanted)) return;
    if (fabs(json_number_value(wanted) - (double)x) > 1e-4)
        fail_msg("%s: %s: expected %g, found %g", e->name, name, json_number_value(wanted),
                 (double)x);
}

static inline void expect_bytes(const struct exchange *e, const json_t *wanted, int32_t id)
{
    size_t n;
    char hex[64] = "";
    const char *bytes = vocab_piece(vocabulary.vocab, id, &n);
    for (size_t i = 0; i < n; i++) sprintf(hex + 2 * i, "%02x", (unsigned char)bytes[i]);
    if (get(wanted, "bytes") && strcmp(text_of(wanted, "bytes"), hex))
        fail_msg("%s: expected the bytes %s, found %s", e->name, text_of(wanted, "bytes"), hex);
}

static inline void expect_token(const struct exchange *e, const json_t *wanted,
                                const struct remote_token *t)
{
    const json_t *top = get(wanted, "top"), *masked = get(wanted, "masked");
    if (get(wanted, "id")) assert_int_equal(t->id, json_integer_value(get(wanted, "id")));
    expect_bytes(e, wanted, t->id);
    if (named(e, "stream_stop_word")) return; /* its truth has other numbers than its answer */
    expect_near(e, wanted, "logprob", t->log_prob);
    expect_near(e, wanted, "entropy_lo", t->dist.stats.entropy_lo);
    expect_near(e, wanted, "entropy_hi", t->dist.stats.entropy_hi);
    if (top) assert_int_equal(t->dist.n_top, json_array_size(top));
    if (masked) assert_int_equal(t->dist.n_top, e->top - (int)json_array_size(masked));
    for (size_t i = 0; i < json_array_size(top); i++) {
        const json_t *one = json_array_get(top, i);
        assert_int_equal(t->dist.top[i].id, json_integer_value(json_array_get(one, 0)));
        assert_float_equal(t->dist.top[i].logit, json_number_value(json_array_get(one, 1)), 1e-4);
    }
}

/* Tokens in front of the first that the server does not tell of. */
static inline size_t told_tokens(const struct exchange *e)
{
    const json_t *lost = get(e->truth, "lost"), *tokens = get(e->truth, "tokens");
    return lost ? (size_t)json_integer_value(json_array_get(lost, 0)) : json_array_size(tokens);
}

#endif
