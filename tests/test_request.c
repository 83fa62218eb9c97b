/* Requests whole: what a template is given beside messages, bodies that are cut or heavy, what
 * clients send, and readers side by side. Field by field they are in test_ask.c and
 * test_ask_prompt.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "asking.h"
#include "server/field.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ' stands for ". */
static bool parse(enum ask_kind kind, const char *text, struct ask *out, struct refusal *r)
{
    char *body = tiny_must(strdup(text));
    for (char *c = body; *c; c++) *c = *c == '\'' ? '"' : *c;
    const bool ok = ask_parse(&asking.context, kind, body, strlen(body), out, r);
    free(body);
    return ok;
}

static struct ask chat(const char *fields)
{
    struct ask a;
    struct refusal r = {0};
    char text[512];
    snprintf(text, sizeof text, "{'messages':[{'role':'user','content':'a'}],%s}", fields);
    if (!parse(ASK_CHAT, text, &a, &r)) fail_msg("%s: %s", text, r.message);
    return a;
}

static struct refusal refused(const char *text, int status, const char *param)
{
    struct ask a;
    struct refusal r = {0};
    if (parse(ASK_CHAT, text, &a, &r)) fail_msg("%s: was read", text);
    if (r.status != status || strcmp(r.param, param))
        fail_msg("%d, %s: %s", r.status, r.param, r.message);
    return r;
}

/* ---- conversations ------------------------------------------------------------------------- */

static const char shown[] = "{% for m in messages %}{{ m.content }}{% endfor %}"
                            "{{ '>' if add_generation_prompt }}";

static void renders(const char *text, const char *as)
{
    struct ask a;
    struct refusal r = {0};
    int32_t *ids;
    size_t n;
    if (!parse(ASK_CHAT, text, &a, &r)) fail_msg("%.200s: %s", text, r.message);
    assert_false(ead_tokenize(asking.models[0], as, strlen(as), EAD_ADD_BOS, &ids, &n, NULL));
    assert_int_equal(a.prompts[0].n, n);
    assert_memory_equal(a.prompts[0].ids, ids, n * sizeof *ids);
    ead_free(ids);
    ask_free(&a);
}

static void test_generation_prompt(void **state)
{
    (void)state;
    ead_template *t = asking_template(shown);
    asking.context.chat = t;
    renders("{'messages':[{'role':'user','content':'a'}]}", "a>");
    renders("{'messages':[{'role':'user','content':'a'}],'add_generation_prompt':true}", "a>");
    renders("{'messages':[{'role':'user','content':'a'}],'add_generation_prompt':false}", "a");
    refused("{'messages':[{'role':'user','content':'a'}],'add_generation_prompt':1}", 400,
            "add_generation_prompt");
    asking.context.chat = asking.tools;
    ead_template_close(t);
}

/* Histories hold what models said: also that they would not. */
static void test_histories(void **state)
{
    (void)state;
    ead_template *t = asking_template(shown);
    asking.context.chat = t;
    renders("{'messages':[{'role':'assistant','content':[{'type':'refusal','refusal':'b'}]}]}",
            "b>");
    renders("{'messages':[{'role':'assistant','content':'b','function_call':null}]}", "b>");
    refused("{'messages':[{'role':'assistant','content':[{'type':'refusal','text':'b'}]}]}", 400,
            "messages[0].content[0].refusal");
    refused("{'messages':[{'role':'assistant','content':null,'function_call':{'name':'f'}}]}", 400,
            "messages[0].function_call");
    asking.context.chat = asking.tools;
    ead_template_close(t);
}

/* What no template would read is not dropped in silence. */
static void test_documents(void **state)
{
    (void)state;
    struct ask a = chat("'documents':[]");
    ask_free(&a);
    a = chat("'documents':['d']");
    ask_free(&a);
    refused("{'messages':[{'role':'user','content':'a'}],'documents':{}}", 400, "documents");
    asking.context.chat = asking.plain;
    refused("{'messages':[{'role':'user','content':'a'}],'documents':['d']}", 400, "documents");
    asking.context.chat = asking.tools;
}

/* What a template refuses is said; where its file lies is not. */
static void test_template_faults(void **state)
{
    (void)state;
    const struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    struct tiny *file = tiny_model(&spec);
    tiny_set_str(file, "tokenizer.chat_template", asking_plain);
    ead_model *model = tiny_open_public(file);
    tiny_free(file);
    ead_template *own;
    assert_false(ead_template_open(model, NULL, &own, NULL));
    asking.context.chat = own;
    const struct refusal why =
        refused("{'messages':[{'role':'user','content':'refuse'}]}", 400, "messages");
    assert_non_null(strstr(why.message, "the template refuses: no"));
    assert_null(strchr(why.message, '/'));
    asking.context.chat = asking.tools;
    ead_template_close(own);
    ead_model_close(model);
}

/* An option goes by the name that /v1/models lists, too. */
static void test_option_names(void **state)
{
    (void)state;
    struct ask a = chat("'ead':{'clear-window':true}");
    assert_true(a.policy.clear_window);
    ask_free(&a);
    refused("{'ead':{'clear-window':1}}", 400, "ead.clear-window");
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
        ead_duo_open(asking.models[EAD_LARGE], asking.models[EAD_SMALL], &options, &duo, &error),
        EAD_OK);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        struct ask a = chat(edges[i]);
        if (ead_duo_set_sampler(duo, &a.sampler, &error) ||
            ead_duo_set_policy(duo, &a.policy, &error))
            fail_msg("%s: %s", edges[i], error.message);
        ask_free(&a);
    }
    ead_duo_close(duo);
}

/* ---- bodies -------------------------------------------------------------------------------- */

static struct refusal refuse_body(const char *body, size_t n)
{
    struct ask a;
    struct refusal why = {0};
    assert_false(ask_parse(&asking.context, ASK_COMPLETION, body, n, &a, &why));
    assert_true(why.status == 400 || why.status == 413);
    assert_true(why.message[0] != 0);
    json_t *answer = refusal_json(&why);
    assert_non_null(answer);
    json_decref(answer);
    return why;
}

static void test_cut_bodies(void **state)
{
    (void)state;
    static const char body[] =
        "{\"stop\":[\"\\u00e9\"],\"ead\":{\"tau\":1.5},\"prompt\":[[1],[2]]}";
    for (size_t n = 0; n < strlen(body); n++) {
        char *exact = tiny_must(malloc(n ? n : 1)); /* so that a sanitizer sees a read past it */
        memcpy(exact, body, n);
        refuse_body(exact, n);
        free(exact);
    }
}

/* NUL is told by its name, not by what would have the reader of JSON allow it. */
static void test_nul(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{\"prompt\":\"a\\u0000b\"}", "{\"\\u0000\":1}"};
    for (size_t i = 0; i < 2; i++)
        assert_non_null(
            strstr(refuse_body(bodies[i], strlen(bodies[i])).message, "\\u0000 is in no text"));
}

static char *repeat(const char *begin, const char *part, int n, const char *end)
{
    char *out = tiny_must(calloc(1, strlen(begin) + (size_t)n * strlen(part) + strlen(end) + 1));
    char *to = stpcpy(out, begin);
    for (int i = 0; i < n; i++) to = stpcpy(to, part);
    strcpy(to, end);
    return out;
}

/* Values take many times the bytes of a body: as many as are allowed are read, one more is not. */
static void test_heavy_bodies(void **state)
{
    (void)state;
    const char *const begin = "{\"prompt\":\"a\",\"x\":[0", *const end = "]}";
    char *body = repeat(begin, ",[]", FIELD_GROUPS_MAX - 2, end);
    struct ask a;
    struct refusal why;
    assert_true(ask_parse(&asking.context, ASK_COMPLETION, body, strlen(body), &a, &why));
    ask_free(&a);
    free(body);
    body = repeat(begin, ",{}", FIELD_GROUPS_MAX - 1, end);
    assert_int_equal(refuse_body(body, strlen(body)).status, 413);
    free(body);
    body = repeat(begin, ",0", FIELD_COMMAS_MAX, end);
    assert_int_equal(refuse_body(body, strlen(body)).status, 413);
    free(body);
    body = repeat("{\"prompt\":\"a\",\"x\":\"\\\"", "[,", FIELD_COMMAS_MAX + 1, "\"}");
    assert_true(
        ask_parse(&asking.context, ASK_COMPLETION, body, strlen(body), &a, &why)); /* in a text */
    ask_free(&a);
    free(body);
    body = repeat("", "[", 60000, "");
    refuse_body(body, strlen(body));
    free(body);
    body = repeat("", "{\"ead\":", 60000, "");
    refuse_body(body, strlen(body));
    free(body);
}

/* Arguments of a call are JSON within a text, and no way round: what is too heavy stays a text. */
static void test_heavy_arguments(void **state)
{
    (void)state;
    static const char begin[] = "{'messages':[{'role':'assistant','content':'','tool_calls':"
                                "[{'function':{'name':'f','arguments':'[0";
    static const char end[] = "]'}}]}]}";
    ead_template *t =
        asking_template("{{ messages[0].tool_calls[0].function.arguments is string }}");
    ead_template *second =
        asking_template("{{ messages[0].tool_calls[1].function.arguments is string }}");
    asking.context.chat = t;
    char *body = repeat(begin, ",[]", 10, end);
    renders(body, "False");
    free(body);
    body = repeat(begin, ",[]", FIELD_GROUPS_MAX, end);
    renders(body, "True");
    free(body);
    /* One limit for all of a body: two calls that each would do. */
    static const char two[] = "{'messages':[{'role':'assistant','content':'','tool_calls':["
                              "{'function':{'name':'f','arguments':'[0]'}},"
                              "{'function':{'name':'g','arguments':'[0";
    char *first = repeat("[0", ",[]", FIELD_GROUPS_MAX / 2, "]"), *at;
    body = repeat(two, ",[]", FIELD_GROUPS_MAX / 2, end);
    renders(body, "False");
    char *both = tiny_must(calloc(1, strlen(body) + strlen(first) + 1));
    at = strstr(body, "[0]");
    sprintf(both, "%.*s%s%s", (int)(at - body), body, first, at + 3);
    free(first);
    free(body);
    asking.context.chat = second;
    renders(both, "True");
    free(both);
    ead_template_close(second);
    asking.context.chat = asking.tools;
    ead_template_close(t);
}

/* ---- what clients send --------------------------------------------------------------------- */

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
        ask_parse(&asking.context, chat ? ASK_CHAT : ASK_COMPLETION, body, strlen(body), &a, &why);
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
    const struct ask_context whole = asking.context;
    asking.context.n_vocab = 512; /* its ids are those of another vocabulary */
    asking.context.chat = asking.plain;
    json_t *line;
    int n = 0;
    while ((line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL))) {
        check_client(line);
        json_decref(line);
        n++;
    }
    assert_true(n > 40);
    asking.context = whole;
    fclose(lines);
}

/* ---- company ------------------------------------------------------------------------------- */

static void *parse_often(void *fields)
{
    for (int i = 0; i < 50; i++) {
        struct ask a = chat(fields);
        if (a.sampler.seed != 5 || a.sampler.n_bias != 1 || a.n_stops != 1) return fields;
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
        cmocka_unit_test(test_generation_prompt), cmocka_unit_test(test_histories),
        cmocka_unit_test(test_documents),         cmocka_unit_test(test_template_faults),
        cmocka_unit_test(test_option_names),      cmocka_unit_test(test_taken),
        cmocka_unit_test(test_cut_bodies),        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_heavy_bodies),      cmocka_unit_test(test_heavy_arguments),
        cmocka_unit_test(test_clients),           cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, asking_set_up, asking_tear_down);
}
