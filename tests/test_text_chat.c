/* Chat templates: what every family writes, how templates are recognised, what is refused. The
 * expected texts were rendered from the published templates by their own template language. */
#include "test_text_build.h"

#include "text/chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MESSAGE(role, text)                                                                        \
    {                                                                                              \
        role, text, sizeof text - 1                                                                \
    }

static const struct chat_message talk[] = {
    MESSAGE(CHAT_SYSTEM, "Be brief."),
    MESSAGE(CHAT_USER, " Hi "),
    MESSAGE(CHAT_ASSISTANT, "<think>\nWhy?\n</think>\n\nYo"),
    MESSAGE(CHAT_USER, "Bye"),
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
    {"qwen3-thinking",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|"
     ">assistant\n<think>\n",
     "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n<think>\n"},
    {"qwq",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
     "<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|"
     ">assistant\n<think>\n",
     "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\n<think>\n"},
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
    {"mistral-v0", NULL, "<s>[INST]  Hi  [/INST]"},
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
     NULL},
    {"gemma", NULL, "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"},
    {"gemma3",
     "<bos><start_of_turn>user\nBe "
     "brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n<think>\nWhy?\n</"
     "think>\n\nYo<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
     "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"},
    {"phi3-early",
     "<s><|user|>\n Hi "
     "<|end|>\n<|assistant|>\n<think>\nWhy?\n</"
     "think>\n\nYo<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
     "<s><|user|>\n Hi <|end|>\n<|assistant|>\n"},
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
    {"deepseek-r1-early",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>Be brief.<\xef\xbd\x9cUser\xef\xbd\x9c> "
     "Hi <\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>\n\nYo<\xef\xbd\x9c"
     "end\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c>Bye<"
     "\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>",
     "<\xef\xbd\x9c"
     "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c> Hi "
     "<\xef\xbd\x9c"
     "Assistant\xef\xbd\x9c>"},
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

static void expect(const struct chat *c, const struct chat_message *messages, size_t n,
                   bool generate, const char *text)
{
    struct buf out = {0};
    struct err err = {0};
    assert_int_equal(buf_add(&out, "kept", 4), ST_OK);
    enum status st = chat_render(c, messages, n, generate, &out, &err);
    assert_memory_equal(out.data, "kept", 4);
    if (text) {
        if (st != ST_OK) fail_msg("%s: %s", chat_name(c), err.message);
        assert_string_equal(out.data + 4, text);
    } else {
        assert_int_equal(st, ST_ARG);
        assert_int_equal(out.len, 4);
        assert_non_null(strstr(err.message, chat_name(c)));
    }
    buf_deinit(&out);
}

static void test_families(void **state)
{
    (void)state;
    for (int i = 0; i < GOLDENS; i++) {
        struct chat c;
        assert_int_equal(chat_init_named(&c, goldens[i].name, NULL, NULL), ST_OK);
        assert_string_equal(chat_name(&c), goldens[i].name);
        expect(&c, talk, TALK, true, goldens[i].talk);
        expect(&c, talk + 1, 1, true, goldens[i].alone);
        if (goldens[i].talk && chat_writes_bos(&c))
            assert_memory_equal(goldens[i].talk, c.bos, strlen(c.bos));
    }
    size_t names = 0;
    while (chat_name_at(names)) names++;
    assert_int_equal(names, GOLDENS);
}

/* ---- recognising --------------------------------------------------------------------------- */

static void init(struct chat *c, const char *text)
{
    struct err err = {0};
    if (chat_init(c, text, strlen(text), NULL, &err) != ST_OK) fail_msg("%s", err.message);
}

static void test_own_system_prompt(void **state)
{
    (void)state;
    static const char *const templates[] = {
        /* the line feed escaped, and as it is; double quotes; an escape inside */
        "{{ '<|im_start|>system\\nBe \\'kind\\'.<|im_end|>\\n' }}{{ '<|im_start|>' + "
        "message['role'] }}",
        "{{ '<|im_start|>system\nBe \\'kind\\'.<|im_end|>\n' }}{{ '<|im_start|>' + message['role'] "
        "}}",
        "{{ \"<|im_start|>system\\nBe 'kind'.<|im_end|>\" }}",
        "{{ '<|im_start|>system\\n' + x + '<|im_end|>' }}{{ \"<|im_start|>system\nBe "
        "'kind'.<|im_end|>\" }}",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct chat c;
        init(&c, templates[i]);
        assert_string_equal(chat_name(&c), "chatml");
        assert_string_equal(c.system, "Be 'kind'.");
        expect(&c, talk + 1, 1, false,
               "<|im_start|>system\nBe 'kind'.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n");
    }
    struct chat c;
    init(&c, "{{ '<|im_start|>system\\n' + x + '<|im_end|>' }}");
    assert_string_equal(c.system, "");
}

/* The template of the shipped pair: the last message, whoever's it is, and nothing else. */
static void test_problem(void **state)
{
    (void)state;
    static const struct chat_message system = MESSAGE(CHAT_SYSTEM, "");
    struct chat c;
    init(&c, "Problem: {{ messages[-1]['content'] }}\nSolution:");
    assert_string_equal(chat_name(&c), "problem");
    assert_false(chat_writes_bos(&c));
    expect(&c, talk, TALK, true, "Problem: Bye\nSolution:");
    expect(&c, talk, TALK, false, "Problem: Bye\nSolution:"); /* it does not ask */
    expect(&c, talk, 3, true, "Problem: <think>\nWhy?\n</think>\n\nYo\nSolution:");
    expect(&c, talk, 1, true, "Problem: Be brief.\nSolution:");
    expect(&c, &system, 1, true, "Problem: \nSolution:");
}

static void test_quirks(void **state)
{
    (void)state;
    static const char llama[] =
        "{{ bos_token }}{{ '<|start_header_id|>' + role + content | trim + '<|eot_id|>' }}";
    struct chat c;
    init(&c, llama);
    assert_string_equal(chat_name(&c), "llama3");
    assert_true(chat_writes_bos(&c));
    expect(&c, talk + 3, 1, false, /* this template opens the answer unasked */
           "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
           "<|start_header_id|>assistant<|end_header_id|>\n\n");
    init(&c, "{{ '<|im_start|>' }}{{ '<|im_end|>' }}");
    assert_false(chat_writes_bos(&c));
    init(&c, "{{ bos_token }}{{ '<|im_start|>' }}{{ '<|im_end|>' }}");
    assert_true(chat_writes_bos(&c));

    assert_int_equal(chat_init_named(&c, "llama3.1", NULL, NULL), ST_OK);
    strcpy(c.date, "01 Jan 2025");
    expect(&c, talk + 3, 1, false,
           "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
           "December 2023\nToday Date: 01 Jan 2025\n\n<|eot_id|><|start_header_id|>user"
           "<|end_header_id|>\n\nBye<|eot_id|>");
}

static void test_unknown(void **state)
{
    (void)state;
    static const char *const templates[] = {
        "", "{{ messages }}",
        "### Instruction:\n{{ m }}\n### Response:", "<|im_start|><|im_end|>{{ content | trim }}"};
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct chat c;
        struct err err = {0};
        assert_int_equal(chat_init(&c, templates[i], strlen(templates[i]), NULL, &err), ST_SUPPORT);
        assert_non_null(strstr(err.message, "--chat-template"));
        assert_non_null(strstr(err.message, "problem)")); /* the list of names is whole */
        assert_non_null(strstr(err.message, "--raw"));
    }
    struct chat c;
    struct err err = {0};
    assert_int_equal(chat_init_named(&c, "nonesuch", NULL, &err), ST_ARG);
    assert_non_null(strstr(err.message, "nonesuch"));
    assert_non_null(strstr(err.message, "qwen2.5"));
}

/* BOS and EOS are the vocabulary's own texts; a file without a template says so. */
static void test_with_vocabulary(void **state)
{
    (void)state;
    struct held h = {0};
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    struct chat c;
    struct err err = {0};
    assert_int_equal(chat_init_named(&c, "zephyr", h.vocab, NULL), ST_OK);
    expect(&c, talk + 3, 1, false, "<|user|>\nBye<|im_end|>\n");
    assert_int_equal(chat_init_gguf(&c, h.gguf, h.vocab, &err), ST_SUPPORT);
    assert_non_null(strstr(err.message, "tokenizer.chat_template"));
    held_close(&h);

    build_str(&h.build, "tokenizer.chat_template", "<|im_start|><|im_end|>");
    build_bpe(&h.build, "qwen2");
    assert_true(held_open(&h, NULL));
    assert_int_equal(chat_init_gguf(&c, h.gguf, h.vocab, &err), ST_OK);
    assert_string_equal(c.bos, "<|im_start|>");
    held_close(&h);
}

static void test_refused_messages(void **state)
{
    (void)state;
    static const struct chat_message twice[] = {MESSAGE(CHAT_USER, "a"), MESSAGE(CHAT_USER, "b")};
    static const char *const names[] = {"gemma", "gemma3", "llama2", "mistral-v1", "mistral-v3"};
    struct chat c;
    struct err err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(chat_init_named(&c, names[i], NULL, NULL), ST_OK);
        expect(&c, twice, 2, true, NULL);
    }
    struct buf out = {0};
    assert_int_equal(chat_render(&c, twice, 0, true, &out, &err), ST_ARG);
    assert_int_equal(out.len, 0);
    struct buf small = {.max = 16};
    assert_int_equal(buf_add(&small, "kept", 4), ST_OK);
    assert_int_equal(chat_init_named(&c, "chatml", NULL, NULL), ST_OK);
    assert_int_equal(chat_render(&c, twice, 2, true, &small, &err), ST_MEMORY);
    assert_int_equal(small.len, 4);
    assert_string_equal(small.data, "kept");
    buf_deinit(&small);
}

static void test_thinking(void **state)
{
    (void)state;
    static const struct chat_message last[] = {
        MESSAGE(CHAT_USER, "Q"), MESSAGE(CHAT_ASSISTANT, "<think>\n\nA\n</think>B</think>\n\nC")};
    static const struct chat_message none[] = {MESSAGE(CHAT_USER, "Q"),
                                               MESSAGE(CHAT_ASSISTANT, "\nC")};
    struct chat c;
    assert_int_equal(chat_init_named(&c, "qwen3", NULL, NULL), ST_OK);
    expect(&c, last, 2, false,
           "<|im_start|>user\nQ<|im_end|>\n"
           "<|im_start|>assistant\n<think>\nA\n</think>\n\nC<|im_end|>\n");
    expect(&c, none, 2, false,
           "<|im_start|>user\nQ<|im_end|>\n"
           "<|im_start|>assistant\n<think>\n\n</think>\n\nC<|im_end|>\n");
    assert_int_equal(chat_init_named(&c, "qwq", NULL, NULL), ST_OK);
    expect(&c, none, 2, false,
           "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n\nC<|im_end|>\n");
}

static void test_roles(void **state)
{
    (void)state;
    enum chat_role role = CHAT_USER;
    assert_true(chat_role_parse("assistant", &role));
    assert_int_equal(role, CHAT_ASSISTANT);
    assert_string_equal(chat_role_name(CHAT_SYSTEM), "system");
    assert_false(chat_role_parse("tool", &role));
}

/* ---- templates of published files ----------------------------------------------------------- */

static void expect_file(const char *path, const char *name, const char *prompt)
{
    struct gguf *g;
    struct vocab *v;
    struct chat c;
    struct err err = {0};
    struct ids ids = {0};
    struct buf out = {0};
    if (gguf_open(path, &g, &err) != ST_OK) fail_msg("%s", err.message);
    if (vocab_open(g, &v, &err) != ST_OK) fail_msg("%s", err.message);
    if (chat_init_gguf(&c, g, v, &err) != ST_OK) fail_msg("%s", err.message);
    assert_string_equal(chat_name(&c), name);
    assert_int_equal(chat_render(&c, talk + 3, 1, true, &out, &err), ST_OK);
    assert_string_equal(out.data, prompt);
    /* The marks become single tokens, and BOS comes once where the vocabulary wants it. */
    unsigned flags = VOCAB_SPECIAL | (chat_writes_bos(&c) ? 0 : VOCAB_BOS);
    assert_int_equal(vocab_encode(v, out.data, out.len, flags, &ids, &err), ST_OK);
    assert_int_equal(vocab_kind(v, ids.id[0]), VOCAB_CONTROL);
    if (vocab_specials(v)->add_bos) {
        assert_int_equal(ids.id[0], vocab_specials(v)->bos);
        assert_int_not_equal(ids.id[1], vocab_specials(v)->bos);
    }
    ids_deinit(&ids);
    buf_deinit(&out);
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
    expect_file(SHARED_DIR "/vocab/ggml-vocab-qwen2.gguf", "qwen3",
                "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
    expect_file(SHARED_DIR "/vocab/ggml-vocab-llama-bpe.gguf", "llama3",
                "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n");
    expect_file(SHARED_DIR "/vocab/ggml-vocab-phi-3.gguf", "phi3-early",
                "<s><|user|>\nBye<|end|>\n<|assistant|>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_own_system_prompt),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_with_vocabulary),
        cmocka_unit_test(test_refused_messages),
        cmocka_unit_test(test_thinking),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
