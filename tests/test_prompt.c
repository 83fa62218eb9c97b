/* What a request wants continued: conversations as a template reads them, and the vocabulary's own
 * questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asked.h"
#include "server/vocabulary.h"

/* It shows what it was given; "no" is refused. */
static const char knowing[] =
    "{% for t in tools or [] %}<{{ t.function.name }}>{% endfor %}"
    "{% for d in documents or [] %}<{{ d.title }}>{% endfor %}"
    "{% for m in messages %}[{{ m.role }}]"
    "{% if m.content == 'no' %}{{ raise_exception('not that') }}{% endif %}{{ m.content }}"
    "{% for k in m.tool_calls or [] %}({{ k.function.name }} {{ k.function.arguments.x }})"
    "{% endfor %}{% endfor %}{{ mood }}{% if add_generation_prompt %}>{% endif %}";
static const char plain[] = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";

static ead_template *bare;

static int set_up(void **state)
{
    (void)state;
    asked_open(knowing);
    bare = asked_template(context.models[0], plain);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ead_template_close(bare);
    asked_close();
    return 0;
}

static void expect_text(const char *fields, const char *text)
{
    ead_error error;
    int32_t *ids;
    size_t n;
    struct ask a = asked(ASK_CHAT, fields);
    assert_int_equal(a.n_prompts, 1);
    assert_int_equal(ead_tokenize(context.models[0], text, strlen(text),
                                  EAD_PARSE_SPECIAL | EAD_ADD_BOS, &ids, &n, &error),
                     EAD_OK);
    if (a.prompts[0].n != n || memcmp(a.prompts[0].ids, ids, n * sizeof *ids))
        fail_msg("%s: not \"%s\"", fields, text);
    ead_free(ids);
    ask_free(&a);
}

/* ---- conversations ----------------------------------------------------------------------- */

#define USER "{'role':'user','content':'a'}"

static void test_messages(void **state)
{
    (void)state;
    expect_text("'messages':[" USER "]", "[user]a>");
    expect_text("'messages':[{'role':'developer','content':'b'}," USER "]", "[system]b[user]a>");
    expect_text("'messages':[{'role':'system','content':''},{'role':'assistant','content':'c'}]",
                "[system][assistant]c>");
    expect_text("'messages':[{'role':'user','content':[{'type':'text','text':'a'},"
                "{'type':'input_text','text':' b'}]}]",
                "[user]a\n b>");
    expect_text("'messages':[{'role':'assistant','content':[{'type':'refusal','refusal':'c'}]}]",
                "[assistant]c>");
    expect_text("'messages':[{'role':'user','content':[]}]", "[user]>");
    expect_text("'messages':[{'role':'user','content':'a','tool_calls':[],'function_call':null}]",
                "[user]a>");
    expect_text("'messages':[{'role':'tool','tool_call_id':'1','content':'a','x':1}]", "[tool]a>");
    expect_text("'messages':[" USER "],'add_generation_prompt':false", "[user]a");
    expect_text("'messages':[" USER "],'continue_final_message':false", "[user]a>");
    expect_text("'messages':[" USER "],'chat_template_kwargs':{'mood':'!'}", "[user]a!>");
    expect_text("'messages':[" USER "],'chat_template_kwargs':null", "[user]a>");
    expect_text("'messages':[" USER "],'documents':[{'title':'t'}]", "<t>[user]a>");
}

static void test_server_variables(void **state)
{
    (void)state;
    context.variables = "{\"mood\": \"?\"}";
    expect_text("'messages':[" USER "]", "[user]a?>");
    expect_text("'messages':[" USER "],'chat_template_kwargs':{'mood':'!'}", "[user]a!>");
    context.variables = NULL;
}

static void test_tools(void **state)
{
    (void)state;
    static const char tool[] = "'tools':[{'type':'function','function':{'name':'f'}}]";
    char fields[256];
    snprintf(fields, sizeof fields, "'messages':[" USER "],%s", tool);
    expect_text(fields, "<f>[user]a>");
    snprintf(fields, sizeof fields, "'messages':[" USER "],%s,'tool_choice':'none'", tool);
    expect_text(fields, "[user]a>");
    expect_text("'messages':[" USER "],'tools':[],'tool_choice':'auto'", "[user]a>");
    /* Arguments come as JSON in a text, and are shown as what they say. */
    expect_text("'messages':[{'role':'assistant','content':null,'tool_calls':[{'id':'1','function':"
                "{'name':'f','arguments':'{\\u0022x\\u0022:7}'}}]}]",
                "[assistant]None(f 7)>");
    expect_text("'messages':[{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':"
                "{'x':8}}}]}]",
                "[assistant]None(f 8)>");
    asked_refused(ASK_CHAT, "'tools':{}", 400, "tools");
    asked_refused(ASK_CHAT, "'tools':[1]", 400, "tools[0]");
    asked_refused(ASK_CHAT, "'tools':[{'type':'function','function':{'name':1}}]", 400, "tools[0]");
}

static void test_bad_messages(void **state)
{
    (void)state;
    static const struct {
        const char *messages, *param;
    } bad[] = {
        {"[]", "messages"},
        {"{}", "messages"},
        {"'a'", "messages"},
        {"null", "messages"},
        {"[1]", "messages[0]"},
        {"[" USER ",null]", "messages[1]"},
        {"[{'content':'a'}]", "messages[0].role"},
        {"[{'role':'king','content':'a'}]", "messages[0].role"},
        {"[{'role':1,'content':'a'}]", "messages[0].role"},
        {"[{'role':'user'}]", "messages[0].content"},
        {"[{'role':'user','content':null}]", "messages[0].content"},
        {"[{'role':'user','content':1}]", "messages[0].content"},
        {"[{'role':'user','content':['a']}]", "messages[0].content[0].type"},
        {"[{'role':'user','content':[{'text':'a'}]}]", "messages[0].content[0].type"},
        {"[{'role':'user','content':[{'type':'text'}]}]", "messages[0].content[0].text"},
        {"[{'role':'user','content':[{'type':'text','text':1}]}]", "messages[0].content[0].text"},
        {"[{'role':'user','content':[{'type':'refusal','text':'a'}]}]",
         "messages[0].content[0].refusal"},
        {"[" USER ",{'role':'user','content':[{'type':'text','text':'a'},{'type':'image_url',"
         "'image_url':{'url':'http://127.0.0.1:1/x.png'}}]}]",
         "messages[1].content[1].type"},
        {"[{'role':'user','content':[{'type':'input_audio'}]}]", "messages[0].content[0].type"},
        {"[{'role':'user','content':[{'type':'file'}]}]", "messages[0].content[0].type"},
        {"[{'role':'assistant','content':null,'function_call':{'name':'f'}}]",
         "messages[0].function_call"},
        {"[{'role':'assistant','content':null,'tool_calls':{}}]", "messages[0].tool_calls"},
        {"[{'role':'assistant','content':null,'tool_calls':[1]}]",
         "messages[0].tool_calls[0].function"},
    };
    char fields[512];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(fields, sizeof fields, "'messages':%s", bad[i].messages);
        asked_refused(ASK_CHAT, fields, 400, bad[i].param);
    }
    asked_refused(ASK_CHAT, "'chat_template_kwargs':[]", 400, "chat_template_kwargs");
    asked_refused(ASK_CHAT, "'documents':{}", 400, "documents");
}

/* A template that knows no tools gets none. */
static void test_unknown_tools(void **state)
{
    (void)state;
    const ead_template *whole = context.chat;
    context.chat = bare;
    expect_text("'messages':[" USER "],'tools':[],'documents':[]", "[user]a");
    asked_refused(ASK_CHAT, "'tools':[{'type':'function','function':{'name':'f'}}]", 400, "tools");
    asked_refused(ASK_CHAT, "'documents':[{'title':'t'}]", 400, "documents");
    asked_refused(ASK_CHAT,
                  "'messages':[" USER ",{'role':'assistant','content':null,'tool_calls':"
                  "[{'function':{'name':'f','arguments':'{}'}}]}]",
                  400, "messages[1].tool_calls");
    context.chat = NULL;
    context.chat_fault = "there is none";
    struct refusal why = asked_refused(ASK_CHAT, "", 400, "messages");
    assert_string_equal(why.message, "there is none");
    context.chat = whole;
    context.chat_fault = NULL;
}

/* What a template refuses is said, and where its file lies is not. */
static void test_template_faults(void **state)
{
    (void)state;
    static const char no[] = "'messages':[{'role':'user','content':'no'}]";
    struct refusal why = asked_refused(ASK_CHAT, no, 400, "messages");
    assert_non_null(strstr(why.message, "not that"));
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    struct tiny *file = tiny_model(&spec);
    tiny_set_str(file, "tokenizer.chat_template", knowing);
    ead_model *model = tiny_open_public(file);
    ead_template *own;
    ead_error error;
    assert_int_equal(ead_template_open(model, NULL, &own, &error), EAD_OK);
    const ead_template *whole = context.chat;
    context.chat = own;
    why = asked_refused(ASK_CHAT, no, 400, "messages");
    assert_non_null(strstr(why.message, "not that"));
    assert_null(strstr(why.message, "/"));
    context.chat = whole;
    ead_template_close(own);
    ead_model_close(model);
}

/* ---- the vocabulary ---------------------------------------------------------------------- */

typedef json_t *answerer(const struct ask_context *, const char *, size_t, struct refusal *);

static json_t *answer(answerer *of, const char *fields)
{
    struct refusal why = {0};
    char *body = asked_json(fields);
    json_t *out = of(&context, body, strlen(body), &why);
    if (!out) fail_msg("%s: %s", fields, why.message);
    free(body);
    return out;
}

static void refuse_answer(answerer *of, const char *fields, const char *param)
{
    struct refusal why = {0};
    char *body = asked_json(fields);
    assert_null(of(&context, body, strlen(body), &why));
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
    assert_int_equal(json_integer_value(json_object_get(out, "max_model_len")), ASKED_CONTEXT);
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
    /* The plain text is as long as its conversation, with the generation prompt or without. */
    assert_int_equal(count("{'messages':[" USER "]}"), count("{'prompt':'[user]a>'}"));
    assert_int_equal(count("{'messages':[" USER "],'add_generation_prompt':false}"),
                     count("{'prompt':'[user]a'}"));
    refuse_answer(vocabulary_tokenize, "{}", "prompt");
    refuse_answer(vocabulary_tokenize, "{'prompt':1}", "prompt");
    refuse_answer(vocabulary_tokenize, "{'prompt':'a','add_special_tokens':1}",
                  "add_special_tokens");
    refuse_answer(vocabulary_tokenize, "{'messages':[" USER "],'continue_final_message':true}",
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

/* lm_eval asks for the special tokens by their texts. */
static void test_tokenizer_info(void **state)
{
    (void)state;
    struct refusal why;
    json_t *out = vocabulary_info(&context, &why);
    assert_non_null(out);
    assert_string_equal(json_string_value(json_object_get(out, "bos_token")), "<s>");
    assert_string_equal(json_string_value(json_object_get(out, "eos_token")), "</s>");
    assert_true(json_is_null(json_object_get(out, "pad_token")));
    assert_int_equal(json_integer_value(json_object_get(out, "vocab_size")), context.n_vocab);
    assert_int_equal(json_integer_value(json_object_get(out, "model_max_length")), ASKED_CONTEXT);
    assert_true(json_is_string(json_object_get(out, "tokenizer_class")));
    json_decref(out);
}

/* ---- what clients send ------------------------------------------------------------------- */

/* Refused in clients.jsonl because they were not done when it was written. */
static bool is_done_now(const char *name)
{
    return !strcmp(name, "chat_refuse_frequency_penalty") ||
           !strcmp(name, "chat_refuse_presence_penalty") || !strcmp(name, "chat_refuse_logit_bias");
}

static void check_client(const json_t *line)
{
    const json_t *request = json_object_get(line, "request"),
                 *expect = json_object_get(line, "expect");
    const char *name = json_string_value(json_object_get(line, "name"));
    const char *path = json_string_value(json_object_get(request, "path"));
    const json_int_t status =
        is_done_now(name) ? 200 : json_integer_value(json_object_get(expect, "status"));
    const bool chat = !strcmp(path, "/v1/chat/completions");
    if (!chat && strcmp(path, "/v1/completions")) return;
    char *body = json_dumps(json_object_get(request, "body"), 0);
    struct ask a;
    struct refusal why = {.status = 200};
    const bool ok =
        ask_parse(&context, chat ? ASK_CHAT : ASK_COMPLETION, body, strlen(body), &a, &why);
    if (ok) {
        const json_t *choices = json_object_get(expect, "choices");
        if (choices) assert_int_equal(a.n * a.n_prompts, json_integer_value(choices));
        ask_free(&a);
    }
    if (why.status != status) fail_msg("%s: %d: %s", name, why.status, why.message);
    const char *param = json_string_value(json_object_get(expect, "param"));
    const char *code = json_string_value(json_object_get(expect, "code"));
    if (!ok && param) assert_string_equal(why.param, param);
    if (!ok && code) assert_string_equal(why.code, code);
    free(body);
}

static void test_clients(void **state)
{
    (void)state;
    FILE *lines = fopen(SHARED_DIR "/http/clients.jsonl", "r");
    if (!lines) skip();
    const struct ask_context whole = context;
    context.n_vocab = 512; /* its ids are those of another vocabulary */
    context.chat = bare;
    json_t *line;
    int n = 0;
    while ((line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL))) {
        check_client(line);
        json_decref(line);
        n++;
    }
    assert_true(n > 40);
    context = whole;
    fclose(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),      cmocka_unit_test(test_server_variables),
        cmocka_unit_test(test_tools),         cmocka_unit_test(test_bad_messages),
        cmocka_unit_test(test_unknown_tools), cmocka_unit_test(test_template_faults),
        cmocka_unit_test(test_tokenize),      cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_detokenize),    cmocka_unit_test(test_tokenizer_info),
        cmocka_unit_test(test_clients),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
