/* Chat templates: what the built-in ones write, what a template sees, what is refused. The expected
 * texts of built-in ones were rendered from the published templates by their own language. */
#include "test_text_build.h"

#include "text/chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static const struct chat_message talk[] = {
    {"system", "Be brief."},
    {"user", " Hi "},
    {"assistant", "<think>\nWhy?\n</think>\n\nYo"},
    {"user", "Bye"},
};
enum { TALK = sizeof talk / sizeof *talk };

/* The talk, and its second message alone; NULL where the template refuses. */
static const struct {
    const char *name, *talk, *alone;
} goldens[] = {
    {"chatml",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\n<think>\nWhy?\n</"
     "think>\n\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n"},
    {"qwen2",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\n<think>\nWhy?\n</"
     "think>\n\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\n"},
    {"qwen2.5",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\n<think>\nWhy?\n</"
     "think>\n\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
     "assistant.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n"},
    {"smollm2",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\n<think>\nWhy?\n</"
     "think>\n\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
     "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
     "Face<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n"},
    {"qwen3",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|"
     ">assistant\n",
     "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n"},
    {"llama3",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe "
     "brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>"
     "assistant<|end_header_id|>\n\n<think>\nWhy?\n</"
     "think>\n\nYo<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_"
     "header_id|>assistant<|end_header_id|>\n\n",
     "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>"
     "assistant<|end_header_id|>\n\n"},
    {"llama3.1",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
     "December 2023\nToday Date: 26 Jul 2024\n\nBe "
     "brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>"
     "assistant<|end_header_id|>\n\n<think>\nWhy?\n</"
     "think>\n\nYo<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_"
     "header_id|>assistant<|end_header_id|>\n\n",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
     "December 2023\nToday Date: 26 Jul "
     "2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>"
     "assistant<|end_header_id|>\n\n"},
    {"llama2",
     "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] <think>\nWhy?\n</think>\n\nYo "
     "</s><s>[INST] Bye [/INST]",
     "<s>[INST] Hi [/INST]"},
    {"mistral-v1",
     "<s> [INST] Be brief.\n\n Hi  [/INST] <think>\nWhy?\n</think>\n\nYo</s> [INST] Bye [/INST]",
     "<s> [INST]  Hi  [/INST]"},
    {"mistral-v3",
     "<s>[INST]  Hi [/INST] <think>\nWhy?\n</think>\n\nYo</s>[INST] Be brief.\n\nBye[/INST]",
     "<s>[INST]  Hi [/INST]"},
    {"mistral-v3-tekken",
     "<s>[INST] Hi [/INST]<think>\nWhy?\n</think>\n\nYo</s>[INST]Be brief.\n\nBye[/INST]",
     "<s>[INST] Hi [/INST]"},
    {"mistral-v7",
     "<s>[SYSTEM_PROMPT] Be brief.[/SYSTEM_PROMPT][INST]  Hi [/INST] "
     "<think>\nWhy?\n</think>\n\nYo</s>[INST] Bye[/INST]",
     "<s>[INST]  Hi [/INST]"},
    {"mistral-v7-tekken",
     "<s>[SYSTEM_PROMPT]Be brief.[/SYSTEM_PROMPT][INST] Hi "
     "[/INST]<think>\nWhy?\n</think>\n\nYo</s>[INST]Bye[/INST]",
     "<s>[INST] Hi [/INST]"},
    {"gemma", NULL, "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"},
    {"gemma3",
     "<bos><start_of_turn>user\nBe "
     "brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n<think>\nWhy?\n</"
     "think>\n\nYo<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
     "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"},
    {"phi3",
     "<|system|>\nBe brief.<|end|>\n<|user|>\n Hi "
     "<|end|>\n<|assistant|>\n<think>\nWhy?\n</"
     "think>\n\nYo<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
     "<|user|>\n Hi <|end|>\n<|assistant|>\n"},
    {"phi4",
     "<|im_start|>system<|im_sep|>Be brief.<|im_end|><|im_start|>user<|im_sep|> Hi "
     "<|im_end|><|im_start|>assistant<|im_sep|><think>\nWhy?\n</"
     "think>\n\nYo<|im_end|><|im_start|>user<|im_sep|>Bye<|im_end|><|im_start|>assistant<|im_sep|>",
     "<|im_start|>user<|im_sep|> Hi <|im_end|><|im_start|>assistant<|im_sep|>"},
    {"phi4-mini",
     "<|system|>Be brief.<|end|><|user|> Hi "
     "<|end|><|assistant|><think>\nWhy?\n</think>\n\nYo<|end|><|user|>Bye<|end|><|assistant|>",
     "<|user|> Hi <|end|><|assistant|>"},
    {"zephyr",
     "<|system|>\nBe brief.</s>\n<|user|>\n Hi "
     "</s>\n<|assistant|>\n<think>\nWhy?\n</think>\n\nYo</s>\n<|user|>\nBye</s>\n<|assistant|>\n",
     "<|user|>\n Hi </s>\n<|assistant|>\n"},
    {"deepseek-r1",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>Be brief.<\xef\xbd\x9cUser\xef\xbd\x9c> "
     "Hi <\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>\n\nYo<\xef\xbd\x9c"
     "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c>Bye<"
     "\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c><think>\n",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c> Hi "
     "<\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c><think>\n"},
    {"deepseek-v3",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>Be brief.<\xef\xbd\x9cUser\xef\xbd\x9c> "
     "Hi <\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c><think>\nWhy?\n</think>\n\nYo<\xef\xbd\x9c"
     "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c>Bye<"
     "\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c> Hi "
     "<\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>"},
    {"deepseek-v2",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>Be brief.\n\nUser:  Hi \n\nAssistant: "
     "<think>\nWhy?\n</think>\n\nYo<\xef\xbd\x9c"
     "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>User: Bye\n\nAssistant:",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>User:  Hi \n\nAssistant:"},
    {"problem", "Problem: Bye\nSolution:", "Problem:  Hi \nSolution:"},
};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

/* Render behind what is there; *brings_bos may be NULL. */
static enum status render(const struct chat *c, const struct chat_input *input, struct buf *out,
                          struct err *err)
{
    bool brings_bos;
    assert_int_equal(buf_add(out, "kept", 4), ST_OK);
    const enum status st = chat_render(c, input, out, &brings_bos, err);
    assert_memory_equal(out->data, "kept", 4);
    if (st != ST_OK) assert_int_equal(out->len, 4);
    if (st != ST_OK) assert_string_not_equal(err->message, "");
    return st;
}

/* `text` NULL: the template refuses. */
static void expect(const struct chat *c, const struct chat_input *input, const char *text)
{
    struct buf out = {0};
    struct err err = {0};
    const enum status st = render(c, input, &out, &err);
    if (text && st != ST_OK) fail_msg("%s", err.message);
    assert_int_equal(st, text ? ST_OK : ST_ARG);
    if (text) assert_string_equal(out.data + 4, text);
    buf_deinit(&out);
}

/* An error that holds these words. */
static void expect_error(const struct chat *c, const struct chat_input *input, enum status st,
                         const char *words)
{
    struct buf out = {0};
    struct err err = {0};
    assert_int_equal(render(c, input, &out, &err), st);
    if (!strstr(err.message, words)) fail_msg("no \"%s\" in \"%s\"", words, err.message);
    buf_deinit(&out);
}

static struct chat *open_text(const char *text)
{
    struct chat *c;
    struct err err = {0};
    if (chat_open("chat template", text, strlen(text), NULL, &c, &err) != ST_OK)
        fail_msg("%s", err.message);
    return c;
}

static struct chat *open_named(const char *name)
{
    struct chat *c;
    assert_int_equal(chat_open_named(name, NULL, &c, NULL), ST_OK);
    return c;
}

static void test_builtins(void **state)
{
    (void)state;
    for (int i = 0; i < GOLDENS; i++) {
        struct chat *c = open_named(goldens[i].name);
        assert_string_equal(chat_known(c), goldens[i].name);
        expect(c, &(struct chat_input){.messages = talk, .n = TALK}, goldens[i].talk);
        expect(c, &(struct chat_input){.messages = talk + 1, .n = 1}, goldens[i].alone);
        chat_close(c);
    }
    size_t names = 0;
    while (chat_name_at(names)) names++;
    assert_int_equal(names, GOLDENS);
}

static void test_builtin_refusals(void **state)
{
    (void)state;
    static const struct chat_message twice[] = {{"user", "a"}, {"user", "b"}};
    static const char *const names[] = {"gemma", "gemma3", "llama2", "mistral-v1", "mistral-v3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct chat *c = open_named(names[i]);
        expect_error(c, &(struct chat_input){.messages = twice, .n = 2}, ST_ARG, "alternate");
        chat_close(c);
    }
    struct chat *c;
    struct err err = {0};
    assert_int_equal(chat_open_named("nonesuch", NULL, &c, &err), ST_ARG);
    assert_non_null(strstr(err.message, "nonesuch"));
    assert_non_null(strstr(err.message, "qwen2.5"));
    assert_non_null(strstr(err.message, "problem")); /* the list of names is whole */
}

/* The template of the shipped pair: the last message, whoever's it is, and nothing else. */
static void test_problem(void **state)
{
    (void)state;
    struct chat *c = open_text("Problem: {{ messages[-1]['content'] }}\nSolution:");
    assert_string_equal(chat_known(c), "problem");
    const struct chat_input whole = {.messages = talk, .n = TALK};
    expect(c, &whole, "Problem: Bye\nSolution:");
    expect(c, &(struct chat_input){.messages = talk, .n = 1}, "Problem: Be brief.\nSolution:");
    chat_close(c);
    c = open_text("Problem: {{ messages[-1].content }}\nSolution:");
    assert_null(chat_known(c));
    chat_close(c);
}

/* ---- what a template sees ------------------------------------------------------------------ */

static void test_variables(void **state)
{
    (void)state;
    struct chat *c = open_text("{{ [messages|length, tools, documents, add_generation_prompt,"
                               " bos_token is defined, x|default('-')] }}");
    struct chat_input in = {.messages = talk, .n = TALK};
    expect(c, &in, "[4, None, None, True, False, '-']");
    in.finished = true;
    expect(c, &in, "[4, None, None, False, False, '-']");
    in.variables = "{\"x\": [1, 2.50, null], \"bos_token\": \"<s>\"}";
    in.n_variables = strlen(in.variables);
    expect(c, &in, "[4, None, None, False, True, [1, 2.5, None]]");
    in.json = "[{\"role\": \"user\", \"content\": null}]";
    in.n_json = strlen(in.json);
    expect(c, &in, "[1, None, None, False, True, [1, 2.5, None]]");
    in.json = "{\"messages\": [{}, {}], \"tools\": [{\"name\": \"f\"}], \"x\": 1,"
              " \"add_generation_prompt\": 7}";
    in.n_json = strlen(in.json);
    expect(c, &in, "[2, [{'name': 'f'}], None, 7, True, [1, 2.5, None]]");
    assert_true(chat_mentions(c, "add_generation_prompt"));
    assert_false(chat_mentions(c, "enable_thinking"));
    chat_close(c);
}

static void test_faulty_input(void **state)
{
    (void)state;
    static const struct {
        const char *json, *variables, *now;
        enum status st;
        const char *words;
    } cases[] = {
        {"[{]", NULL, NULL, ST_ARG, "messages: line 1"},
        {"\"text\"", NULL, NULL, ST_ARG,
         "messages: expected an array of messages, or an object that has them, found str"},
        {"{\"messages\": {}}", NULL, NULL, ST_ARG, "expected an array, found dict"},
        {"{\"tools\": []}", NULL, NULL, ST_ARG, "found none"},
        {"[]", NULL, NULL, ST_ARG, "found none"},
        {"[1]", "[]", NULL, ST_ARG, "expected an object, found list"},
        {"[1]", "{", NULL, ST_ARG, "variables of the chat template: line 1"},
        {"[1]", NULL, "yesterday", ST_ARG, "found \"yesterday\""},
        {"[1]", NULL, "2026-13-01", ST_ARG, "2026-13-01"},
        {"[1]", NULL, "2026-01-02T03", ST_ARG, "2026-01-02T03"},
        {"[1]", NULL, "2026-02-31", ST_ARG, "2026-02-31"},
        {"[1]", NULL, "2026-01-02T-1:00:00", ST_ARG, "T-1"},
        {"[1]", NULL, "2026-01-02x", ST_ARG, "2026-01-02x"},
        {"[2]", NULL, NULL, ST_ARG, "chat template: line 2: the template refuses: two"},
        {"[3]", NULL, NULL, ST_FORMAT, "chat template: line 3: \"y\" is undefined"},
    };
    struct chat *c =
        open_text("{% if messages[0] == 2 %}\n{{ raise_exception('two') }}{% endif %}\n"
                  "{% if messages[0] == 3 %}{{ y.z }}{% endif %}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *variables = cases[i].variables;
        const struct chat_input in = {.json = cases[i].json,
                                      .n_json = strlen(cases[i].json),
                                      .variables = variables,
                                      .n_variables = variables ? strlen(variables) : 0,
                                      .now = cases[i].now};
        expect_error(c, &in, cases[i].st, cases[i].words);
    }
    chat_close(c);
}

static void test_clock(void **state)
{
    (void)state;
    struct chat *c = open_text("{{ strftime_now('%A %d %b %Y %H:%M:%S %j') }}");
    struct chat_input in = {.messages = talk, .n = 1, .now = "2026-01-02T03:04:05"};
    expect(c, &in, "Friday 02 Jan 2026 03:04:05 002");
    in.now = "2024-12-31";
    expect(c, &in, "Tuesday 31 Dec 2024 00:00:00 366");
    in.now = NULL;
    struct buf out = {0};
    bool brings_bos;
    assert_int_equal(chat_render(c, &in, &out, &brings_bos, NULL), ST_OK);
    assert_true(out.len > 20);
    buf_deinit(&out);
    chat_close(c);
}

/* ---- files --------------------------------------------------------------------------------- */

/* BOS and EOS are the vocabulary's own texts; a file without a template says so. */
static void test_with_vocabulary(void **state)
{
    (void)state;
    struct held h = {0};
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    struct chat *c;
    struct err err = {0};
    assert_int_equal(chat_open_named("zephyr", h.vocab, &c, NULL), ST_OK);
    const struct chat_input in = {.messages = talk + 3, .n = 1, .finished = true};
    expect(c, &in, "<|user|>\nBye<|im_end|>\n");
    chat_close(c);
    assert_int_equal(chat_open_gguf(h.gguf, h.vocab, &c, &err), ST_SUPPORT);
    assert_string_equal(err.message, "(memory): tokenizer.chat_template: this model has none");
    held_close(&h);
}

static void test_of_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rendered, *fault;
        bool brings_bos;
    } cases[] = {
        {"{{ bos_token }}{{ eos_token }}", "<|im_start|><|im_end|>", NULL, true},
        {"x{{ bos_token }}", "x<|im_start|>", NULL, false},
        {"", "", NULL, false},
        {"{% if %}", NULL, "tokenizer.chat_template: line 1: expected", false},
        {"\n{{ x|nonesuch }}", NULL, "line 2: there is no filter \"nonesuch\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct held h = {0};
        struct chat *c = NULL;
        struct err err = {0};
        struct buf out = {0};
        bool brings_bos;
        build_str(&h.build, "tokenizer.chat_template", cases[i].text);
        build_bpe(&h.build, "qwen2");
        assert_true(held_open(&h, NULL));
        const enum status st = chat_open_gguf(h.gguf, h.vocab, &c, &err);
        assert_int_equal(st, cases[i].fault ? ST_FORMAT : ST_OK);
        if (cases[i].fault) {
            assert_non_null(strstr(err.message, cases[i].fault));
        } else {
            const struct chat_input in = {.messages = talk, .n = TALK};
            assert_int_equal(chat_render(c, &in, &out, &brings_bos, &err), ST_OK);
            assert_string_equal(out.data ? out.data : "", cases[i].rendered);
            assert_int_equal(brings_bos, cases[i].brings_bos);
        }
        buf_deinit(&out);
        chat_close(c);
        held_close(&h);
    }
}

/* Some files have a second template, for conversations with tools. */
static void test_tool_use(void **state)
{
    (void)state;
    static const char plain[] = "{\"messages\": [1], \"tools\": null}";
    static const char tools[] = "{\"messages\": [1], \"tools\": []}";
    struct held h = {0};
    struct chat *c;
    struct err err = {0};
    build_str(&h.build, "tokenizer.chat_template", "{{ messages }}");
    build_str(&h.build, "tokenizer.chat_template.tool_use", "{{ tools }}{{ spare }}");
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    assert_int_equal(chat_open_gguf(h.gguf, h.vocab, &c, &err), ST_OK);
    expect(c, &(struct chat_input){.json = plain, .n_json = sizeof plain - 1}, "[1]");
    expect(c, &(struct chat_input){.json = tools, .n_json = sizeof tools - 1}, "[]");
    assert_true(chat_mentions(c, "spare"));
    chat_close(c);
    held_close(&h);
    build_str(&h.build, "tokenizer.chat_template", "{{ messages }}");
    build_str(&h.build, "tokenizer.chat_template.tool_use", "\n{{");
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    assert_int_equal(chat_open_gguf(h.gguf, h.vocab, &c, &err), ST_FORMAT);
    assert_non_null(strstr(err.message, "tool_use: line 2"));
    held_close(&h);
}

/* ---- templates of published files ----------------------------------------------------------- */

static void expect_file(const char *path, const char *prompt)
{
    struct gguf *g;
    struct vocab *v;
    struct chat *c;
    struct err err = {0};
    struct ids ids = {0};
    struct buf out = {0};
    bool brings_bos;
    if (gguf_open(path, &g, &err) != ST_OK) fail_msg("%s", err.message);
    if (vocab_open(g, &v, &err) != ST_OK) fail_msg("%s", err.message);
    if (chat_open_gguf(g, v, &c, &err) != ST_OK) fail_msg("%s", err.message);
    const struct chat_input in = {.messages = talk + 3, .n = 1};
    assert_int_equal(chat_render(c, &in, &out, &brings_bos, &err), ST_OK);
    assert_string_equal(out.data, prompt);
    /* The marks become single tokens, and BOS comes once where the vocabulary wants it. */
    const unsigned flags = VOCAB_SPECIAL | (brings_bos ? 0 : VOCAB_BOS);
    assert_int_equal(vocab_encode(v, out.data, out.len, flags, &ids, &err), ST_OK);
    assert_int_equal(vocab_kind(v, ids.id[0]), VOCAB_CONTROL);
    if (vocab_specials(v)->add_bos) {
        assert_int_equal(ids.id[0], vocab_specials(v)->bos);
        assert_int_not_equal(ids.id[1], vocab_specials(v)->bos);
    }
    ids_deinit(&ids);
    buf_deinit(&out);
    chat_close(c);
    vocab_close(v);
    gguf_close(g);
}

static void test_published(void **state)
{
    (void)state;
    struct stat sb;
    if (stat(SHARED_DIR "/vocab", &sb)) {
        print_message("skipped: there is no " SHARED_DIR "/vocab\n");
        skip();
    }
    expect_file(SHARED_DIR "/vocab/ggml-vocab-qwen2.gguf",
                "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
    expect_file(SHARED_DIR "/vocab/ggml-vocab-llama-bpe.gguf",
                "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n");
    expect_file(SHARED_DIR "/vocab/ggml-vocab-phi-3.gguf",
                "<s><|user|>\nBye<|end|>\n<|assistant|>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtins),        cmocka_unit_test(test_builtin_refusals),
        cmocka_unit_test(test_problem),         cmocka_unit_test(test_variables),
        cmocka_unit_test(test_faulty_input),    cmocka_unit_test(test_clock),
        cmocka_unit_test(test_with_vocabulary), cmocka_unit_test(test_of_file),
        cmocka_unit_test(test_tool_use),        cmocka_unit_test(test_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
