/* The vocabulary's own questions: text to ids and back, and what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "server/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

/* ' stands for "; to be freed. */
static char *json_of(const char *text)
{
    char *json = tiny_must(strdup(text));
    for (char *c = json; *c; c++) *c = *c == '\'' ? '"' : *c;
    return json;
}

typedef json_t *answerer(const struct ask_context *, const char *, size_t, struct refusal *);

static json_t *answer(answerer *of, const char *fields)
{
    struct refusal why = {0};
    char *body = json_of(fields);
    json_t *out = of(&asking.context, body, strlen(body), &why);
    if (!out) fail_msg("%s: %s", fields, why.message);
    free(body);
    return out;
}

static void refuse_answer(answerer *of, const char *fields, const char *param)
{
    struct refusal why = {0};
    char *body = json_of(fields);
    assert_null(of(&asking.context, body, strlen(body), &why));
    assert_int_equal(why.status, 400);
    assert_string_equal(why.param, param);
    free(body);
}

static size_t count(const char *fields)
{
    json_t *out = answer(vocabulary_tokenize, fields);
    const json_t *tokens = json_object_get(out, "tokens");
    const size_t n = json_array_size(tokens);
    assert_int_equal(json_integer_value(json_object_get(out, "count")), n);
    assert_int_equal(json_integer_value(json_object_get(out, "max_model_len")), ASKING_CTX);
    json_decref(out);
    return n;
}

static void test_tokenize(void **state)
{
    (void)state;
    const size_t bare_n = count("{'prompt':'ab','add_special_tokens':false}");
    assert_int_equal(count("{'prompt':'ab'}"), bare_n + 1); /* vLLM adds BOS unless told */
    assert_int_equal(count("{'content':'ab'}"), bare_n);    /* llama-server does not */
    assert_int_equal(count("{'content':'ab','add_special':true}"), bare_n + 1);
    assert_int_equal(count("{'content':''}"), 0);
    assert_true(count("{'content':'a</s>','parse_special':false}") > count("{'content':'a</s>'}"));
    assert_int_equal(count("{'messages':[{'role':'user','content':'a'}]}"),
                     count("{'prompt':'u:a\\n'}"));
    refuse_answer(vocabulary_tokenize, "{}", "prompt");
    refuse_answer(vocabulary_tokenize, "{'prompt':1}", "prompt");
    refuse_answer(vocabulary_tokenize, "{'prompt':'a','add_special_tokens':1}",
                  "add_special_tokens");
    refuse_answer(vocabulary_tokenize,
                  "{'messages':[{'role':'user','content':'a'}],'continue_final_message':true}",
                  "continue_final_message");
    refuse_answer(vocabulary_tokenize, "{'messages':[1]}", "messages[0]");
    refuse_answer(vocabulary_tokenize, "[]", "");
}

static void test_pieces(void **state)
{
    (void)state;
    /* Four bytes of a character that has no token of its own. */
    json_t *out =
        answer(vocabulary_tokenize,
               "{'content':'\\ud83d\\ude00','with_pieces':true,'return_token_strs':true}");
    const json_t *tokens = json_object_get(out, "tokens"), *bytes = NULL;
    const size_t n = json_array_size(tokens);
    assert_int_equal(json_array_size(json_object_get(out, "token_strs")), n);
    assert_true(n >= 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *piece = json_array_get(tokens, n - 4 + i);
        bytes = json_object_get(piece, "piece");
        assert_true(json_is_integer(json_object_get(piece, "id")));
        assert_int_equal(json_array_size(bytes), 1); /* no UTF-8, so a list of bytes */
    }
    assert_int_equal(json_integer_value(json_array_get(bytes, 0)), 0x80);
    json_decref(out);
}

static void test_detokenize(void **state)
{
    (void)state;
    json_t *out = answer(vocabulary_tokenize, "{'prompt':'ab \\u00e9\\ud83d\\ude00'}");
    char *tokens = json_dumps(json_object_get(out, "tokens"), 0), body[512];
    json_decref(out);
    snprintf(body, sizeof body, "{'tokens':%s}", tokens);
    free(tokens);
    out = answer(vocabulary_detokenize, body);
    const char *text = json_string_value(json_object_get(out, "prompt"));
    assert_string_equal(text, json_string_value(json_object_get(out, "content")));
    assert_non_null(strstr(text, "ab \xc3\xa9\xf0\x9f\x98\x80"));
    assert_int_equal(strncmp(text, "<s>", 3), 0);
    json_decref(out);
    out = answer(vocabulary_detokenize, "{'tokens':[]}");
    assert_string_equal(json_string_value(json_object_get(out, "prompt")), "");
    json_decref(out);
    refuse_answer(vocabulary_detokenize, "{}", "tokens");
    refuse_answer(vocabulary_detokenize, "{'tokens':3}", "tokens");
    refuse_answer(vocabulary_detokenize, "{'tokens':[3,-1]}", "tokens");
    refuse_answer(vocabulary_detokenize, "{'tokens':[2.0]}", "tokens");
    refuse_answer(vocabulary_detokenize, "{'tokens':[100000]}", "tokens");
}

/* A body of n times a text between two others. */
static char *repeat(const char *begin, const char *part, size_t n, const char *end)
{
    const size_t each = strlen(part);
    char *out = tiny_must(malloc(strlen(begin) + n * each + strlen(end) + 1));
    char *to = stpcpy(out, begin);
    for (size_t i = 0; i < n; i++) to = stpcpy(to, part);
    strcpy(to, end);
    return out;
}

static void refuse_many(answerer *of, char *body, const char *code, const char *param)
{
    struct refusal why = {0};
    assert_null(of(&asking.context, body, strlen(body), &why));
    assert_int_equal(why.status, 413);
    assert_string_equal(why.code, code);
    assert_string_equal(why.param, param);
    free(body);
}

/* What an answer holds is many times a body: there are limits, each reached and passed by one. */
static void test_limits(void **state)
{
    (void)state;
    const size_t most = VOCABULARY_TOKENS_MAX;
    struct refusal why = {0};
    refuse_many(vocabulary_tokenize, repeat("{\"content\":\"", "\\u0001", most + 1, "\"}"),
                "too_many_tokens", "content");
    refuse_many(vocabulary_tokenize, repeat("{\"prompt\":\"", "\\u0001", most, "\"}"),
                "too_many_tokens", "prompt"); /* and BOS */
    refuse_many(vocabulary_detokenize, repeat("{\"tokens\":[5", ",5", most, "]}"),
                "too_many_tokens", "tokens");
    char *body = repeat("{\"tokens\":[5", ",5", most - 1, "]}");
    json_t *out = vocabulary_detokenize(&asking.context, body, strlen(body), &why);
    assert_non_null(out);
    json_decref(out);
    free(body);
}

/* lm_eval asks for the special tokens by their texts. */
static void test_tokenizer_info(void **state)
{
    (void)state;
    struct refusal why;
    json_t *out = vocabulary_info(&asking.context, &why);
    assert_non_null(out);
    assert_string_equal(json_string_value(json_object_get(out, "bos_token")), "<s>");
    assert_string_equal(json_string_value(json_object_get(out, "eos_token")), "</s>");
    assert_true(json_is_null(json_object_get(out, "pad_token")));
    assert_int_equal(json_integer_value(json_object_get(out, "vocab_size")),
                     asking.context.n_vocab);
    assert_int_equal(json_integer_value(json_object_get(out, "model_max_length")), ASKING_CTX);
    assert_true(json_is_string(json_object_get(out, "tokenizer_class")));
    json_decref(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenize),       cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_detokenize),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_tokenizer_info),
    };
    return cmocka_run_group_tests(tests, asking_set_up, asking_tear_down);
}
