/* Requests for text: what their fields become, and which are refused for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asked.h"
#include "server/field.h"

#include <pthread.h>
#include <unistd.h>

static int set_up(void **state)
{
    (void)state;
    asked_open("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    asked_close();
    return 0;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void test_refused_of_both(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *param;
        int status;
    } bad[] = {
        {"'model':'gpt-4o'", "model", 404},
        {"'model':''", "model", 404},
        {"'model':1", "model", 400},
        {"'max_tokens':'x'", "max_tokens", 400},
        {"'max_tokens':true", "max_tokens", 400},
        {"'max_tokens':1.5", "max_tokens", 400},
        {"'max_tokens':-2", "max_tokens", 400},
        {"'max_tokens':1e300", "max_tokens", 400},
        {"'max_tokens':2147483648", "max_tokens", 400},
        {"'max_tokens':3,'max_completion_tokens':4", "max_completion_tokens", 400},
        {"'temperature':-0.1", "temperature", 400},
        {"'temperature':'1'", "temperature", 400},
        {"'temperature':false", "temperature", 400},
        {"'top_p':1.01", "top_p", 400},
        {"'min_p':-1", "min_p", 400},
        {"'top_k':-2", "top_k", 400},
        {"'repeat_penalty':0", "repeat_penalty", 400},
        {"'repetition_penalty':-1", "repetition_penalty", 400},
        {"'presence_penalty':2.5", "presence_penalty", 400},
        {"'frequency_penalty':-3", "frequency_penalty", 400},
        {"'seed':0.5", "seed", 400},
        {"'n':0", "n", 400},
        {"'n':9", "n", 400},
        {"'n':true", "n", 400},
        {"'stream':1", "stream", 400},
        {"'stream':'true'", "stream", 400},
        {"'stream_options':{'include_usage':true}", "stream_options", 400},
        {"'stream':false,'stream_options':{}", "stream_options", 400},
        {"'stream':true,'stream_options':[]", "stream_options", 400},
        {"'stream':true,'stream_options':{'include_usage':1}", "stream_options.include_usage", 400},
        {"'stop':1", "stop", 400},
        {"'stop':['a',null]", "stop", 400},
        {"'stop':[['a']]", "stop", 400},
        {"'stop':['1','2','3','4','5','6','7','8','9','a','b','c','d','e','f','g','h']", "stop",
         400},
        {"'stop_token_ids':3", "stop_token_ids", 400},
        {"'stop_token_ids':[-1]", "stop_token_ids", 400},
        {"'stop_token_ids':[2.0]", "stop_token_ids", 400},
        {"'ignore_eos':0", "ignore_eos", 400},
        {"'best_of':2", "best_of", 400},
        {"'suffix':'b'", "suffix", 400},
        {"'functions':[{'name':'f'}]", "functions", 400},
        {"'tool_choice':'required'", "tool_choice", 400},
        {"'tool_choice':{'type':'function','function':{'name':'f'}}", "tool_choice", 400},
        {"'response_format':{'type':'json_object'}", "response_format", 400},
        {"'response_format':{'type':'json_schema','json_schema':{}}", "response_format", 400},
        {"'guided_json':{}", "guided_json", 400},
        {"'structured_outputs':{'choice':['a']}", "structured_outputs", 400},
        {"'use_beam_search':true", "use_beam_search", 400},
        {"'modalities':['text','audio']", "modalities", 400},
        {"'chat_template':'{{ 1 }}'", "chat_template", 400},
        {"'min_tokens':3", "min_tokens", 400},
        {"'logit_bias':[]", "logit_bias", 400},
        {"'logit_bias':{'a':1}", "logit_bias", 400},
        {"'logit_bias':{'':1}", "logit_bias", 400},
        {"'logit_bias':{' 5':1}", "logit_bias", 400},
        {"'logit_bias':{'+5':1}", "logit_bias", 400},
        {"'logit_bias':{'-5':1}", "logit_bias", 400},
        {"'logit_bias':{'05':1}", "logit_bias", 400}, /* and '5' would be one token twice */
        {"'logit_bias':{'99999999999999999999':1}", "logit_bias", 400},
        {"'logit_bias':{'100000':1}", "logit_bias", 400},
        {"'logit_bias':{'5':101}", "logit_bias", 400},
        {"'logit_bias':{'5':'1'}", "logit_bias", 400},
        {"'logit_bias':{'5':true}", "logit_bias", 400},
        {"'ead':1", "ead", 400},
        {"'ead':[]", "ead", 400},
        {"'ead':{'trace':1}", "ead.trace", 400},
        {"'ead':{'tau':'1'}", "ead.tau", 400},
        {"'ead':{'window':0}", "ead.window", 400},
        {"'ead':{'window':1025}", "ead.window", 400},
        {"'ead':{'dwell':0}", "ead.dwell", 400},
        {"'ead':{'dwell':1.5}", "ead.dwell", 400},
        {"'ead':{'share':1.1}", "ead.share", 400},
        {"'ead':{'horizon':4097}", "ead.horizon", 400},
        {"'ead':{'start':'middle'}", "ead.start", 400},
        {"'ead':{'start':1}", "ead.start", 400},
        {"'ead':{'clear_window':1}", "ead.clear_window", 400},
        {"'ead':{'clear-window':1}", "ead.clear-window", 400},
        {"'ead':{'policy':1}", "ead.policy", 400},
        {"'ead':{'policy':'none'}", "ead.policy", 400},
        {"'ead':{'policy':'replay'}", "ead.policy", 400},
        {"'ead':{'policy':'custom'}", "ead.policy", 400},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int kind = ASK_CHAT; kind <= ASK_COMPLETION; kind++)
            asked_refused((enum ask_kind)kind, bad[i].fields, bad[i].status, bad[i].param);
}

static void test_refused_of_one(void **state)
{
    (void)state;
    static const struct {
        enum ask_kind kind;
        const char *fields, *param;
    } bad[] = {
        {ASK_CHAT, "'max_tokens':0", "max_tokens"},
        {ASK_CHAT, "'max_completion_tokens':0", "max_completion_tokens"},
        {ASK_CHAT, "'logprobs':1", "logprobs"},
        {ASK_CHAT, "'logprobs':true,'top_logprobs':21", "top_logprobs"},
        {ASK_CHAT, "'logprobs':true,'top_logprobs':-1", "top_logprobs"},
        {ASK_CHAT, "'logprobs':false,'top_logprobs':2", "top_logprobs"},
        {ASK_CHAT, "'echo':true", "echo"},
        {ASK_CHAT, "'continue_final_message':true", "continue_final_message"},
        {ASK_CHAT, "'add_generation_prompt':1", "add_generation_prompt"},
        {ASK_COMPLETION, "'logprobs':true", "logprobs"},
        {ASK_COMPLETION, "'logprobs':21", "logprobs"},
        {ASK_COMPLETION, "'echo':1", "echo"},
        {ASK_COMPLETION, "'add_special_tokens':1", "add_special_tokens"},
        {ASK_COMPLETION, "'prompt':''", "prompt"},
        {ASK_COMPLETION, "'prompt':null", "prompt"},
        {ASK_COMPLETION, "'prompt':[]", "prompt"},
        {ASK_COMPLETION, "'prompt':[[]]", "prompt"},
        {ASK_COMPLETION, "'prompt':['']", "prompt"},
        {ASK_COMPLETION, "'prompt':7", "prompt"},
        {ASK_COMPLETION, "'prompt':{}", "prompt"},
        {ASK_COMPLETION, "'prompt':['a',[1]]", "prompt"},
        {ASK_COMPLETION, "'prompt':[[1],'a']", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,'a']", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,[2]]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,true]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,null]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,-1]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,2.0]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,100000]", "prompt"},
        {ASK_COMPLETION, "'prompt':[1,4294967297]", "prompt"},
        {ASK_COMPLETION, "'prompt':['1','2','3','4','5','6','7','8','9']", "prompt"},
        {ASK_COMPLETION, "'prompt':['1','2','3'],'n':3", "n"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        asked_refused(bad[i].kind, bad[i].fields, 400, bad[i].param);
}

/* What is wrong is said as it was sent. */
static void test_sentences(void **state)
{
    (void)state;
    struct refusal why = asked_refused(ASK_COMPLETION, "'prompt':[1,2.0]", 400, "prompt");
    assert_non_null(strstr(why.message, "prompt: entry 1: expected an id from 0 to "));
    assert_non_null(strstr(why.message, ", found 2.0"));
    why = asked_refused(ASK_CHAT, "'n':'many'", 400, "n");
    assert_string_equal(why.message, "n: expected a whole number from 1 to 8, found \"many\"");
    why = asked_refused(ASK_CHAT, "'model':'gpt-4o'", 404, "model");
    assert_string_equal(why.code, "model_not_found");
}

/* ---- values ------------------------------------------------------------------------------ */

static void test_neutral(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "'n':1,'frequency_penalty':0,'presence_penalty':0.0,'logit_bias':{},'best_of':1.0",
        "'response_format':{'type':'text'},'service_tier':'auto','store':false,'metadata':{'a':'b'"
        "}",
        "'user':'u','reasoning_effort':'low','modalities':['text'],'tool_choice':'auto'",
        "'functions':[],'function_call':'auto','suffix':'','use_beam_search':false,'min_tokens':0",
        "'tools':null,'audio':null,'prediction':null,'web_search_options':null,'guided_json':null",
        "'stop':null,'stop_token_ids':null,'ead':null,'model':null,'n':null,'seed':null",
        "'stream':null,'stream_options':null,'logprobs':null,'top_logprobs':null,'echo':null",
        "'temperature':null,'top_p':null,'top_k':null,'max_tokens':null,'ignore_eos':null",
        "'stop':[],'stop_token_ids':[],'ead':{},'bad_words':[],'documents':[]",
        "'ead':{'tau':null,'policy':null,'trace':null,'unheard_of':1},'no_such':[{}],'num_ctx':9",
        "'tools':[],'parallel_tool_calls':false",
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int kind = ASK_CHAT; kind <= ASK_COMPLETION; kind++) {
            struct ask a = asked((enum ask_kind)kind, fields[i]);
            assert_int_equal(a.max_tokens, kind == ASK_CHAT ? -1 : 16);
            assert_int_equal(a.n, 1);
            assert_int_equal(a.n_stops, 0);
            assert_int_equal(a.sampler.n_bias, 0);
            assert_int_equal(a.logprobs, -1);
            assert_int_equal(a.policy.kind, context.policy.kind);
            assert_false(a.stream || a.include_usage || a.trace || a.echo);
            ask_free(&a);
        }
}

static void test_values(void **state)
{
    (void)state;
    struct ask a = asked(
        ASK_CHAT, "'model':'ead','max_completion_tokens':7.0,'temperature':0.5,'top_p':0.25,"
                  "'top_k':40,'min_p':0.125,'repetition_penalty':1.5,'presence_penalty':-1,"
                  "'frequency_penalty':2,'repeat_last_n':-1,'seed':-9,'n':3,'stop':['ab','','c'],"
                  "'stop_token_ids':[3,0],'stream':true,'stream_options':{'include_usage':true},"
                  "'logprobs':true,'top_logprobs':20,'return_tokens_as_token_ids':true");
    assert_int_equal(a.max_tokens, 7);
    assert_true(a.sampler.temperature == 0.5f && a.sampler.top_p == 0.25f);
    assert_true(a.sampler.min_p == 0.125f && a.sampler.repeat_penalty == 1.5f);
    assert_true(a.sampler.presence_penalty == -1 && a.sampler.frequency_penalty == 2);
    assert_int_equal(a.sampler.top_k, 40);
    assert_int_equal(a.sampler.repeat_last, 0);
    assert_true(a.sampler.seed == (uint64_t)-9);
    assert_int_equal(a.n, 3);
    assert_int_equal(a.n_stops, 2); /* an empty one ends nothing */
    assert_int_equal(a.stops[0].bytes, 2);
    assert_memory_equal(a.stops[0].text, "ab", 2);
    assert_int_equal(a.n_stop_ids, 2);
    assert_int_equal(a.stop_ids[0], 3);
    assert_true(a.stream && a.include_usage && a.tokens_as_ids);
    assert_int_equal(a.logprobs, 20);
    ask_free(&a);
    a = asked(ASK_CHAT, "'logprobs':true,'max_tokens':-1,'top_k':-1,'top_p':0,'stop':'x'");
    assert_int_equal(a.logprobs, 0);
    assert_int_equal(a.max_tokens, -1);
    assert_int_equal(a.sampler.top_k, 0);
    assert_true(a.sampler.top_p > 0);
    assert_int_equal(a.n_stops, 1);
    ask_free(&a);
    a = asked(ASK_COMPLETION, "'max_tokens':0,'max_completion_tokens':0,'echo':true,'logprobs':0");
    assert_int_equal(a.max_tokens, 0);
    assert_int_equal(a.logprobs, 0);
    assert_true(a.echo);
    ask_free(&a);
}

static void test_biases(void **state)
{
    (void)state;
    struct ask a = asked(ASK_CHAT, "'logit_bias':{'5':-100,'0':1.5},'ignore_eos':true");
    int ends = 0, own = 0;
    for (int32_t id = 0; id < context.n_vocab; id++)
        ends += ead_token_is_end(context.models[0], id);
    assert_true(ends > 0);
    assert_ptr_equal(a.sampler.bias, a.bias);
    assert_int_equal(a.sampler.n_bias, 2 + ends);
    for (int i = 0; i < a.sampler.n_bias; i++) {
        own += a.bias[i].id == 0 && a.bias[i].bias == 1.5f;
        assert_true(a.bias[i].id == 0 || a.bias[i].bias == -100);
    }
    assert_int_equal(own, 1);
    ask_free(&a);
    char fields[64]; /* what is forbidden cannot be wished for */
    snprintf(fields, sizeof fields, "'logit_bias':{'%d':50},'ignore_eos':true", TINY_EOS);
    a = asked(ASK_CHAT, fields);
    assert_int_equal(a.sampler.n_bias, ends);
    for (int i = 0; i < ends; i++) assert_true(a.bias[i].bias == -100);
    ask_free(&a);
}

static void test_seeds(void **state)
{
    (void)state;
    struct ask a = asked(ASK_CHAT, "'seed':5,'n':4"), b = asked(ASK_CHAT, "'seed':5,'n':4");
    assert_true(ask_seed(&a, 0) == 5);
    for (int i = 0; i < 4; i++) {
        assert_true(ask_seed(&a, i) == ask_seed(&b, i));
        for (int k = 0; k < i; k++) assert_true(ask_seed(&a, i) != ask_seed(&a, k));
    }
    ask_free(&a);
    ask_free(&b);
    a = asked(ASK_CHAT, ""), b = asked(ASK_CHAT, "'seed':-1");
    assert_true(ask_seed(&a, 0) != ask_seed(&b, 0));
    ask_free(&a);
    ask_free(&b);
}

/* ---- who writes -------------------------------------------------------------------------- */

static void test_policy(void **state)
{
    (void)state;
    struct ask a = asked(ASK_COMPLETION,
                         "'ead':{'policy':'random','tau':-1.5,'window':1024,'dwell':1,'share':0.5,"
                         "'horizon':4096,'start':'large','clear_window':true,'trace':true}");
    assert_int_equal(a.policy.kind, EAD_POLICY_RANDOM);
    assert_true(a.policy.tau == -1.5 && a.policy.share == 0.5);
    assert_true(a.policy.window == 1024 && a.policy.dwell == 1 && a.policy.horizon == 4096);
    assert_int_equal(a.policy.start, EAD_LARGE);
    assert_true(a.policy.clear_window && a.trace);
    ask_free(&a);
    a = asked(ASK_CHAT, "'ead':{'clear-window':true}");
    assert_true(a.policy.clear_window);
    ask_free(&a);
    a = asked(ASK_CHAT, "'model':'large','ead':{'tau':2}");
    assert_int_equal(a.target, ASK_LARGE);
    assert_int_equal(a.policy.kind, EAD_POLICY_LARGE);
    ask_free(&a);
    a = asked(ASK_CHAT, "'model':'small'");
    assert_int_equal(a.target, ASK_SMALL);
    assert_int_equal(a.policy.kind, EAD_POLICY_SMALL);
    ask_free(&a);
}

static void test_one_model(void **state)
{
    (void)state;
    const struct ask_context both = context;
    context.models[EAD_LARGE] = NULL;
    context.policy.kind = EAD_POLICY_SMALL;
    assert_string_equal(asked_refused(ASK_CHAT, "'model':'large'", 404, "model").code,
                        "model_not_found");
    asked_refused(ASK_CHAT, "'ead':{'policy':'large'}", 400, "ead.policy");
    struct ask a = asked(ASK_CHAT, "'model':'small','ead':{'policy':'small'}");
    ask_free(&a);
    context = both;
}

/* What is read is what a text takes: nothing that a request may say is refused later. */
static void test_taken(void **state)
{
    (void)state;
    static const char *const edges[] = {
        "'temperature':100,'top_p':0,'top_k':16777216,'min_p':1,'repeat_penalty':0.001",
        "'top_p':1e-300,'min_p':1e-300,'repetition_penalty':1000,'repeat_last_n':2048",
        "'temperature':1e-300,'presence_penalty':2,'frequency_penalty':-2",
        "'logit_bias':{'5':-100,'6':100},'ignore_eos':true,'seed':9223372036854775807",
        "'ead':{'tau':-1e18,'dwell':2147483647,'policy':'ead'}",
        "'ead':{'share':0,'horizon':0,'policy':'random'}",
        "'ead':{'share':1,'horizon':4096,'dwell':2147483647,'policy':'random'}",
    };
    ead_error error = {0};
    ead_duo *duo;
    ead_duo_options options = ead_duo_defaults();
    options.n_ctx = 32;
    options.threads = 1;
    assert_int_equal(
        ead_duo_open(context.models[EAD_LARGE], context.models[EAD_SMALL], &options, &duo, &error),
        EAD_OK);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        struct ask a = asked(ASK_CHAT, edges[i]);
        if (ead_duo_set_sampler(duo, &a.sampler, &error) ||
            ead_duo_set_policy(duo, &a.policy, &error))
            fail_msg("%s: %s", edges[i], error.message);
        ask_free(&a);
    }
    ead_duo_close(duo);
}

/* ---- prompts ----------------------------------------------------------------------------- */

static void expect_ids(const struct ask_prompt *p, const char *text, unsigned flags)
{
    ead_error error;
    int32_t *ids;
    size_t n;
    assert_int_equal(ead_tokenize(context.models[0], text, strlen(text), flags, &ids, &n, &error),
                     EAD_OK);
    assert_int_equal(p->n, n);
    assert_memory_equal(p->ids, ids, n * sizeof *ids);
    ead_free(ids);
}

static void test_prompts(void **state)
{
    (void)state;
    const unsigned usual = EAD_PARSE_SPECIAL | EAD_ADD_BOS;
    struct ask a = asked(ASK_COMPLETION, "'prompt':'a</s>b'");
    expect_ids(&a.prompts[0], "a</s>b", usual);
    assert_int_equal(a.prompts[0].ids[0], TINY_BOS);
    assert_null(a.prompts[0].text);
    ask_free(&a);
    a = asked(ASK_COMPLETION, "'prompt':'ab','add_special_tokens':false,'echo':true");
    expect_ids(&a.prompts[0], "ab", EAD_PARSE_SPECIAL);
    assert_int_equal(a.prompts[0].bytes, 2);
    assert_memory_equal(a.prompts[0].text, "ab", 2);
    ask_free(&a);
    a = asked(ASK_COMPLETION, "'prompt':['ab','c'],'n':4");
    assert_int_equal(a.n_prompts, 2);
    expect_ids(&a.prompts[1], "c", usual);
    ask_free(&a);
    a = asked(ASK_COMPLETION, "'prompt':[[1,5],[7]],'echo':true");
    assert_int_equal(a.n_prompts, 2);
    assert_int_equal(a.prompts[0].n, 2);
    assert_int_equal(a.prompts[0].ids[1], 5);
    assert_int_equal(a.prompts[1].ids[0], 7);
    assert_null(a.prompts[1].text);
    ask_free(&a);
    a = asked(ASK_COMPLETION, "'prompt':[3]");
    assert_int_equal(a.prompts[0].n, 1); /* ids are taken as they are: no BOS */
    ask_free(&a);
}

static char *repeat(const char *begin, const char *part, int n, const char *end)
{
    char *out = tiny_must(calloc(1, strlen(begin) + (size_t)n * strlen(part) + strlen(end) + 1));
    char *to = stpcpy(out, begin);
    for (int i = 0; i < n; i++) to = stpcpy(to, part);
    strcpy(to, end);
    return out;
}

static void test_lengths(void **state)
{
    (void)state;
    char *full = repeat("'prompt':[1", ",5", ASKED_CONTEXT - 1, "]");
    struct ask a = asked(ASK_COMPLETION, full);
    assert_int_equal(a.prompts[0].n, ASKED_CONTEXT);
    ask_free(&a);
    free(full);
    char *ids = repeat("'prompt':[1", ",5", ASKED_CONTEXT, "]");
    char *text = repeat("'prompt':'", "ab c", ASKED_CONTEXT, "'");
    char *chat = repeat("'messages':[{'role':'user','content':'", "ab c", ASKED_CONTEXT, "'}]");
    struct refusal why = asked_refused(ASK_COMPLETION, ids, 400, "prompt");
    assert_string_equal(why.code, "context_length_exceeded");
    assert_non_null(strstr(why.message, "200 tokens, found 201"));
    asked_refused(ASK_COMPLETION, text, 400, "prompt");
    why = asked_refused(ASK_CHAT, chat, 400, "messages");
    assert_string_equal(why.code, "context_length_exceeded");
    free(ids);
    free(text);
    free(chat);
    char *stop = repeat("'stop':'", "x", ASK_STOP_BYTES_MAX, "'");
    a = asked(ASK_CHAT, stop);
    ask_free(&a);
    free(stop);
    stop = repeat("'stop':'", "x", ASK_STOP_BYTES_MAX + 1, "'");
    asked_refused(ASK_CHAT, stop, 400, "stop");
    free(stop);
    stop = repeat("'stop_token_ids':[3", ",3", ASK_STOP_IDS_MAX, "]");
    asked_refused(ASK_CHAT, stop, 400, "stop_token_ids");
    free(stop);
}

/* ---- bodies ------------------------------------------------------------------------------ */

static struct refusal refuse_body(const char *body, size_t n)
{
    struct ask a;
    struct refusal why = {0};
    assert_false(ask_parse(&context, ASK_COMPLETION, body, n, &a, &why));
    assert_true(why.status == 400 || why.status == 413);
    assert_true(why.message[0] != 0);
    json_t *answer = refusal_json(&why);
    assert_non_null(answer);
    json_decref(answer);
    return why;
}

static void test_bodies(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "[1]",
                                      "1",
                                      "null",
                                      "\"a\"",
                                      "{",
                                      "{\"prompt\"}",
                                      "{'a':1}",
                                      "{\"prompt\":\"a\"} x",
                                      "{\"prompt\":\"\xff\"}",
                                      "{\"prompt\":\"a\xc3\"}",
                                      "{\"prompt\":\"\\ud800\"}",
                                      "{\"prompt\":NaN}",
                                      "{\"prompt\":1e999}",
                                      "{\"seed\":99999999999999999999}",
                                      "\xef\xbb\xbf{\"prompt\":\"a\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct refusal why = refuse_body(bad[i], strlen(bad[i]));
        assert_string_equal(why.code, "invalid_json");
        assert_string_equal(why.param, "");
    }
    struct refusal why = refuse_body("{\n \"n\": x}", 10);
    assert_non_null(strstr(why.message, "line 2, column "));
    why = refuse_body("{\"prompt\":\"a\\u0000b\"}", 21);
    assert_non_null(strstr(why.message, "\\u0000"));
    why = refuse_body("{\"\\u0000\":1}", 12);
    assert_non_null(strstr(why.message, "\\u0000"));
    refuse_body("{\"prompt\":\"a\0\"}", 15);
    struct ask a = asked(ASK_COMPLETION, "'n':2,'n':3"); /* the later one counts */
    assert_int_equal(a.n, 3);
    ask_free(&a);
}

static void test_cut_bodies(void **state)
{
    (void)state;
    char *body =
        asked_body(ASK_COMPLETION, "'stop':['\\u00e9'],'ead':{'tau':1.5},'prompt':[[1],[2]]");
    for (size_t n = 0; n < strlen(body); n++) {
        char *exact = tiny_must(malloc(n ? n : 1)); /* so that a sanitizer sees a read past it */
        memcpy(exact, body, n);
        refuse_body(exact, n);
        free(exact);
    }
    free(body);
}

/* Values take many times the bytes of a body: as many as are allowed are read, one more is not. */
static void test_heavy_bodies(void **state)
{
    (void)state;
    const char *const begin = "{\"prompt\":\"a\",\"x\":[0", *const end = "]}";
    char *body = repeat(begin, ",[]", FIELD_GROUPS_MAX - 2, end);
    struct ask a;
    struct refusal why;
    assert_true(ask_parse(&context, ASK_COMPLETION, body, strlen(body), &a, &why));
    ask_free(&a);
    free(body);
    body = repeat(begin, ",{}", FIELD_GROUPS_MAX - 1, end);
    assert_int_equal(refuse_body(body, strlen(body)).status, 413);
    free(body);
    body = repeat(begin, ",0", FIELD_COMMAS_MAX, end);
    assert_int_equal(refuse_body(body, strlen(body)).status, 413);
    free(body);
    body = repeat("{\"prompt\":\"a\",\"x\":\"\\\"", "[,", FIELD_COMMAS_MAX + 1, "\"}");
    assert_true(ask_parse(&context, ASK_COMPLETION, body, strlen(body), &a, &why)); /* in a text */
    ask_free(&a);
    free(body);
    body = repeat("", "[", 60000, "");
    refuse_body(body, strlen(body));
    free(body);
    body = repeat("", "{\"ead\":", 60000, "");
    refuse_body(body, strlen(body));
    free(body);
}

/* ---- company ----------------------------------------------------------------------------- */

static void *parse_often(void *fields)
{
    for (int i = 0; i < 50; i++) {
        struct ask a = asked(ASK_CHAT, fields);
        if (ask_seed(&a, 1) != ask_seed(&a, 1) || a.prompts[0].n == 0) return fields;
        ask_free(&a);
    }
    return NULL;
}

static void test_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    char fields[] = "'seed':5,'stop':['a'],'logit_bias':{'5':1},'ead':{'tau':2}";
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, fields), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_of_both), cmocka_unit_test(test_refused_of_one),
        cmocka_unit_test(test_sentences),       cmocka_unit_test(test_neutral),
        cmocka_unit_test(test_values),          cmocka_unit_test(test_biases),
        cmocka_unit_test(test_seeds),           cmocka_unit_test(test_policy),
        cmocka_unit_test(test_one_model),       cmocka_unit_test(test_taken),
        cmocka_unit_test(test_prompts),         cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bodies),          cmocka_unit_test(test_cut_bodies),
        cmocka_unit_test(test_heavy_bodies),    cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
