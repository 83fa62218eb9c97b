/* Requests for text: every field's right and wrong types, the ends of its range, null, and what of
 * it asks for nothing. Each refusal names the field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "server/field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading ------------------------------------------------------------------------------- */

/* A request of one field, or several, beside what there has to be; ' stands for ". */
static bool parse(enum ask_kind kind, const char *fields, struct ask *out, struct refusal *r)
{
    char body[8192];
    const char *rest =
        kind == ASK_CHAT ? "'messages':[{'role':'user','content':'hi'}]" : "'prompt':'hi'";
    const int n = snprintf(body, sizeof body, "{%s%s%s}", rest, *fields ? "," : "", fields);
    assert_true(n > 0 && (size_t)n < sizeof body);
    for (char *c = body; *c; c++) *c = *c == '\'' ? '"' : *c;
    return ask_parse(&asking.context, kind, body, (size_t)n, out, r);
}

/* What is read of them; the next call releases it. */
static const struct ask *read_as(enum ask_kind kind, const char *fields)
{
    static struct ask ask;
    struct refusal r = {0};
    ask_free(&ask);
    if (!parse(kind, fields, &ask, &r)) fail_msg("%s: %s", fields, r.message);
    return &ask;
}

static const struct ask *chat(const char *fields)
{
    return read_as(ASK_CHAT, fields);
}

static const struct ask *completion(const char *fields)
{
    return read_as(ASK_COMPLETION, fields);
}

static void refused_as(enum ask_kind kind, const char *fields, int status, const char *code,
                       const char *param)
{
    struct ask ask;
    struct refusal r = {0};
    if (parse(kind, fields, &ask, &r)) fail_msg("%s: was read", fields);
    if (r.status != status || strcmp(r.param, param) || !r.message[0] ||
        !strstr(r.message, param) || !r.code || strcmp(r.code, code))
        fail_msg("%s: %d, %s, \"%s\": %s", fields, r.status, r.code, r.param, r.message);
    assert_null(ask.prompts);
    assert_null(ask.bias);
}

/* By both kinds of requests. */
static void refused(const char *fields, const char *param)
{
    refused_as(ASK_CHAT, fields, 400, "invalid_value", param);
    refused_as(ASK_COMPLETION, fields, 400, "invalid_value", param);
}

/* A field with each of these JSON texts as its value, up to a NULL. */
static void refused_values(const char *name, const char *const *values)
{
    char fields[512];
    const char *dot = strchr(name, '.');
    for (; *values; values++) {
        if (dot)
            snprintf(fields, sizeof fields, "'%.*s':{'%s':%s}", (int)(dot - name), name, dot + 1,
                     *values);
        else
            snprintf(fields, sizeof fields, "'%s':%s", name, *values);
        refused(fields, name);
    }
}

/* ---- what all fields have in common -------------------------------------------------------- */

struct number {
    const char *name;
    const char *low, *high;     /* are taken; */
    const char *below, *beyond; /* are not */
    size_t offset;
    bool whole;
};

#define SAMPLER(member) offsetof(struct ask, sampler) + offsetof(ead_sampler_options, member)
#define POLICY(member)  offsetof(struct ask, policy) + offsetof(ead_policy_options, member)

static const struct number numbers[] = {
    {"temperature", "0", "100", "-1e-9", "100.1", SAMPLER(temperature), false},
    {"top_p", "1e-3", "1", "-0.1", "1.0001", SAMPLER(top_p), false},
    {"min_p", "0", "1", "-0.1", "1.0001", SAMPLER(min_p), false},
    {"presence_penalty", "-2", "2", "-2.01", "2.01", SAMPLER(presence_penalty), false},
    {"frequency_penalty", "-2", "2", "-2.01", "2.01", SAMPLER(frequency_penalty), false},
    {"repeat_penalty", "0.001", "1000", "0", "1001", SAMPLER(repeat_penalty), false},
    {"repetition_penalty", "0.001", "1000", "0", "1001", SAMPLER(repeat_penalty), false},
    {"top_k", "0", "16777216", "-2", "16777217", SAMPLER(top_k), true},
    {"repeat_last_n", "0", "2048", "-2", "2049", SAMPLER(repeat_last), true},
    {"n", "1", "8", "0", "9", offsetof(struct ask, n), true},
    {"max_tokens", "1", "2147483647", "-2", "2147483648", offsetof(struct ask, max_tokens), true},
    {"max_completion_tokens", "1", "2147483647", "-2", "2147483648",
     offsetof(struct ask, max_tokens), true},
    {"ead.window", "1", "1024", "0", "4294967297", POLICY(window), true},
    {"ead.dwell", "1", "2147483647", "0", "2147483648", POLICY(dwell), true},
    {"ead.given", "0", "1", "-1", "256", offsetof(struct ask, given), true},
    {"ead.horizon", "0", "1000", "-1", "4294967296", POLICY(horizon), true},
};

/* A number as it was read; names with a dot are in an object. */
static double number_of(const struct number *n, const char *value)
{
    char fields[256];
    const char *dot = strchr(n->name, '.');
    if (dot)
        snprintf(fields, sizeof fields, "'ead':{'%s':%s}", dot + 1, value);
    else
        snprintf(fields, sizeof fields, "'%s':%s", n->name, value);
    const void *at = (const char *)completion(fields) + n->offset;
    return n->whole ? (double)*(const int *)at : (double)*(const float *)at;
}

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct number *n = &numbers[i];
        const double unsaid = number_of(n, "null");
        const double low = number_of(n, n->low), high = number_of(n, n->high);
        assert_true(n->whole ? low == atof(n->low) : low == (double)(float)atof(n->low));
        assert_true(n->whole ? high == atof(n->high) : high == (double)(float)atof(n->high));
        assert_true(number_of(n, "null") == unsaid);
        refused_values(n->name, (const char *const[]){n->below, n->beyond, "'1'", "true", "[1]",
                                                      "{}", n->whole ? "1.5" : "''", NULL});
    }
    assert_true(number_of(&numbers[7], "40.0") == 40); /* by clients that write all as reals */
    assert_true(number_of(&numbers[7], "-1") == 0);
    assert_true(number_of(&numbers[7], "-0.0") == 0);
    refused("'top_k':1e300", "top_k");
    refused("'top_k':9007199254740992.0", "top_k");
}

static void test_flags(void **state)
{
    (void)state;
    static const char *const names[] = {"stream", "ignore_eos", "return_tokens_as_token_ids",
                                        "ead.trace", "ead.clear_window"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        refused_values(names[i], (const char *const[]){"0", "1", "'true'", "[]", "{}", NULL});
    assert_true(chat("'stream':true")->stream);
    assert_false(chat("'stream':false")->stream);
    assert_false(chat("'stream':null")->stream);
    assert_true(chat("'return_tokens_as_token_ids':true")->tokens_as_ids);
    assert_true(chat("'ead':{'trace':true}")->trace);
    assert_true(chat("'ead':{'clear_window':true}")->policy.clear_window);
    assert_true(completion("'echo':true")->echo);
    assert_false(chat("'echo':false")->echo);
    refused_as(ASK_CHAT, "'echo':true", 400, "unsupported_value", "echo");
}

static void test_unknown(void **state)
{
    (void)state;
    const struct ask *a = chat("'user':'me','store':true,'metadata':{'a':[1,{}]},'':0,"
                               "'parallel_tool_calls':1,'tau':'x','ead':{'unknown':[]}");
    assert_int_equal(a->target, ASK_PAIR);
    assert_true(a->policy.tau == asking.context.policy.tau);
    assert_int_equal(chat("'n':'x','n':2")->n, 2); /* the later one counts */
}

/* ---- bodies -------------------------------------------------------------------------------- */

static void refused_body(const char *body, size_t n, const char *says)
{
    struct ask ask;
    struct refusal r = {0};
    assert_false(ask_parse(&asking.context, ASK_CHAT, body, n, &ask, &r));
    assert_int_equal(r.status, 400);
    assert_string_equal(r.code, "invalid_json");
    assert_string_equal(r.param, "");
    if (!strstr(r.message, says)) fail_msg("%s", r.message);
}

static void test_bodies(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "{",
        "{}{}",
        "{'a':1}",
        "nul",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e999}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"\\u0000\":1}",
        "{\"a\":99999999999999999999}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        refused_body(bodies[i], strlen(bodies[i]), "no JSON: line ");
    refused_body("{\"a\":\"\0\"}", 9, "no JSON");
    refused_body("[]", 2, "an array");
    refused_body("{}\0", 3, "no JSON");
    enum { DEEP = FIELD_GROUPS_MAX };
    char *deep = tiny_must(malloc(DEEP));
    memset(deep, '[', DEEP);
    refused_body(deep, DEEP, "no JSON");
    free(deep);
}

/* ---- what is asked for --------------------------------------------------------------------- */

static void test_model(void **state)
{
    (void)state;
    assert_int_equal(chat("'model':'ead'")->target, ASK_PAIR);
    assert_int_equal(chat("'model':null")->target, ASK_PAIR);
    assert_int_equal(chat("'model':'large'")->policy.kind, EAD_POLICY_LARGE);
    const struct ask *small = chat("'model':'small','ead':{'policy':'large'}");
    assert_int_equal(small->target, ASK_SMALL);
    assert_int_equal(small->policy.kind, EAD_POLICY_SMALL);
    refused_as(ASK_CHAT, "'model':'gpt-4o'", 404, "model_not_found", "model");
    refused_as(ASK_CHAT, "'model':''", 404, "model_not_found", "model");
    refused_values("model", (const char *const[]){"1", "[]", "true", NULL});
    asking.context.models[EAD_SMALL] = NULL;
    refused_as(ASK_COMPLETION, "'model':'small'", 404, "model_not_found", "model");
    refused("'ead':{'policy':'small'}", "ead.policy");
    assert_int_equal(chat("'model':'large'")->target, ASK_LARGE);
    asking.context.models[EAD_SMALL] = asking.models[EAD_SMALL];
}

static void test_max_tokens(void **state)
{
    (void)state;
    assert_int_equal(chat("")->max_tokens, -1);
    assert_int_equal(completion("")->max_tokens, 16);
    assert_int_equal(completion("'max_tokens':0")->max_tokens, 0);
    assert_int_equal(completion("'max_tokens':-1")->max_tokens, -1);
    assert_int_equal(chat("'max_completion_tokens':7")->max_tokens, 7);
    assert_int_equal(chat("'max_completion_tokens':7,'max_tokens':7")->max_tokens, 7);
    assert_int_equal(chat("'max_completion_tokens':null,'max_tokens':3")->max_tokens, 3);
    refused("'max_completion_tokens':7,'max_tokens':8", "max_completion_tokens");
    refused_as(ASK_CHAT, "'max_tokens':0", 400, "invalid_value", "max_tokens");
    refused_as(ASK_CHAT, "'max_completion_tokens':0", 400, "invalid_value",
               "max_completion_tokens");
}

static void test_stream_options(void **state)
{
    (void)state;
    assert_true(chat("'stream':true,'stream_options':{'include_usage':true}")->include_usage);
    assert_false(chat("'stream':true,'stream_options':{'include_usage':null}")->include_usage);
    assert_false(chat("'stream_options':null")->include_usage);
    refused("'stream':true,'stream_options':{'include_usage':1}", "stream_options.include_usage");
    refused("'stream':true,'stream_options':true", "stream_options");
    refused("'stream_options':{'include_usage':true}", "stream_options");
}

static void test_logprobs(void **state)
{
    (void)state;
    assert_int_equal(chat("")->logprobs, -1);
    assert_int_equal(chat("'logprobs':false")->logprobs, -1);
    assert_int_equal(chat("'logprobs':true")->logprobs, 0);
    assert_int_equal(chat("'logprobs':true,'top_logprobs':20")->logprobs, 20);
    assert_int_equal(chat("'logprobs':false,'top_logprobs':0")->logprobs, -1);
    assert_int_equal(completion("'logprobs':0")->logprobs, 0);
    assert_int_equal(completion("'logprobs':20")->logprobs, 20);
    refused_as(ASK_CHAT, "'top_logprobs':1", 400, "invalid_value", "top_logprobs");
    refused_as(ASK_CHAT, "'logprobs':true,'top_logprobs':21", 400, "invalid_value", "top_logprobs");
    refused_as(ASK_CHAT, "'logprobs':true,'top_logprobs':-1", 400, "invalid_value", "top_logprobs");
    refused_as(ASK_CHAT, "'logprobs':1", 400, "invalid_value", "logprobs");
    refused_as(ASK_COMPLETION, "'logprobs':true", 400, "invalid_value", "logprobs");
    refused_as(ASK_COMPLETION, "'logprobs':21", 400, "invalid_value", "logprobs");
}

/* A list of n times the same JSON text. */
/* What is told of tokens, by texts, tokens and alternatives. */
static void test_entries(void **state)
{
    (void)state;
    char fields[160];
    const int prompt = (int)completion("")->prompts[0].n, alone = asking.context.n_ctx;
    asking.context.n_ctx = 1 << 20;
    const int most = ASK_ENTRIES_MAX / 21 / 8, left = ASK_ENTRIES_MAX / 21 - prompt;
    snprintf(fields, sizeof fields, "'logprobs':20,'n':8,'max_tokens':%d", most);
    completion(fields);
    snprintf(fields, sizeof fields, "'logprobs':20,'n':8,'max_tokens':%d", most + 1);
    refused_as(ASK_COMPLETION, fields, 400, "invalid_value", "logprobs");
    snprintf(fields, sizeof fields, "'logprobs':20,'echo':true,'max_tokens':%d", left);
    completion(fields);
    snprintf(fields, sizeof fields, "'logprobs':20,'echo':true,'max_tokens':%d", left + 1);
    refused_as(ASK_COMPLETION, fields, 400, "invalid_value", "logprobs");
    refused_as(ASK_CHAT, "'logprobs':true", 400, "invalid_value", "logprobs"); /* all of --ctx */
    refused_as(ASK_CHAT, "'ead':{'trace':true}", 400, "invalid_value", "ead.trace");
    chat("'logprobs':true,'stream':true,'max_tokens':524288");
    refused_as(ASK_CHAT, "'logprobs':true,'stream':true,'max_tokens':524289", 400, "invalid_value",
               "logprobs");
    chat(""); /* of text alone any length */
    asking.context.n_ctx = alone;
}

/* The prompt of a stream is told at once. */
static void test_entries_of_echo(void **state)
{
    (void)state;
    static char prompt[16000];
    const int alone = asking.context.n_ctx, most = ASK_ECHO_ENTRIES_MAX / 21 / 8;
    asking.context.n_ctx = 1 << 20;
    for (int more = 0; more < 2; more++) {
        struct ask out;
        struct refusal r;
        size_t n = (size_t)snprintf(prompt, sizeof prompt, "{\"prompt\":[1");
        for (int i = 1; i < most + more; i++)
            n += (size_t)snprintf(prompt + n, sizeof prompt - n, ",9");
        n += (size_t)snprintf(prompt + n, sizeof prompt - n,
                              "],\"n\":8,\"echo\":true,\"logprobs\":20,\"stream\":true}");
        assert_int_equal(ask_parse(&asking.context, ASK_COMPLETION, prompt, n, &out, &r), !more);
        if (more) assert_string_equal(r.param, "logprobs");
        ask_free(&out);
    }
    asking.context.n_ctx = alone;
}

static const char *list(const char *name, const char *item, int n)
{
    static char fields[8000];
    size_t at = (size_t)snprintf(fields, sizeof fields, "'%s':[", name);
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(fields + at, sizeof fields - at, "%s%s", i ? "," : "", item);
    snprintf(fields + at, sizeof fields - at, "]");
    return fields;
}

static void test_stops(void **state)
{
    (void)state;
    char longest[300];
    const struct ask *a = chat("'stop':'\\n\\n'");
    assert_int_equal(a->n_stops, 1);
    assert_int_equal(a->stops[0].bytes, 2);
    assert_memory_equal(a->stops[0].text, "\n\n", 2);
    a = chat("'stop':['a','','b','\xe2\x82\xac']"); /* an empty one ends nothing */
    assert_int_equal(a->n_stops, 3);
    assert_memory_equal(a->stops[2].text, "\xe2\x82\xac", 3);
    assert_int_equal(chat("'stop':[]")->n_stops, 0);
    assert_int_equal(chat("'stop':''")->n_stops, 0);
    assert_int_equal(chat(list("stop", "'ab'", ASK_STOPS_MAX))->n_stops, ASK_STOPS_MAX);
    refused(list("stop", "'ab'", ASK_STOPS_MAX + 1), "stop");
    snprintf(longest, sizeof longest, "'stop':'%0256d'", 0);
    assert_int_equal(chat(longest)->stops[0].bytes, ASK_STOP_BYTES_MAX);
    snprintf(longest, sizeof longest, "'stop':'%0257d'", 0);
    refused(longest, "stop");
    refused_values("stop", (const char *const[]){"1", "{}", "true", "['a',1]", "[null]", NULL});
    a = chat("'stop_token_ids':[0,5]");
    assert_int_equal(a->n_stop_ids, 2);
    assert_int_equal(a->stop_ids[1], 5);
    assert_int_equal(chat(list("stop_token_ids", "3", ASK_STOP_IDS_MAX))->n_stop_ids,
                     ASK_STOP_IDS_MAX);
    refused(list("stop_token_ids", "3", ASK_STOP_IDS_MAX + 1), "stop_token_ids");
    refused_values("stop_token_ids", (const char *const[]){"1", "['a']", "[-1]", "[99999]", "[1.5]",
                                                           "{}", "[4294967296]", NULL});
}

/* ---- choosing ------------------------------------------------------------------------------ */

static void test_top_p(void **state)
{
    (void)state;
    const float p = completion("'top_p':0")->sampler.top_p;
    assert_true(p > 0 && p < 1e-5f); /* the most probable alone */
    assert_true(completion("'top_k':-1")->sampler.top_k == 0);
}

/* The sum of what is added to a token's logit. */
static float bias_of(const struct ask *a, int32_t id)
{
    float sum = 0;
    for (int i = 0; i < a->sampler.n_bias; i++)
        if (a->sampler.bias[i].id == id) sum += a->sampler.bias[i].bias;
    return sum;
}

static void test_bias(void **state)
{
    (void)state;
    char fields[64], many[16000] = "{\"prompt\":\"a\",\"logit_bias\":{";
    size_t n = strlen(many);
    const struct ask *a = chat("'logit_bias':{'5':-100,'6':100,'7':0.5}");
    assert_int_equal(a->sampler.n_bias, 3);
    assert_true(bias_of(a, 5) == -100 && bias_of(a, 6) == 100 && bias_of(a, 7) == 0.5f);
    assert_int_equal(chat("'logit_bias':{}")->sampler.n_bias, 0);
    assert_int_equal(chat("'logit_bias':null")->sampler.n_bias, 0);
    snprintf(fields, sizeof fields, "'logit_bias':{'%d':1}", asking.context.n_vocab - 1);
    assert_int_equal(chat(fields)->sampler.n_bias, 1);
    snprintf(fields, sizeof fields, "'logit_bias':{'%d':1}", asking.context.n_vocab);
    refused(fields, "logit_bias");
    refused_values("logit_bias",
                   (const char *const[]){"1", "[]", "'a'", "{'a':1}", "{'':1}", "{'-1':1}",
                                         "{'1x':1}", "{'1':101}", "{'1':-100.5}", "{'1':'1'}",
                                         "{'1':null}", "{' 1':1}", "{'+1':1}", "{'01':1}",
                                         "{'1':true}", "{'18446744073709551617':1}", NULL});
    for (int i = 0; i <= ASK_BIASES_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "%s\"%d\":1", i ? "," : "", i);
    n += (size_t)snprintf(many + n, sizeof many - n, "}}");
    struct ask out;
    struct refusal r;
    assert_false(ask_parse(&asking.context, ASK_COMPLETION, many, n, &out, &r));
    assert_string_equal(r.param, "logit_bias");
    assert_non_null(strstr(r.message, "1024"));
}

static void test_ignore_end(void **state)
{
    (void)state;
    const struct ask *a = chat("'ignore_eos':true");
    assert_int_equal(a->sampler.n_bias, 1);
    assert_true(bias_of(a, TINY_EOS) == -100);
    a = chat("'ignore_eos':true,'logit_bias':{'2':100,'9':1}");
    assert_int_equal(a->sampler.n_bias, 2);
    assert_true(bias_of(a, TINY_EOS) == -100 && bias_of(a, 9) == 1);
}

/* Something has to be left to write. */
static void test_all_forbidden(void **state)
{
    (void)state;
    char fields[8000];
    const int last = asking.context.n_vocab - 1;
    size_t n = (size_t)snprintf(fields, sizeof fields, "'logit_bias':{");
    for (int i = 0; i < last; i++)
        if (i != TINY_EOS) n += (size_t)snprintf(fields + n, sizeof fields - n, "'%d':-100,", i);
    snprintf(fields + n, sizeof fields - n, "'%d':-100}", last);
    chat(fields);
    snprintf(fields + n, sizeof fields - n, "'%d':-100},'ignore_eos':true", last);
    refused(fields, "logit_bias");
    snprintf(fields + n, sizeof fields - n, "'%d':-99},'ignore_eos':true", last);
    chat(fields);
    snprintf(fields + n, sizeof fields - n, "'%d':-100,'2':-100}", last);
    refused(fields, "logit_bias");
}

static void test_seeds(void **state)
{
    (void)state;
    const uint64_t a = chat("")->sampler.seed, b = chat("'seed':null")->sampler.seed,
                   c = chat("'seed':-1")->sampler.seed;
    assert_true(a != b && b != c && a != c);
    assert_true(chat("'seed':0")->sampler.seed == 0);
    assert_true(chat("'seed':-2")->sampler.seed == (uint64_t)-2);
    assert_true(chat("'seed':9223372036854775807")->sampler.seed == INT64_MAX);
    refused_values("seed", (const char *const[]){"'1'", "1.5", "true", "1e30", NULL});
    const struct ask seven = {.sampler = {.seed = 7}}, eight = {.sampler = {.seed = 8}};
    assert_true(ask_seed(&seven, 0) == 7);
    for (int i = 0; i < 50; i++)
        for (int k = 0; k < 50; k++) {
            if (i != k) assert_true(ask_seed(&seven, i) != ask_seed(&seven, k));
            assert_true(ask_seed(&seven, i) != ask_seed(&eight, k));
        }
}

/* ---- who writes ---------------------------------------------------------------------------- */

static void test_policy(void **state)
{
    (void)state;
    const struct ask *a = chat("'ead':{'tau':0.25,'window':3,'dwell':2,'start':'large','policy':"
                               "'random','share':1,'horizon':9}");
    assert_true(a->policy.tau == 0.25 && a->policy.window == 3 && a->policy.dwell == 2);
    assert_true(a->policy.kind == EAD_POLICY_RANDOM && a->policy.start == EAD_LARGE);
    assert_true(a->policy.share == 1 && a->policy.horizon == 9);
    assert_true(chat("'ead':{'tau':null,'policy':null,'start':null}")->policy.kind ==
                asking.context.policy.kind);
    assert_true(chat("'ead':null")->policy.tau == asking.context.policy.tau);
    assert_true(chat("'ead':{'tau':-1e18}")->policy.tau == -1e18);
    refused_values("ead", (const char *const[]){"1", "[]", "'ead'", "true", NULL});
    refused_values("ead.tau", (const char *const[]){"'1'", "true", "[]", "1e300", NULL});
    refused_values("ead.share", (const char *const[]){"1.1", "-0.1", "'1'", NULL});
    refused_values("ead.start", (const char *const[]){"'both'", "1", "''", NULL});
    refused_values("ead.policy",
                   (const char *const[]){"'replay'", "'custom'", "'none'", "''", "1", "[]", NULL});
}

/* Words of options, numbers that mean infinity, and an option that only policy ead looks at. */
static void test_options_of_policies(void **state)
{
    (void)state;
    const ead_policy_kind before = asking.context.policy.kind;
    const struct ask *a = chat("'ead':{'policy':'speculative','draft':'survival'}");
    assert_true(a->policy.kind == EAD_POLICY_SPECULATIVE);
    assert_int_equal(a->policy.draft, EAD_DRAFT_SURVIVAL);
    assert_int_equal(chat("'ead':{'draft':5}")->policy.draft, 5);
    assert_int_equal(chat("'ead':{'rule':'v1'}")->policy.rule, EAD_CASCADE_V1);
    refused_values("ead.draft", (const char *const[]){"-1", "64", "'luck'", "0.5", NULL});
    refused_values("ead.rule", (const char *const[]){"0", "'v4'", NULL});
    assert_true(isinf(chat("'ead':{'risk':4611686018427387904}")->policy.risk));
    asking.context.policy.kind = EAD_POLICY_JUDGE;
    assert_true(chat("'ead':{'risk_sum':0.5}")->policy.kind == EAD_POLICY_JUDGE);
    assert_true(chat("'ead':{'tau':0.5}")->policy.kind == EAD_POLICY_EAD);
    assert_true(chat("'ead':{'tau':0.5,'policy':'judge'}")->policy.kind == EAD_POLICY_JUDGE);
    asking.context.policy.kind = before;
}

/* ---- what asks for nothing ----------------------------------------------------------------- */

static void test_neutral(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "'best_of':1",
        "'best_of':1.0",
        "'response_format':{'type':'text'}",
        "'response_format':{}",
        "'tool_choice':'none'",
        "'tool_choice':'auto'",
        "'modalities':['text']",
        "'suffix':''",
        "'audio':null",
        "'functions':[]",
        "'function_call':'none'",
        "'min_tokens':0",
        "'use_beam_search':false",
        "'truncate_prompt_tokens':-1",
        "'typical_p':1.0",
        "'add_generation_prompt':true",
        "'guided_json':null",
        "'mirostat':0",
        "'grammar':''",
    };
    static const char *const names[] = {
        "audio",
        "best_of",
        "continue_final_message",
        "functions",
        "function_call",
        "grammar",
        "guided_json",
        "json_schema",
        "min_tokens",
        "modalities",
        "prediction",
        "prompt_logprobs",
        "response_format",
        "suffix",
        "tool_choice",
        "use_beam_search",
        "web_search_options",
    };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        chat(taken[i]);
        completion(taken[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char fields[96];
        snprintf(fields, sizeof fields, "'%s':{'type':'x'}", names[i]);
        refused_as(ASK_CHAT, fields, 400, "unsupported_value", names[i]);
        refused_as(ASK_COMPLETION, fields, 400, "unsupported_value", names[i]);
    }
    refused_as(ASK_CHAT, "'best_of':true", 400, "unsupported_value", "best_of");
    refused_as(ASK_CHAT, "'min_tokens':false", 400, "unsupported_value", "min_tokens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_unknown),        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_model),          cmocka_unit_test(test_max_tokens),
        cmocka_unit_test(test_stream_options), cmocka_unit_test(test_logprobs),
        cmocka_unit_test(test_entries),        cmocka_unit_test(test_entries_of_echo),
        cmocka_unit_test(test_stops),          cmocka_unit_test(test_top_p),
        cmocka_unit_test(test_bias),           cmocka_unit_test(test_ignore_end),
        cmocka_unit_test(test_all_forbidden),  cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_policy),         cmocka_unit_test(test_options_of_policies),
        cmocka_unit_test(test_neutral),
    };
    return cmocka_run_group_tests_name("ask", tests, asking_set_up, asking_tear_down);
}
