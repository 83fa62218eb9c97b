/* The program, as scripts and people meet it: output, errors, exit statuses, files. */
#include "program.h"

#include "base/utf8.h"
#include "tiny.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

#include <cmocka.h>

static char large[TINY_PATH_MAX], small[TINY_PATH_MAX], other[TINY_PATH_MAX];
static char folder[TINY_PATH_MAX], trace[TINY_PATH_MAX + 16], scrap[TINY_PATH_MAX + 16];

static const char chatml[] =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' "
    "}}{% endif %}";

static void save_model(struct tiny_spec spec, const char *template_text, char *path)
{
    struct tiny *t = tiny_model(&spec);
    if (template_text) tiny_set_str(t, "tokenizer.chat_template", template_text);
    tiny_save_model(t, path);
}

static int set_up(void **state)
{
    (void)state;
    setenv("EAD_MODELS", "/nowhere", 1); /* no shipped pair: what is not named is missing */
    struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    spec.n_ctx = 2048;
    save_model(spec, NULL, small);
    spec.n_layer = 3;
    spec.seed += 1;
    save_model(spec, NULL, large);
    spec.no_bytes = true;
    save_model(spec, "{{ messages }}\n{% if %}a faulty one", other);
    tiny_folder(folder);
    snprintf(trace, sizeof trace, "%s/trace.jsonl", folder);
    snprintf(scrap, sizeof scrap, "%s/scrap", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(large);
    unlink(small);
    unlink(other);
    unlink(trace);
    unlink(scrap);
    return rmdir(folder);
}

/* ---- words and options --------------------------------------------------------------------- */

static void test_help(void **state)
{
    (void)state;
    static const char *const commands[] = {"run", "chat", "bench", "tokenize", "logits", "inspect"};
    assert_said(ead("--help", NULL), 0, "usage: ead COMMAND", NULL);
    assert_said(ead("--version", NULL), 0, "ead 0.", NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char usage[64];
        snprintf(usage, sizeof usage, "usage: ead %s", commands[i]);
        assert_said(ead(commands[i], "--help", NULL), 0, usage, NULL);
    }
    assert_said(ead("run", "--chat-template", "list", NULL), 0, "chatml", NULL);
}

static void test_usage_errors(void **state)
{
    (void)state;
    assert_said(ead(NULL), 2, NULL, "usage: ead");
    assert_said(ead("fly", NULL), 2, NULL, "\"fly\": no such command");
    assert_said(ead("run", "--wings", NULL), 2, NULL, "--wings: no such option");
    assert_said(ead("run", "-p", NULL), 2, NULL, "--prompt: the value TEXT is missing");
    assert_said(ead("run", "-p", "x", NULL), 2, NULL, "--large FILE");
    assert_said(ead("run", "-S", small, NULL), 2, NULL, "-p PROMPT");
    assert_said(ead("run", "-S", small, "-p", "x", "--tau", "high", NULL), 2, NULL,
                "--tau: expected a number, found \"high\"");
    assert_said(ead("run", "-S", small, "-p", "x", "--window", "0", NULL), 2, NULL,
                "--window: expected a number from 1 to 1024, found \"0\"");
    assert_said(
        ead("run", "-S", small, "-p", "x", "--policy", "luck", NULL), 2, NULL,
        "--policy: expected one of ead, large, small, random, speculative, judge, ead+, typical, "
        "relaxed, cascade, lenient, fly, fsd, bild, rstitch, r2r, step, replay, found \"luck\"");
    assert_said(ead("serve", "-S", small, "--policy", "replay", NULL), 2, NULL,
                "--policy: expected one of ead, large, small, random, speculative, judge, ead+, "
                "typical, relaxed, cascade, lenient, fly, fsd, bild, rstitch, r2r, step, found "
                "\"replay\"");
    assert_said(ead("serve", "-S", small, "--slots", "128", "--ctx", "16777216", NULL), 2, NULL,
                "--slots times --ctx: expected at most 1073741824 tokens, found 2147483648");
    assert_said(ead("run", "-S", small, "-p", "x", "--policy", "large", NULL), 2, NULL,
                "--policy large needs --large FILE");
    assert_said(ead("run", "-S", small, "-p", "x", "--chat", "--raw", NULL), 2, NULL,
                "--chat contradicts --raw");
    assert_said(ead("run", "-S", small, "-p", "x", "y", NULL), 2, NULL, "\"y\"");
    assert_said(ead("run", "-S", small, "-p", "x", "--top-p", "0", NULL), 2, NULL,
                "--top-p: expected a number from");
    assert_said(ead("bench", NULL), 2, NULL, "-m FILE is missing");
    assert_said(ead("inspect", NULL), 2, NULL, "FILE is missing");
}

static void test_bad_files(void **state)
{
    (void)state;
    FILE *file = fopen(scrap, "w");
    fputs("GGUF, or so it says, and nothing more", file);
    fclose(file);
    assert_said(ead("run", "-S", "/nowhere/x.gguf", "-p", "x", NULL), 1, NULL, "/nowhere/x.gguf");
    assert_said(ead("run", "-S", folder, "-p", "x", NULL), 1, NULL, "not a regular file");
    assert_said(ead("run", "-S", scrap, "-p", "x", NULL), 1, NULL, "version");
    assert_said(ead("run", "-S", small, "-f", "/nowhere/p", NULL), 1, NULL, "/nowhere/p");
    assert_said(ead("run", "-L", other, "-S", small, "-p", "x", NULL), 1, NULL, "from id 3");
    assert_said(ead("inspect", scrap, NULL), 1, NULL, scrap);
}

/* ---- run ----------------------------------------------------------------------------------- */

static struct said write_with(const char *tau, const char *path)
{
    return ead("run", "-L", large, "-S", small, "-p", "a prompt", "-n", "120", "--ignore-eos",
               "--tau", tau, "--dwell", "4", "--window", "3", "--trace", path, NULL);
}

static json_t *trace_line(FILE *file)
{
    static char line[1 << 16];
    return fgets(line, sizeof line, file) ? json_loads(line, 0, NULL) : NULL;
}

static double number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value)) fail_msg("%s: not a number", name);
    return json_number_value(value);
}

/* A threshold in the middle of the small model's rolling entropies: both models get to write. */
static const char *middle_tau(void)
{
    static char tau[32];
    double low = 1e9, high = -1e9;
    assert_said(write_with("1e9", trace), 0, NULL, NULL);
    FILE *file = fopen(trace, "r");
    for (json_t *t; (t = trace_line(file)); json_decref(t)) {
        double h = number(t, "rolling");
        low = h < low ? h : low;
        high = h > high ? h : high;
    }
    fclose(file);
    snprintf(tau, sizeof tau, "%.6f", (low + high) / 2);
    return tau;
}

/* Recompute every decision from the trace and the options alone. */
static void test_trace_rule(void **state)
{
    (void)state;
    const char *const text = middle_tau();
    const double tau = strtod(text, NULL);
    struct said said = write_with(text, trace);
    assert_int_equal(said.status, 0);
    double window[3];
    int c = 0, n = 0, switches = 0, writer = 0;
    FILE *file = fopen(trace, "r");
    for (json_t *t; (t = trace_line(file)); json_decref(t), n++) {
        const int large_wrote = !strcmp(json_string_value(json_object_get(t, "model")), "large");
        assert_int_equal((int)number(t, "i"), n);
        assert_int_equal(large_wrote, writer);
        assert_int_equal(json_is_true(json_object_get(t, "switched")), n > 0 && c == 0);
        double sum = 0;
        int held = n < 2 ? n + 1 : 3;
        window[n % 3] = number(t, "entropy");
        for (int i = held - 1; i >= 0; i--) sum += window[(n - i) % 3];
        assert_true(sum / held == number(t, "rolling"));
        c++;
        int next = c >= 4 ? sum / held > tau : writer;
        if (next != writer) {
            switches++;
            c = 0;
        }
        writer = next;
    }
    fclose(file);
    assert_int_equal(n, 120);
    assert_true(switches > 0);
    said_free(&said);
}

/* The texts of a trace, one after the other, are the output. */
static void test_trace_text(void **state)
{
    (void)state;
    char all[1 << 12] = "";
    struct said said = ead("run", "-S", other, "-p", "the", "--raw", "-n", "30", "--ignore-eos",
                           "--trace", trace, NULL);
    assert_int_equal(said.status, 0);
    FILE *file = fopen(trace, "r");
    for (json_t *t; (t = trace_line(file)); json_decref(t))
        strcat(all, json_string_value(json_object_get(t, "text")));
    fclose(file);
    assert_int_equal(strlen(all) + 1, strlen(said.out));
    assert_int_equal(strncmp(said.out, all, strlen(all)), 0);
    said_free(&said);
}

static void test_replay_and_ends(void **state)
{
    (void)state;
    struct said first = write_with(middle_tau(), trace);
    struct said again = ead("run", "-L", large, "-S", small, "-p", "a prompt", "-n", "120",
                            "--ignore-eos", "--replay", trace, NULL);
    assert_int_equal(again.status, 0);
    assert_string_equal(first.out, again.out);
    struct said high = write_with("1e9", scrap);
    struct said alone = ead("run", "-L", large, "-S", small, "-p", "a prompt", "-n", "120",
                            "--ignore-eos", "--policy", "small", NULL);
    assert_string_equal(high.out, alone.out);
    assert_string_not_equal(first.out, alone.out);
    said_free(&first);
    said_free(&again);
    said_free(&high);
    said_free(&alone);
    FILE *file = fopen(scrap, "w");
    fputs("{\"model\": \"small\"}\n{\"model\": \"medium\"}\n", file);
    fclose(file);
    assert_said(ead("run", "-L", large, "-S", small, "-p", "x", "--replay", scrap, NULL), 1, NULL,
                "line 2");
}

static void test_summary(void **state)
{
    (void)state;
    struct said said = ead("run", "-L", large, "-S", small, "-p", "a prompt", "-n", "60",
                           "--ignore-eos", "--policy", "random", "--share", "0.5", "--dwell", "3",
                           "--seed", "7", "--json", scrap, NULL);
    assert_int_equal(said.status, 0);
    json_t *report = json_load_file(scrap, 0, NULL);
    assert_non_null(report);
    const char *name;
    json_t *value;
    json_object_foreach(report, name, value) if (!json_is_object(value))
        assert_non_null(strstr(said.err, name));
    json_t *s = json_object_get(report, "small"), *l = json_object_get(report, "large");
    json_object_foreach(l, name, value) if (strcmp(name, "file"))
        assert_non_null(strstr(said.err, name));
    assert_int_equal((int)(number(s, "tokens") + number(l, "tokens")), 60);
    assert_true(number(l, "tokens") > 0 && number(report, "switches") > 1);
    assert_true(number(s, "prompt_rows") == number(l, "prompt_rows"));
    const double p = number(l, "share");
    const double ratio = number(s, "active_parameters") / number(l, "active_parameters");
    assert_true(fabs(number(report, "parameter_cost") - (p + (1 - p) * ratio)) < 1e-6);
    json_decref(report);
    said_free(&said);
}

/* Alone, a model takes exactly as long as itself, and nothing more than its own steps. */
static void test_account_alone(void **state)
{
    (void)state;
    struct said said = ead("run", "-L", large, "-S", small, "-p", "a prompt", "-n", "20",
                           "--ignore-eos", "--policy", "large", "--json", scrap, NULL);
    assert_int_equal(said.status, 0);
    said_free(&said);
    json_t *report = json_load_file(scrap, 0, NULL);
    assert_true(fabs(number(report, "time_vs_large_alone") - 1) < 1e-6);
    assert_true(fabs(number(report, "overhead_over_ideal")) < 1e-6);
    assert_int_equal((int)number(json_object_get(report, "large"), "decode_rows"), 19);
    json_decref(report);
}

/* A vocabulary without one token in use has nothing to choose from. */
static void test_padding_alone(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    struct tiny *t = tiny_model(&spec);
    static char text[1024][16];
    const char *texts[1024];
    int32_t kinds[1024];
    const size_t n = (size_t)tiny_real_vocab(&spec);
    assert_in_range(n, 1, 1024);
    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "[PAD%d]", (int)i);
        texts[i] = text[i];
        kinds[i] = 5;
    }
    tiny_set_strs(t, "tokenizer.ggml.tokens", texts, n);
    tiny_set_array(t, "tokenizer.ggml.token_type", GGUF_I32, kinds, n, n * sizeof *kinds);
    struct tiny_image *image = tiny_write(t, 0, 1);
    char path[TINY_PATH_MAX];
    tiny_save(image->bytes.data, image->bytes.n, path);
    tiny_image_free(image);
    tiny_free(t);
    assert_said(ead("bench", "-m", path, "-p", "4", NULL), 1, NULL, "tokenizer.ggml.token_type");
    unlink(path);
}

/* A character that the text breaks off in is not shown. Every token of this text is one byte. */
static void test_no_half_character(void **state)
{
    (void)state;
    for (int n = 1; n < 12; n++) {
        char count[8];
        snprintf(count, sizeof count, "%d", n);
        struct said said = ead("run", "-S", small, "-p", "\xf0\x9f\xa6", "--raw", "--temp", "5",
                               "--seed", count, "-n", count, "--ignore-eos", NULL);
        assert_int_equal(said.status, 0);
        assert_int_equal(said.out[said.n_out - 1], '\n');
        /* Where nothing was held back, the last bytes begin no character. */
        for (size_t k = 1; k < 4 && said.n_out - 1 == (size_t)n && k <= (size_t)n; k++)
            assert_int_not_equal(utf8_char(said.out + said.n_out - 1 - k, k), -1);
        said_free(&said);
    }
}

/* A change of the policy in a chat keeps the recording that is replayed. */
static void test_chat_replay(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.n_ctx = 1024;
    char model[TINY_PATH_MAX];
    save_model(spec, chatml, model);
    FILE *file = fopen(scrap, "w");
    fputs("{\"model\": \"small\"}\n{\"model\": \"large\"}\n", file);
    fclose(file);
    const char *args[] = {"ead",      "chat", "-L", model, "-S", model,
                          "--replay", scrap,  "-n", "4",   NULL};
    struct said said = program_run(EAD_PROGRAM, args, "hello\n/tau 2\n/show\nagain\n", NULL);
    assert_int_equal(said.status, 0);
    assert_null(strstr(said.err, "recording"));
    assert_non_null(strstr(said.err, "policy replay, tau 2"));
    said_free(&said);
    unlink(model);
}

static void test_prompt_sources(void **state)
{
    (void)state;
    const char *args[] = {"ead", "run", "-S", small, "-p", "-", "-n", "8", NULL};
    FILE *file = fopen(scrap, "w");
    fputs("a prompt", file);
    fclose(file);
    struct said direct = ead("run", "-S", small, "-p", "a prompt", "-n", "8", NULL);
    struct said piped = program_run(EAD_PROGRAM, args, "a prompt", NULL);
    struct said filed = ead("run", "-S", small, "-f", scrap, "-n", "8", NULL);
    assert_string_equal(direct.out, piped.out);
    assert_string_equal(direct.out, filed.out);
    said_free(&direct);
    said_free(&piped);
    said_free(&filed);
    /* In a chat template the line end with which an editor closes a file is no part of the text. */
    file = fopen(scrap, "w");
    fputs("\xef\xbb\xbf", file); /* nor is the mark with which some open one */
    fputs("a prompt\n", file);
    fclose(file);
    direct =
        ead("run", "-S", small, "--chat-template", "chatml", "-p", "a prompt", "-n", "8", NULL);
    filed = ead("run", "-S", small, "--chat-template", "chatml", "-f", scrap, "-n", "8", NULL);
    assert_true(direct.status == 0 && *direct.out);
    assert_string_equal(direct.out, filed.out);
    said_free(&direct);
    said_free(&filed);
    assert_said(ead("run", "-S", small, "-p", "a long prompt", "-c", "4", NULL), 1, NULL,
                "does not fit");
    assert_said(ead("run", "-S", small, "-p", "a", "-c", "8", "--ignore-eos", NULL), 0, NULL,
                "context full");
    assert_said(ead("run", "-S", small, "-p", "", "-n", "2", NULL), 0, NULL, "prompt_rows");
}

static void test_color(void **state)
{
    (void)state;
    struct said plain = ead("run", "-S", small, "-p", "x", "-n", "4", NULL);
    assert_null(strchr(plain.out, '\033'));
    said_free(&plain);
    struct said painted = ead("run", "-S", small, "-p", "x", "-n", "4", "--color", "always", NULL);
    assert_non_null(strstr(painted.out, "\033[36m"));
    assert_non_null(strstr(painted.out, "\033[0m"));
    said_free(&painted);
}

/* Interrupt a text that would go on: it ends cleanly, with its account. */
static void test_interrupt(void **state)
{
    (void)state;
    int out[2];
    FILE *err = tmpfile();
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (!child) {
        dup2(out[1], 1);
        dup2(fileno(err), 2);
        close(out[0]);
        execl(EAD_PROGRAM, "ead", "run", "-S", small, "-p", "x", "--ignore-eos", "--cpu", "ref",
              "-c", "100000", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char text[256];
    assert_true(read(out[0], text, sizeof text) > 0);
    kill(child, SIGINT);
    while (read(out[0], text, sizeof text) > 0) continue;
    close(out[0]);
    assert_int_equal(said_status(child), 0);
    char *report = said_slurp(err, NULL);
    assert_non_null(strstr(report, "interrupt"));
    free(report);
}

/* ---- chat ---------------------------------------------------------------------------------- */

static void test_chat(void **state)
{
    (void)state;
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.n_ctx = 4096;
    char model[TINY_PATH_MAX];
    save_model(spec, chatml, model);
    const char *args[] = {"ead", "chat", "-S", model, "-n", "6", NULL};
    struct said said = program_run(EAD_PROGRAM, args,
                                   "hello\n/tau x\n/dance\n/window 1025\n/dwell 0\n/tau 0.5\n"
                                   "/show\nagain\n/stats\n/quit\n"
                                   "never read\n",
                                   NULL);
    if (said.status) fail_msg("status %d: %s", said.status, said.err);
    assert_non_null(strstr(said.err, "/tau: expected a number"));
    assert_non_null(strstr(said.err, "/dance: no such command"));
    assert_non_null(strstr(said.err, "/window: expected a number from 1 to 1024, found \"1025\""));
    assert_non_null(
        strstr(said.err, "/dwell: expected a number from 1 to 2147483647, found \"0\""));
    assert_non_null(strstr(said.err, "tau 0.5"));
    assert_non_null(strstr(said.err, "decode_rows"));
    int lines = 0;
    for (const char *c = said.out; *c; c++) lines += *c == '\n';
    assert_true(lines >= 2);
    said_free(&said);
    struct said forced = ead("run", "-S", model, "-p", "x", "-n", "4", "--json", "-", NULL);
    assert_int_equal(forced.status, 0);
    said_free(&forced);
    unlink(model);
    assert_said(ead("run", "-S", other, "-p", "t", NULL), 1, NULL, "--chat-template");
    assert_said(ead("run", "-S", other, "-p", "t", NULL), 1, NULL, "--raw");
    assert_said(ead("chat", "-S", other, NULL), 1, NULL, "--chat-template");
}

/* ---- the other commands -------------------------------------------------------------------- */

static void test_tokenize(void **state)
{
    (void)state;
    static const char text[] = "a b\tc\n\xf0\x9f\xa6\x99\xff end ";
    const char *encode[] = {"ead", "tokenize", "-m", small, NULL};
    const char *with_bos[] = {"ead", "tokenize", "-m", small, "--bos", NULL};
    const char *decode[] = {"ead", "tokenize", "-m", small, "--decode", NULL};
    struct said ids = program_run(EAD_PROGRAM, encode, text, NULL);
    struct said bos = program_run(EAD_PROGRAM, with_bos, text, NULL);
    struct said back = program_run(EAD_PROGRAM, decode, ids.out, NULL);
    assert_int_equal(ids.status | bos.status | back.status, 0);
    assert_string_equal(back.out, text);
    assert_int_equal(strncmp(bos.out, "1 ", 2), 0);
    assert_string_equal(bos.out + 2, ids.out);
    assert_string_equal(strchr(ids.out, '\n'), "\n");
    said_free(&ids);
    said_free(&bos);
    said_free(&back);
    assert_said(program_run(EAD_PROGRAM, decode, "3 99999", NULL), 1, NULL, "99999");
    assert_said(program_run(EAD_PROGRAM, decode, "3 x", NULL), 1, NULL, "token id 1");
}

static void test_logits(void **state)
{
    (void)state;
    const int n_logits = 3;
    struct said said = ead("logits", "-m", small, "--ids", "1, 5 9", "-o", scrap, NULL);
    assert_int_equal(said.status, 0);
    said_free(&said);
    ead_error error;
    ead_model *model;
    ead_session *session;
    assert_int_equal(ead_model_open(small, NULL, &model, &error), 0);
    assert_int_equal(ead_session_open(model, NULL, &session, &error), 0);
    FILE *file = fopen(scrap, "rb");
    const int ids[] = {1, 5, 9}, width = ead_model_describe(model).n_logits;
    for (int i = 0; i < n_logits; i++) {
        float row[4096];
        ead_row one = {.pos = i, .token = ids[i], .wants_logits = true};
        assert_int_equal(ead_session_eval(session, &one, 1, &error), 0);
        assert_int_equal(fread(row, sizeof *row, (size_t)width, file), width);
        assert_memory_equal(row, ead_session_logits(session, 0), (size_t)width * sizeof *row);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    ead_session_close(session);
    ead_model_close(model);
    assert_said(ead("logits", "-m", small, "--ids", "1,-2", "-o", scrap, NULL), 1, NULL, "-2");
    assert_said(ead("logits", "-m", small, "--ids", "3000000000", "-o", scrap, NULL), 1, NULL,
                "expected a number from 0 to 2147483647, found \"3000000000\"");
    assert_said(ead("logits", "-m", small, "--ids", "999999", "-o", scrap, NULL), 1, NULL,
                "999999");
    assert_said(ead("logits", "-m", small, "--ids", "1", "-o", scrap, "--cpu", "abacus", NULL), 2,
                NULL, "abacus");
}

static void test_inspect_and_bench(void **state)
{
    (void)state;
    assert_said(ead("inspect", small, NULL), 0, "token_embd.weight", NULL);
    struct said json = ead("inspect", "--json", small, NULL);
    json_t *parsed = json_loads(json.out, 0, NULL);
    assert_non_null(parsed);
    assert_string_equal(
        json_string_value(json_object_get(
            json_object_get(json_object_get(parsed, "metadata"), "general.architecture"), "value")),
        "llama");
    json_decref(parsed);
    said_free(&json);
    struct said bench =
        ead("bench", "-m", small, "-p", "3,1", "-g", "2", "-r", "2", "--json", NULL);
    parsed = json_loads(bench.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(parsed, "results")), 3);
    json_decref(parsed);
    said_free(&bench);
    assert_said(ead("bench", "-m", small, "-p", "0", NULL), 2, NULL, "1 to 4096");
}

/* Every command that opens an engine takes the option, refuses what it does not know before it
 * looks at anything else, and computes other logits with it. */
static void test_cache_type(void **state)
{
    (void)state;
    static const char *const commands[] = {"run", "chat", "eval", "calibrate", "bench", "logits"};
    const char *const types[] = {"f16", "q8_0"};
    struct said logits[2];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        assert_said(ead(commands[i], "--cache-type", "q4_0", NULL), 2, NULL,
                    "--cache-type: expected one of f16, q8_0, found \"q4_0\"");
    for (int i = 0; i < 2; i++) {
        char field[64];
        snprintf(field, sizeof field, "\"cache_type\": \"%s\"", types[i]);
        logits[i] = ead("logits", "-m", small, "--ids", "1,5,9,2,7", "-o", "-", "--cache-type",
                        types[i], NULL);
        assert_int_equal(logits[i].status, 0);
        assert_said(ead("run", "-S", small, "-p", "3 4", "-n", "3", "--cache-type", types[i],
                        "--json", "-", NULL),
                    0, field, NULL);
        assert_said(ead("bench", "-L", large, "-S", small, "-g", "4", "-r", "1", "--json",
                        "--cache-type", types[i], NULL),
                    0, field, NULL);
        assert_said(ead("bench", "-m", small, "-p", "2", "-g", "1", "-r", "1", "--cache-type",
                        types[i], NULL),
                    0, types[i], NULL);
    }
    assert_int_equal(logits[0].n_out, logits[1].n_out);
    assert_memory_not_equal(logits[0].out, logits[1].out, logits[0].n_out);
    for (int i = 0; i < 2; i++) said_free(&logits[i]);
}

/* Weights are packed on every machine whose kernels read panels, whichever of them is chosen. */
static void test_repacked(void **state)
{
    (void)state;
    const char *const levels[] = {"ref", kern_best()->name};
    for (int i = 0; i < 2; i++) {
        struct said said = ead("bench", "-m", small, "-p", "2", "-g", "1", "-r", "1", "--json",
                               "--cpu", levels[i], NULL);
        json_t *parsed = json_loads(said.out, 0, NULL);
        json_int_t bytes = json_integer_value(json_object_get(parsed, "repacked_bytes"));
        assert_int_equal(said.status, 0);
        assert_int_equal(bytes > 0, kern_best()->panels);
        json_decref(parsed);
        said_free(&said);
    }
}

static bool is_mapped(const char *cache)
{
    struct said said = ead("bench", "-m", small, "-p", "2", "-g", "1", "-r", "1", "--json",
                           "--pack-cache", cache, NULL);
    json_t *parsed = json_loads(said.out, 0, NULL);
    assert_int_equal(said.status, 0);
    const bool mapped = json_is_true(json_object_get(parsed, "mapped"));
    json_decref(parsed);
    said_free(&said);
    return mapped;
}

/* tests/test_packfile.c has what can befall the files. */
static void test_pack_cache(void **state)
{
    (void)state;
    char cache[TINY_PATH_MAX + 32], path[2 * TINY_PATH_MAX];
    const char *pair[] = {"ead", "run", "-L", large,          "-S",  small, "-p",
                          "3 4", "-n",  "9",  "--pack-cache", cache, NULL};
    if (!kern_best()->panels) skip();
    snprintf(cache, sizeof cache, "%s/cache", folder);
    assert_false(is_mapped(cache));
    assert_true(is_mapped(cache));
    struct said first = program_run(EAD_PROGRAM, pair, NULL, NULL); /* the large one is packed */
    struct said again = program_run(EAD_PROGRAM, pair, NULL, NULL);
    assert_int_equal(first.status, 0);
    assert_string_equal(first.out, again.out);
    said_free(&first);
    said_free(&again);
    int n = 0;
    DIR *dir = opendir(cache);
    for (struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", cache, d->d_name);
        n += !unlink(path);
    }
    closedir(dir);
    assert_int_equal(n, 2);
    assert_int_equal(rmdir(cache), 0);
    assert_said(ead("run", "-S", small, "-p", "x", "-n", "2", "--pack-cache", small, NULL), 0, NULL,
                "Not a directory; the next start rearranges");
}

static double field(const json_t *object, const char *name)
{
    return json_real_value(json_object_get(object, name));
}

static void assert_near(double found, double expected)
{
    assert_true(found > 0);
    assert_true(found > expected * (1 - 1e-9) && found < expected * (1 + 1e-9));
}

/* Time is not tested; that the schedule was kept, and that its parts add up, is. */
/* What a trace holds of drafts, judgements and cuts is done again, on whatever pair. */
static void test_bench_judgements(void **state)
{
    (void)state;
    json_int_t judgements = 0, judged = 0, refused = 0, lost = 0;
    assert_said(ead("run", "--large", large, "--small", small, "--raw", "-p", "a", "-n", "40",
                    "--policy", "speculative", "--draft", "3", "--ignore-eos", "--trace", trace,
                    NULL),
                0, NULL, NULL);
    FILE *file = fopen(trace, "r");
    assert_non_null(file);
    for (json_t *t; (t = trace_line(file)); json_decref(t)) {
        json_int_t n, kept;
        lost += json_is_true(json_object_get(t, "lost"));
        if (json_unpack(t, "{s:{s:I,s:I}}", "judgement", "judged", &n, "kept", &kept)) continue;
        judgements++;
        judged += n;
        refused += kept < n;
    }
    fclose(file);
    assert_true(judgements > 5 && refused > 0 && lost > 0);
    struct said said =
        ead("bench", "-L", small, "-S", large, "--replay", trace, "-r", "1", "--json", NULL);
    json_t *report = json_loads(said.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(report, "tokens")), 40);
    assert_int_equal(json_integer_value(json_object_get(report, "judgements")), judgements);
    assert_int_equal(json_integer_value(json_object_get(report, "judged")), judged);
    assert_int_equal(json_integer_value(json_object_get(report, "refused")), refused);
    assert_int_equal(json_integer_value(json_object_get(report, "lost")), lost);
    assert_true(json_integer_value(json_object_get(report, "large_rows")) >= judged);
    json_decref(report);
    said_free(&said);
}

static void test_bench_pair(void **state)
{
    (void)state;
    struct said said = ead("bench", "--large", large, "--small", small, "--share", "0.25", "--run",
                           "5", "-g", "60", "--prompt", "7", "-r", "2", "--json", NULL);
    json_t *report = json_loads(said.out, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(report, "tokens")), 60);
    assert_int_equal(json_integer_value(json_object_get(report, "large_tokens")), 15);
    assert_int_equal(json_integer_value(json_object_get(report, "switches")), 5);
    /* Turns of 15 and 5, three of each. A model that comes back reads its own last token and those
     * of the other one; the last of these is the row it decodes from. */
    assert_int_equal(json_integer_value(json_object_get(report, "large_catchup_rows")),
                     14 + 15 + 15);
    assert_int_equal(json_integer_value(json_object_get(report, "small_catchup_rows")), 5 + 5);
    /* Of the first token no model's step is a part: 44 and 15 are, of the pair as of each alone. */
    assert_near(field(report, "large_alone"), 59 * field(report, "large_step"));
    assert_near(field(report, "ideal"),
                44 * field(report, "small_step") + 15 * field(report, "large_step"));
    assert_near(field(report, "time_vs_baseline"), field(report, "time_vs_large_alone"));
    json_decref(report);
    said_free(&said);
    assert_said(ead("run", "--large", large, "--small", small, "--raw", "-p", "a", "-n", "30",
                    "--policy", "random", "--share", "0.5", "--dwell", "3", "--ignore-eos",
                    "--trace", trace, NULL),
                0, NULL, NULL);
    assert_said(
        ead("bench", "--large", large, "--small", small, "--replay", trace, "-r", "1", NULL), 0,
        "30 tokens after a prompt of 32", NULL);
    const char *form = kern_best()->level == KERN_REF ? "(as in the file, cpu " : "(packed, cpu ";
    assert_said(
        ead("bench", "-L", large, "-S", small, "-g", "4", "-r", "1", "--baseline", "0.001", NULL),
        0, form, NULL);
    said = ead("bench", "-L", large, "-S", small, "-g", "4", "-r", "1", "--baseline", "1e8",
               "--json", NULL);
    report = json_loads(said.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(report, "baseline")), "given");
    assert_near(field(report, "time_vs_baseline"), field(report, "seconds") * 1e8 / 3);
    json_decref(report);
    said_free(&said);
    assert_said(ead("bench", "-L", large, "-S", small, "-g", "1", NULL), 2, NULL, "two tokens");
    assert_said(ead("bench", "--large", large, NULL), 2, NULL, "--small FILE is missing");
    assert_said(ead("bench", "-m", small, "--large", large, NULL), 2, NULL, "-m goes without");
}

static void test_examples(void **state)
{
    (void)state;
    const char *args[] = {"pair", large, small, "a prompt", NULL};
    struct said said = program_run(EXAMPLE_PAIR, args, NULL, NULL);
    assert_int_equal(said.status, 0);
    assert_int_equal(strncmp(said.out, "small ", 6), 0);
    said_free(&said);
    said = program_run(EXAMPLE_POLICY, args, NULL, NULL);
    assert_int_equal(said.status, 0);
    assert_non_null(strstr(said.out, "\nlarge ")); /* random weights are hardly ever sure */
    const char *taken = strstr(said.out, "taken back: ");
    assert_true(taken && atoi(taken + 12) > 0);
    said_free(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_trace_rule),
        cmocka_unit_test(test_trace_text),
        cmocka_unit_test(test_replay_and_ends),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_account_alone),
        cmocka_unit_test(test_padding_alone),
        cmocka_unit_test(test_no_half_character),
        cmocka_unit_test(test_chat_replay),
        cmocka_unit_test(test_prompt_sources),
        cmocka_unit_test(test_color),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_chat),
        cmocka_unit_test(test_tokenize),
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_inspect_and_bench),
        cmocka_unit_test(test_cache_type),
        cmocka_unit_test(test_repacked),
        cmocka_unit_test(test_pack_cache),
        cmocka_unit_test(test_bench_pair),
        cmocka_unit_test(test_bench_judgements),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests_name("cli", tests, set_up, tear_down);
}
