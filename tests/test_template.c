/* `ead template`, and what other commands say of templates: as a user would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"
#include "tiny.h"

#include <unistd.h>

static char model[TINY_PATH_MAX], bare[TINY_PATH_MAX], file[TINY_PATH_MAX];

static const char own[] =
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}|{{ m.content }}]{% endfor %}"
    "{% if enable_thinking is defined %}{{ enable_thinking }}{% endif %}"
    "{{ '>' if add_generation_prompt }}{% if messages[0].content == 'bad' %}\n{{ x.y }}{% endif %}";

static int set_up(void **state)
{
    (void)state;
    setenv("EAD_MODELS", "/nowhere", 1);
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    struct tiny *t = tiny_model(&spec);
    tiny_set_str(t, "tokenizer.chat_template", own);
    tiny_save_model(t, model);
    tiny_save_model(tiny_model(&spec), bare);
    strcpy(file, "/tmp/ead-template-XXXXXX.jinja");
    const int fd = mkstemps(file, 6);
    return fd < 0 || close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(model) | unlink(bare) | unlink(file);
}

static void write_file(const char *text)
{
    FILE *to = fopen(file, "w");
    assert_non_null(to);
    fputs(text, to);
    assert_int_equal(fclose(to), 0);
}

/* The command prints this and nothing else. */
#define expect(text, input, ...)                                                                   \
    do {                                                                                           \
        const char *args_[] = {"ead", "template", __VA_ARGS__, NULL};                              \
        struct said said_ = program_run(EAD_PROGRAM, args_, input, NULL);                          \
        if (said_.status) fail_msg("status %d: %s", said_.status, said_.err);                      \
        assert_string_equal(said_.out, text);                                                      \
        assert_string_equal(said_.err, "");                                                        \
        said_free(&said_);                                                                         \
    } while (0)

/* It prints nothing, and says this. */
#define expect_fault(code, words, input, ...)                                                      \
    do {                                                                                           \
        const char *args_[] = {"ead", __VA_ARGS__, NULL};                                          \
        struct said said_ = program_run(EAD_PROGRAM, args_, input, NULL);                          \
        assert_int_equal(said_.status, code);                                                      \
        assert_string_equal(said_.out, "");                                                        \
        if (!strstr(said_.err, words)) fail_msg("no \"%s\" in: %s", words, said_.err);             \
        said_free(&said_);                                                                         \
    } while (0)

static void test_renders(void **state)
{
    (void)state;
    static const char talk[] = "[{\"role\": \"user\", \"content\": \"Hm\"}]";
    static const char more[] = "{\"messages\": [{\"role\": \"tool\", \"content\": \"7\"}],"
                               " \"bos_token\": \"^\", \"add_generation_prompt\": false}";
    expect("<s>[user|Hello]>", NULL, "-m", model);
    expect("<s>[user|Hm]>", talk, "-m", model, "--messages", "-");
    expect("<s>[user|Hm]", talk, "-m", model, "--messages", "-", "--no-generation-prompt");
    expect("^[tool|7]", more, "-m", model, "--messages", "-");
    expect("<s>[user|Hello]False>", NULL, "-m", model, "--thinking", "off");
    expect("<s>[user|Hello]True>", NULL, "-m", model, "--thinking", "on");
    expect("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n", NULL, "-m", model,
           "--template", "chatml");
    write_file("{{ x ~ y[1] }}{{ strftime_now('%d.%m.%y') }}\n");
    expect("0.5b02.01.26", NULL, "--template", file, "--template-arg", "x=0.5", "--template-arg",
           "y=[1, \"b\"]", "--now", "2026-01-02");
    write_file("");
    expect("", NULL, "--template", file);
}

static void test_faults(void **state)
{
    (void)state;
    static const char bad[] = "[{\"role\": \"user\", \"content\": \"bad\"}]";
    expect_fault(1, "chat_template: line 2: \"x\" is undefined", bad, "template", "-m", model,
                 "--messages", "-");
    expect_fault(1, "; --template takes another", bad, "template", "-m", model, "--messages", "-");
    expect_fault(1, "tokenizer.chat_template: this model has none", NULL, "template", "-m", bare);
    expect_fault(1, "messages: line 1", "[{]", "template", "-m", model, "--messages", "-");
    write_file("[{]");
    expect_fault(1, ".jinja: line 1, column 3: ", NULL, "template", "-m", model, "--messages",
                 file);
    expect_fault(1, "; --chat-template takes another", NULL, "chat", "-S", bare);
    expect_fault(2, "-m FILE or --template FILE is missing", NULL, "template");
    expect_fault(1, "known are: chatml", NULL, "template", "--template", "nonesuch");
    expect_fault(1, "/nonesuch.jinja", NULL, "template", "--template", "/nonesuch.jinja");
    expect_fault(1, "expected JSON", NULL, "template", "-m", model, "--template-arg", "x=y");
    expect_fault(1, "expected NAME=JSON", NULL, "template", "-m", model, "--template-arg", "x");
    expect_fault(1, "enable_thinking", NULL, "template", "--template", "chatml", "--thinking",
                 "on");
    expect_fault(1, "found \"noon\"", NULL, "template", "-m", model, "--now", "noon");
    write_file("one\n{% for %}");
    expect_fault(1, ".jinja: line 2: ", NULL, "template", "--template", file);
}

/* A prompt is shown as the model gets it, on standard error. */
static void test_verbose_prompt(void **state)
{
    (void)state;
    static const char shown[] = "--- prompt ---\n<s>[user|Hm]>\n--- end of prompt ---\n";
    const char *run[] = {"ead", "run", "-S", model, "-p", "Hm", "-n", "2", "--verbose-prompt",
                         NULL};
    struct said said = program_run(EAD_PROGRAM, run, NULL, NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.err, shown));
    assert_null(strstr(said.out, "prompt"));
    said_free(&said);
    const char *chat[] = {"ead", "chat", "-S", model, "-n", "2", "--verbose-prompt", NULL};
    said = program_run(EAD_PROGRAM, chat, "Hm\nAgain\n", NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.err, shown));
    assert_non_null(strstr(said.err, "|Again]>\n--- end of prompt ---\n"));
    said_free(&said);
    const char *raw[] = {"ead", "run", "-S", bare, "-p", "Hm", "-n", "2", "--verbose-prompt", NULL};
    said = program_run(EAD_PROGRAM, raw, NULL, NULL);
    assert_non_null(strstr(said.err, "--- prompt ---\nHm\n--- end"));
    said_free(&said);
}

/* A template that refuses a turn ends neither the program nor the conversation. */
static void test_refused_turn(void **state)
{
    (void)state;
    write_file(
        "{{ raise_exception('no') if messages[-1].content == 'bad' }}[{{ messages|length }}]");
    const char *chat[] = {
        "ead", "chat", "-S", model, "-n", "2", "--chat-template", file, "--verbose-prompt", NULL};
    struct said said = program_run(EAD_PROGRAM, chat, "Hm\nbad\nAgain\n", NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.err, "the template refuses: no"));
    assert_non_null(strstr(said.err, "--- prompt ---\n[3]\n"));
    said_free(&said);
    const char *list[] = {"ead", "eval", "--chat-template", "list", NULL};
    said = program_run(EAD_PROGRAM, list, NULL, NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.out, "chatml"));
    said_free(&said);
    write_file("AB{{ '\\x00' }}{{ 'y' * 30 }}");
    const char *nul[] = {"ead", "run", "-S", model, "-p", "x", "-n", "1", "--chat-template",
                         file,  NULL};
    said = program_run(EAD_PROGRAM, nul, NULL, NULL);
    assert_int_equal(said.status, 0);
    said_free(&said);
}

/* Template arguments reach the prompt of every command that takes them. */
static void test_arguments(void **state)
{
    (void)state;
    const char *run[] = {
        "ead", "run", "-S", model, "-p", "Hm", "-n", "1", "--thinking", "off", "--verbose-prompt",
        NULL};
    struct said said = program_run(EAD_PROGRAM, run, NULL, NULL);
    assert_non_null(strstr(said.err, "[user|Hm]False>\n"));
    said_free(&said);
    expect_fault(2, "--raw contradicts", NULL, "run", "-S", model, "-p", "x", "--raw", "--thinking",
                 "off");
    expect_fault(2, "--thinking: expected one of auto, on, off", NULL, "run", "-S", model, "-p",
                 "x", "--thinking", "maybe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renders),        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_verbose_prompt), cmocka_unit_test(test_refused_turn),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
