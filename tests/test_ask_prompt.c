/* What a request wants continued: prompts in all their shapes, messages, tools, and what the
 * template makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"

#include <stdio.h>
#include <stdlib.h>

static int use_tools(void **state)
{
    (void)state;
    asking.context.chat = asking.tools;
    return 0;
}

static int use_plain(void **state)
{
    (void)state;
    asking.context.chat = asking.plain;
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* ' stands for ". */
static bool parse(enum ask_kind kind, const char *text, struct ask *out, struct refusal *r)
{
    char body[2048];
    const int n = snprintf(body, sizeof body, "%s", text);
    assert_true(n > 0 && (size_t)n < sizeof body);
    for (char *c = body; *c; c++) *c = *c == '\'' ? '"' : *c;
    return ask_parse(&asking.context, kind, body, (size_t)n, out, r);
}

static const struct ask *read_as(enum ask_kind kind, const char *body)
{
    static struct ask ask;
    struct refusal r = {0};
    ask_free(&ask);
    if (!parse(kind, body, &ask, &r)) fail_msg("%s: %s", body, r.message);
    return &ask;
}

static void refused(enum ask_kind kind, const char *body, const char *code, const char *param,
                    const char *says)
{
    struct ask ask;
    struct refusal r = {0};
    if (parse(kind, body, &ask, &r)) fail_msg("%s: was read", body);
    if (r.status != 400 || strcmp(r.param, param) || !r.code || strcmp(r.code, code) ||
        !strstr(r.message, says))
        fail_msg("%s: %d, %s, \"%s\": %s", body, r.status, r.code, r.param, r.message);
    assert_null(ask.prompts);
}

/* ---- prompts ------------------------------------------------------------------------------- */

/* The ids of a text as the vocabulary has them. */
static void expect_text(const struct ask_prompt *p, const char *text, unsigned flags)
{
    int32_t *ids;
    size_t n;
    assert_false(ead_tokenize(asking.models[1], text, strlen(text), flags, &ids, &n, NULL));
    if (p->n != n || memcmp(p->ids, ids, n * sizeof *ids))
        fail_msg("%zu ids, not the %zu of \"%s\"", p->n, n, text);
    ead_free(ids);
}

static const struct ask *completion(const char *body)
{
    return read_as(ASK_COMPLETION, body);
}

static void test_texts(void **state)
{
    (void)state;
    const struct ask *a = completion("{'prompt':'abc'}");
    assert_int_equal(a->n_prompts, 1);
    expect_text(&a->prompts[0], "abc", EAD_ADD_BOS);
    assert_null(a->prompts[0].text);
    a = completion("{'prompt':'abc','add_special_tokens':false,'echo':true}");
    expect_text(&a->prompts[0], "abc", 0);
    assert_int_equal(a->prompts[0].bytes, 3);
    assert_memory_equal(a->prompts[0].text, "abc", 3);
    a = completion("{'prompt':['a','bcd'],'n':4}");
    assert_int_equal(a->n_prompts, 2);
    assert_int_equal(a->n, 4);
    expect_text(&a->prompts[1], "bcd", EAD_ADD_BOS);
    completion("{'prompt':['a','a','a','a','a','a','a','a']}");
    expect_text(&completion("{'prompt':'</s>a'}")->prompts[0], "</s>a",
                EAD_ADD_BOS | EAD_PARSE_SPECIAL);
}

static void test_ids(void **state)
{
    (void)state;
    char body[64];
    const struct ask *a = completion("{'prompt':[5,0,7],'echo':true}");
    assert_int_equal(a->n_prompts, 1);
    assert_int_equal(a->prompts[0].n, 3);
    assert_memory_equal(a->prompts[0].ids, ((int32_t[]){5, 0, 7}), 12);
    assert_null(a->prompts[0].text);
    a = completion("{'prompt':[[5],[0,7]]}");
    assert_int_equal(a->n_prompts, 2);
    assert_int_equal(a->prompts[1].n, 2);
    snprintf(body, sizeof body, "{'prompt':[%d]}", asking.context.n_vocab - 1);
    completion(body);
    snprintf(body, sizeof body, "{'prompt':[%d]}", asking.context.n_vocab);
    refused(ASK_COMPLETION, body, "invalid_value", "prompt", "entry 0");
}

static void bad_prompt(const char *prompt, const char *says)
{
    char body[512];
    snprintf(body, sizeof body, "{'prompt':%s}", prompt);
    refused(ASK_COMPLETION, body, "invalid_value", "prompt", says);
}

static void test_bad_prompts(void **state)
{
    (void)state;
    refused(ASK_COMPLETION, "{}", "invalid_value", "prompt", "found nothing");
    bad_prompt("null", "found null");
    bad_prompt("1", "found 1");
    bad_prompt("{}", "found an object");
    bad_prompt("true", "found true");
    bad_prompt("''", "found \"\"");
    bad_prompt("[]", "an array");
    bad_prompt("['']", "");
    bad_prompt("[[]]", "");
    bad_prompt("['a',1]", "not both");
    bad_prompt("['a',[1]]", "not both");
    bad_prompt("[[1],'a']", "not both");
    bad_prompt("[null]", "not both");
    bad_prompt("[true]", "not both");
    bad_prompt("[{}]", "not both");
    bad_prompt("[1,'a']", "entry 1: expected an id from 0 to ");
    bad_prompt("[1,'a']", "found \"a\"");
    bad_prompt("[1,[2]]", "found an array");
    bad_prompt("[[1],[2,null]]", "found null");
    bad_prompt("[1.5]", "found 1.5");
    bad_prompt("[2.0]", "entry 0");
    bad_prompt("[-1]", "found -1");
    bad_prompt("[4294967297]", "found 4294967297");
    bad_prompt("['a','a','a','a','a','a','a','a','a']", "at most 8 prompts");
    refused(ASK_COMPLETION, "{'prompt':'a','add_special_tokens':1}", "invalid_value",
            "add_special_tokens", "true or false");
    refused(ASK_COMPLETION, "{'prompt':['a','b'],'n':5}", "invalid_value", "n",
            "2 prompts times 5");
}

/* A prompt of n times an item. */
static char *many(const char *before, const char *item, const char *between, int n,
                  const char *after)
{
    static char body[2000];
    size_t at = (size_t)snprintf(body, sizeof body, "%s", before);
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(body + at, sizeof body - at, "%s%s", i ? between : "", item);
    snprintf(body + at, sizeof body - at, "%s", after);
    return body;
}

static void test_length(void **state)
{
    (void)state;
    static const char code[] = "context_length_exceeded";
    completion(many("{'prompt':[", "5", ",", ASKING_CTX, "]}"));
    refused(ASK_COMPLETION, many("{'prompt':[", "5", ",", ASKING_CTX + 1, "]}"), code, "prompt",
            "64 tokens, found 65");
    refused(ASK_COMPLETION, many("{'prompt':'", "\xe2\x82\xac", "", 30, "'}"), code, "prompt",
            "64 tokens, found 9");
    refused(ASK_CHAT,
            many("{'messages':[{'role':'user','content':'", "\xe2\x82\xac", "", 30, "'}]}"), code,
            "messages", "64 tokens");
}

/* ---- messages ------------------------------------------------------------------------------ */

/* What the template makes of the messages and what stands beside them. */
static void renders(const char *messages, const char *more, const char *text)
{
    char body[1024];
    snprintf(body, sizeof body, "{'messages':%s%s%s}", messages, *more ? "," : "", more);
    const struct ask *a = read_as(ASK_CHAT, body);
    assert_int_equal(a->n_prompts, 1);
    expect_text(&a->prompts[0], text, EAD_ADD_BOS | EAD_PARSE_SPECIAL);
}

static void bad_chat(const char *messages, const char *param, const char *says)
{
    char body[1024];
    snprintf(body, sizeof body, "{'messages':%s}", messages);
    refused(ASK_CHAT, body, "invalid_value", param, says);
}

static void test_messages(void **state)
{
    (void)state;
    renders("[{'role':'user','content':'hi'}]", "", "u:hi\n");
    renders("[{'role':'system','content':''},{'role':'user','content':'a'}]", "", "s:\nu:a\n");
    renders("[{'role':'developer','content':'d'}]", "", "s:d\n");
    renders("[{'role':'user','content':'a','name':'me'},{'role':'assistant','content':'b'},"
            "{'role':'tool','content':'c','tool_call_id':'1'},{'role':'function','content':'d'}]",
            "", "u:a\na:b\nt:c\nf:d\n");
    renders("[{'role':'user','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}]",
            "", "u:a\nb\n");
    renders("[{'role':'user','content':[{'type':'input_text','text':'a'}]},"
            "{'role':'assistant','content':[{'type':'output_text','text':''}]},"
            "{'role':'user','content':[]}]",
            "", "u:a\na:\nu:\n");
    renders("[{'role':'assistant','content':'x','tool_calls':null},"
            "{'role':'assistant','content':'y','tool_calls':[]}]",
            "", "a:x\na:y\n");
}

static void test_bad_messages(void **state)
{
    (void)state;
    refused(ASK_CHAT, "{}", "invalid_value", "messages", "found nothing");
    bad_chat("null", "messages", "found null");
    bad_chat("[]", "messages", "at least one");
    bad_chat("{}", "messages", "found an object");
    bad_chat("'hi'", "messages", "found \"hi\"");
    bad_chat("[1]", "messages[0]", "found 1");
    bad_chat("[{'role':'user','content':'a'},null]", "messages[1]", "found null");
    bad_chat("[{'content':'a'}]", "messages[0].role", "found nothing");
    bad_chat("[{'role':'robot','content':'a'}]", "messages[0].role", "found \"robot\"");
    bad_chat("[{'role':1,'content':'a'}]", "messages[0].role", "");
    bad_chat("[{'role':'user'}]", "messages[0].content", "found nothing");
    bad_chat("[{'role':'user','content':null}]", "messages[0].content", "found null");
    bad_chat("[{'role':'user','content':1}]", "messages[0].content", "found 1");
    bad_chat("[{'role':'user','content':{}}]", "messages[0].content", "found an object");
    bad_chat("[{'role':'assistant','content':null,'tool_calls':[]}]", "messages[0].content",
             "found null");
}

static void test_parts(void **state)
{
    (void)state;
    bad_chat("[{'role':'user','content':'a'},{'role':'user','content':[{'type':'text','text':'a'},"
             "{'type':'image_url','image_url':{'url':'file:///etc/passwd'}}]}]",
             "messages[1].content[1].type", "found \"image_url\"");
    bad_chat("[{'role':'user','content':[{'type':'input_audio'}]}]", "messages[0].content[0].type",
             "input_audio");
    bad_chat("[{'role':'user','content':[{'text':'a'}]}]", "messages[0].content[0].type",
             "nothing");
    bad_chat("[{'role':'user','content':['a']}]", "messages[0].content[0].type", "nothing");
    bad_chat("[{'role':'user','content':[null]}]", "messages[0].content[0].type", "nothing");
    bad_chat("[{'role':'user','content':[{'type':1}]}]", "messages[0].content[0].type", "found 1");
    bad_chat("[{'role':'user','content':[{'type':'text'}]}]", "messages[0].content[0].text",
             "found nothing");
    bad_chat("[{'role':'user','content':[{'type':'text','text':1}]}]",
             "messages[0].content[0].text", "found 1");
}

/* ---- tools --------------------------------------------------------------------------------- */

static const char user[] = "[{'role':'user','content':'a'}]";
static const char tools[] = "'tools':[{'type':'function','function':{'name':'add'}}]";

static void test_tools(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "1", "null", "{}", "{'function':1}", "{'function':{}}", "{'function':{'name':1}}"};
    renders(user, tools, "[add]u:a\n");
    renders(user, "'tools':[]", "u:a\n");
    renders(user, "'tools':null", "u:a\n");
    renders(user, "'tool_choice':'auto','tools':[{'function':{'name':'f'}}]", "[f]u:a\n");
    renders(user, "'tool_choice':'none','tools':[{'function':{'name':'f'}}]", "u:a\n");
    renders("[{'role':'assistant','content':null,'tool_calls':[{'id':'1','type':'function',"
            "'function':{'name':'f','arguments':'{\\'a\\':[7]}'}}]}]",
            "", "a:None(f [7])\n");
    renders("[{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':{'a':'x'}}}]}]",
            "", "a:None(f x)\n");
    /* What is no JSON stays a text, which has no parts. */
    renders("[{'role':'assistant','content':'','tool_calls':[{'function':{'name':'f',"
            "'arguments':'{'}}]}]",
            "", "a:(f )\n");
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}],'tools':{}}", "invalid_value",
            "tools", "an array");
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}],'tool_choice':'required'}",
            "unsupported_value", "tool_choice", "not supported");
    bad_chat("[{'role':'assistant','content':'a','tool_calls':{}}]", "messages[0].tool_calls",
             "found an object");
    bad_chat("[{'role':'assistant','content':'a','tool_calls':'x'}]", "messages[0].tool_calls",
             "found \"x\"");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char messages[128];
        snprintf(messages, sizeof messages,
                 "[{'role':'assistant','content':'','tool_calls':[{'function':{'name':'f'}},%s]}]",
                 calls[i]);
        bad_chat(messages, "messages[0].tool_calls[1].function", "an object with a name");
    }
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}],'tools':[1]}", "invalid_value",
            "tools[0]", "has a name");
    renders(user, "'documents':['d','e']", "u:a\nde");
}

static void test_no_tools(void **state)
{
    (void)state;
    renders(user, "'tools':[]", "u:a\n");
    renders(user, "'tool_choice':'none','tools':[{'function':{'name':'f'}}]", "u:a\n");
    renders("[{'role':'assistant','content':'x','tool_calls':[]}]", "", "a:x\n");
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}],'tools':[{}]}",
            "unsupported_value", "tools", "knows none");
    bad_chat(
        "[{'role':'user','content':'a'},{'role':'assistant','content':null,'tool_calls':[{}]}]",
        "messages[1].tool_calls", "knows no tools");
}

/* ---- the template -------------------------------------------------------------------------- */

static void test_variables(void **state)
{
    (void)state;
    renders(user, "'chat_template_kwargs':{'mood':'good'}", "u:a\ngood");
    renders(user, "'chat_template_kwargs':null", "u:a\n");
    asking.context.variables = "{\"mood\":\"bad\"}";
    renders(user, "", "u:a\nbad");
    renders(user, "'chat_template_kwargs':{'mood':'good'}", "u:a\ngood");
    asking.context.variables = NULL;
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}],'chat_template_kwargs':[]}",
            "invalid_value", "chat_template_kwargs", "an object");
}

static void test_template_refuses(void **state)
{
    (void)state;
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'refuse'}]}", "template", "messages",
            "no");
}

static void test_no_template(void **state)
{
    (void)state;
    asking.context.chat = NULL;
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}]}", "no_template", "messages",
            "--chat-template");
    completion("{'prompt':'a'}");
}

/* ---- what cannot be continued --------------------------------------------------------------- */

/* A vocabulary without BOS, and a template that says nothing. */
static void test_nothing(void **state)
{
    (void)state;
    ead_template *silent = asking_template("");
    asking.context.chat = silent;
    ead_model *const large = asking.models[EAD_LARGE];
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *file = tiny_model(&spec);
    tiny_set_bool(file, "tokenizer.ggml.add_bos_token", false);
    ead_model *bare = tiny_open_public(file);
    tiny_free(file);
    asking.context.models[EAD_LARGE] = bare;
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'a'}]}", "invalid_value", "messages",
            "at least one token, found none");
    asking.context.models[EAD_LARGE] = large;
    ead_model_close(bare);
    asking.context.chat = asking.plain;
    ead_template_close(silent);
}

/* The model that cuts texts has a token more than the other one. */
static void test_token_of_one_model(void **state)
{
    (void)state;
    const int n = asking.context.n_vocab--;
    refused(ASK_COMPLETION, "{'prompt':'az'}", "invalid_value", "prompt", "found");
    refused(ASK_COMPLETION, "{'prompt':['a','az']}", "invalid_value", "prompt", "found");
    refused(ASK_CHAT, "{'messages':[{'role':'user','content':'az'}]}", "invalid_value", "messages",
            "which both models have");
    completion("{'prompt':'ab'}");
    asking.context.n_vocab = n;
}

/* ---- one model alone ----------------------------------------------------------------------- */

static void test_either_speaks(void **state)
{
    (void)state;
    for (int w = 0; w < EAD_WRITERS; w++) {
        asking.context.models[w] = NULL;
        expect_text(&completion("{'prompt':'abc'}")->prompts[0], "abc", EAD_ADD_BOS);
        asking.context.models[w] = asking.models[w];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_bad_prompts),
        cmocka_unit_test(test_length),
        cmocka_unit_test_setup(test_messages, use_plain),
        cmocka_unit_test_setup(test_bad_messages, use_tools),
        cmocka_unit_test_setup(test_parts, use_plain),
        cmocka_unit_test_setup(test_tools, use_tools),
        cmocka_unit_test_setup(test_no_tools, use_plain),
        cmocka_unit_test_setup(test_variables, use_plain),
        cmocka_unit_test_setup(test_template_refuses, use_plain),
        cmocka_unit_test_setup(test_no_template, use_plain),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test_setup(test_token_of_one_model, use_plain),
        cmocka_unit_test(test_either_speaks),
    };
    return cmocka_run_group_tests_name("ask_prompt", tests, asking_set_up, asking_tear_down);
}
