/*
 * What happens without memory: the nth allocation fails, for every n, alone and with all that would
 * follow, while a file, a model or a duo is opened, while a text is read, written and cut, and
 * while an evaluation runs. Each time there is an error with a sentence, or none is needed; nothing
 * is left behind, and afterwards everything works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead_file.h"
#include "eval/dataset.h"
#include "eval/report.h"
#include "eval/runner.h"
#include "heap.h"
#include "tiny.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATHS = TINY_PATH_MAX + 64 };

static char folder[TINY_PATH_MAX], cache[PATHS], dir[PATHS], data[PATHS];
static char spm[TINY_PATH_MAX], other[TINY_PATH_MAX], bpe[TINY_PATH_MAX]; /* models */
static ead_model *large, *small, *merging;                                /* of these */

/* ---- sweeping ------------------------------------------------------------------------------ */

typedef ead_status scenario(ead_error *error);

/* False where the folder cannot be read. */
static bool remove_files(const char *in)
{
    DIR *d = opendir(in);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char path[PATHS + 300];
        snprintf(path, sizeof path, "%s/%s", in, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (d) closedir(d);
    return d != NULL;
}

/* A status fits that says so, or what the system said of its own lack of memory. */
static void expect_sentence(const char *what, int n, ead_status st, const ead_error *error)
{
    /* jansson takes some lacks of memory for faults of the text. */
    const bool json =
        strstr(error->message, "messages: ") || strstr(error->message, "variables of");
    const bool fits = st == EAD_MEMORY || strstr(error->message, strerror(ENOMEM)) || json;
    if (!fits || error->status != st || !error->message[0])
        fail_msg("%s, allocation %d: status %d, \"%s\"", what, n, (int)st, error->message);
}

/* One run in which allocation n fails; false when there was none of that number. */
static bool run_once(const char *what, scenario *run, int n, bool for_good, bool *refused)
{
    ead_error error = {0};
    const int held = atomic_load(&heap_held);
    heap_fail_at(n, for_good);
    const ead_status st = run(&error);
    const bool failed = heap_failed();
    const int left = atomic_load(&heap_held) - held;
    if (st) expect_sentence(what, n, st, &error);
    if (st && !failed) fail_msg("%s: \"%s\" with all memory", what, error.message);
    if (HEAP_SEEN && left) fail_msg("%s, allocation %d: %d blocks are left", what, n, left);
    *refused |= st != EAD_OK;
    return failed;
}

/* Every n, alone; with all that follow every one up to 100, then each `step`-th. */
static void sweep(const char *what, scenario *run, int step)
{
    bool refused = false;
    int n = 1;
    run_once(what, run, 0, false, &refused); /* what a library allocates once and keeps */
    while (run_once(what, run, n, false, &refused)) n++;
    for (int from = 1; from < n; from += from < 100 ? 1 : step)
        run_once(what, run, from, true, &refused);
    run_once(what, run, 0, false, &refused);
    print_message("%s: %d allocations\n", what, n - 1);
    assert_true(refused); /* memory does fail here */
}

/* ---- opening ------------------------------------------------------------------------------- */

static ead_status open_file(ead_error *error)
{
    ead_file *file;
    ead_status st = ead_file_open(spm, &file, error);
    if (!st) ead_file_close(file);
    return st;
}

static ead_status open_model(const char *path, const ead_model_options *options, ead_error *error)
{
    ead_model *model;
    ead_status st = ead_model_open(path, options, &model, error);
    if (!st) ead_model_close(model);
    return st;
}

static int told_of_cache;

static ead_status open_spm(ead_error *error)
{
    const ead_status st = open_model(spm, NULL, error);
    told_of_cache += st && strstr(error->message, "MiB of packed weights; --pack-cache DIR");
    return st;
}

static ead_status open_bpe(ead_error *error)
{
    return open_model(bpe, NULL, error);
}

static ead_status open_vocab(ead_error *error)
{
    return open_model(bpe, &(ead_model_options){.vocab_only = true}, error);
}

static int packed_into_file;

/* Without memory for the panels they are mapped from the file that this opening writes. */
static ead_status open_writing_pack(ead_error *error)
{
    ead_model *model;
    const bool removed = remove_files(cache);
    ead_status st = ead_model_open(spm, &(ead_model_options){.pack_cache = cache}, &model, error);
    if (st) return st;
    packed_into_file += removed && ead_model_describe(model).pack == EAD_PACK_MAPPED;
    ead_model_close(model);
    return st;
}

static ead_status open_mapping_pack(ead_error *error)
{
    return open_model(spm, &(ead_model_options){.pack_cache = cache}, error);
}

static int told_of_both;

/* Neither memory nor a file: a file stands where the folder of the cache would be. */
static ead_status open_without_place(ead_error *error)
{
    const ead_status st = open_model(spm, &(ead_model_options){.pack_cache = bpe}, error);
    told_of_both += st && strstr(error->message, "no memory for the packed weights, and no file: ");
    return st;
}

static void test_opening(void **state)
{
    (void)state;
    sweep("a file", open_file, 1);
    sweep("a model", open_spm, 1);
    assert_int_equal(told_of_cache > 0, kern_best()->panels);
    sweep("a model of merges", open_bpe, 1);
    sweep("a vocabulary", open_vocab, 1);
    sweep("a model, packed weights written", open_writing_pack, 1);
    sweep("a model, packed weights in no place", open_without_place, 1);
    assert_int_equal(told_of_both > 0, kern_best()->panels);
    assert_int_equal(packed_into_file, kern_best()->panels);
    remove_files(cache);
    sweep("a model, packed weights mapped", open_mapping_pack, 1);
}

/* ---- text ---------------------------------------------------------------------------------- */

static ead_status text_there_and_back(ead_error *error)
{
    static const char text[] = "the stone <s> sank in\nthe lake, \xe2\x96\x81 again \xff and again";
    int32_t *ids = NULL;
    size_t n = 0, bytes;
    const char *piece;
    ead_detok *detok = NULL;
    ead_model *const models[] = {large, merging};
    ead_status st = EAD_OK;
    for (int i = 0; i < 2 && !st; i++) {
        st = ead_tokenize(models[i], text, sizeof text - 1, EAD_ADD_BOS | EAD_PARSE_SPECIAL, &ids,
                          &n, error);
        if (st) break;
        st = ead_detok_open(models[i], EAD_TEXT_START | EAD_SHOW_SPECIAL, &detok, error);
        for (size_t k = 0; k < n && !st; k++)
            st = ead_detok_add(detok, ids[k], &piece, &bytes, error);
        ead_detok_close(detok);
        detok = NULL;
        ead_free(ids);
    }
    return st;
}

static ead_status render_chat(ead_error *error)
{
    const ead_message messages[] = {{"system", "Be brief."}, {"user", "How many stones sank?"}};
    const ead_template_options options = {.name = "llama3.1"};
    const char json[] = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hm\"}], \"x\": [1]}";
    const ead_conversation talks[] = {{.messages = messages, .n_messages = 2, .now = "2026-01-02"},
                                      {.json = json,
                                       .json_bytes = sizeof json - 1,
                                       .variables = "{\"y\": 2.5}",
                                       .now = "2026-01-02"}};
    ead_template *t;
    ead_status st = ead_template_open(large, &options, &t, error);
    if (st) return st;
    for (int i = 0; i < 2 && !st; i++) {
        char *text;
        size_t bytes;
        unsigned flags;
        st = ead_template_render(t, &talks[i], &text, &bytes, &flags, error);
        if (!st) ead_free(text);
    }
    ead_template_close(t);
    return st;
}

static void test_text(void **state)
{
    (void)state;
    sweep("a text there and back", text_there_and_back, 1);
    ead_error error;
    assert_int_equal(render_chat(&error), EAD_OK); /* the C library keeps the time zone */
    sweep("a conversation", render_chat, 1);
}

/* ---- writing ------------------------------------------------------------------------------- */

static const int32_t prompt[] = {1, 20, 21, 22, 23};

static ead_status use_session(ead_error *error)
{
    ead_session *session;
    ead_row rows[2] = {{.pos = 0, .token = 1, .wants_logits = true}, {.pos = 1, .token = 20}};
    ead_session_options o = ead_session_defaults();
    o.threads = 1;
    ead_status st = ead_session_open(large, &o, &session, error);
    if (st) return st;
    st = ead_session_eval(session, rows, 2, error);
    ead_session_truncate(session, 0, 1);
    if (!st) st = ead_session_eval(session, rows + 1, 1, error);
    ead_session_close(session);
    return st;
}

static ead_duo_options duo_options(void)
{
    ead_duo_options o = ead_duo_defaults();
    o.threads = 1;
    o.ignore_end = true;
    o.policy.kind = EAD_POLICY_RANDOM;
    o.policy.share = 0.5;
    o.policy.dwell = 2;
    return o;
}

static ead_status use_duo(ead_error *error)
{
    const ead_duo_options o = duo_options();
    ead_duo *duo;
    ead_token token;
    ead_status st = ead_duo_open(large, small, &o, &duo, error);
    if (st) return st;
    st = ead_duo_append(duo, prompt, 5, error);
    for (int i = 0; i < 8 && !st; i++) st = ead_duo_step(duo, &token, error);
    ead_duo_truncate(duo, 3);
    if (!st) st = ead_duo_append(duo, prompt, 2, error);
    if (!st) st = ead_duo_step(duo, &token, error);
    ead_duo_close(duo);
    return st;
}

static ead_status use_batch(ead_error *error)
{
    const ead_duo_options o = duo_options();
    const bool active[] = {true, true, true};
    ead_batch *batch;
    ead_event events[3];
    int n;
    ead_status st = ead_batch_open(large, small, &o, 3, &batch, error);
    if (st) return st;
    for (int i = 0; i < 3 && !st; i++)
        st = ead_duo_append(ead_batch_duo(batch, i), prompt, 5, error);
    for (int i = 0; i < 5 && !st; i++) st = ead_batch_step(batch, active, events, &n, error);
    ead_duo_truncate(ead_batch_duo(batch, 1), 4);
    if (!st) st = ead_duo_copy(ead_batch_duo(batch, 1), ead_batch_duo(batch, 0), 6, error);
    if (!st) st = ead_batch_step(batch, active, events, &n, error);
    ead_batch_close(batch);
    return st;
}

static void test_writing(void **state)
{
    (void)state;
    sweep("a session", use_session, 1);
    sweep("a duo", use_duo, 1);
    sweep("a batch", use_batch, 1);
}

/* Thousands of runs need no disk to wait for. */
__attribute__((visibility("default"))) int fsync(int fd)
{
    return fd < 0;
}

/* ---- evaluating ---------------------------------------------------------------------------- */

static ead_status evaluate_all(const struct dataset *problems, struct settings *settings,
                               ead_error *error)
{
    struct runner_options o = runner_defaults();
    struct summary *summary;
    o.models[EAD_LARGE] = (struct runner_model){large, spm};
    o.models[EAD_SMALL] = (struct runner_model){small, other};
    o.data = problems;
    o.data_path = data;
    o.settings = settings;
    o.most = 3;
    o.parallel = 2;
    o.threads = 1;
    o.question = "{problem}";
    o.dir = dir;
    ead_status st = runner_run(&o, error);
    if (!st) st = summary_read(dir, NULL, &summary, error);
    if (st) return st;
    st = report_write_all(dir, summary, error);
    if (!st && (summary->n_settings != 4 || summary->n_problems != 2)) {
        *error = (ead_error){EAD_FORMAT, "something was lost without a word"};
        st = EAD_FORMAT;
    }
    summary_free(summary);
    return st;
}

static ead_status evaluate_anew(ead_error *error)
{
    struct settings *settings = NULL;
    struct dataset *problems = NULL;
    remove_files(dir);
    struct settings_wish wish = {
        .policies = "small,large,ead,random", .taus = "0.5", .base = ead_duo_defaults().policy};
    wish.base.window = 4;
    wish.base.dwell = 2;
    ead_status st = settings_open(&wish, &settings, error);
    if (!st) st = dataset_open(data, "auto", false, &problems, error);
    if (!st) st = evaluate_all(problems, settings, error);
    if (problems) dataset_close(problems);
    if (settings) settings_close(settings);
    return st;
}

static void test_evaluating(void **state)
{
    (void)state;
    sweep("an evaluation", evaluate_anew, 17);
}

/* ---- the program --------------------------------------------------------------------------- */

static struct tiny *small_model(const char *arch, enum quant_type type)
{
    struct tiny_spec spec = tiny_spec(arch, type);
    spec.n_layer = 1;
    spec.no_bytes = true;
    return tiny_model(&spec);
}

/* The same tokens, with merges among them. */
static void use_merges(struct tiny *t)
{
    static const char *const merges[] = {"t h", "th e"};
    tiny_set_str(t, "tokenizer.ggml.model", "gpt2");
    tiny_set_str(t, "tokenizer.ggml.pre", "qwen2");
    tiny_set_strs(t, "tokenizer.ggml.merges", merges, 2);
}

static int set_up(void **state)
{
    (void)state;
    tiny_folder(folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(dir, sizeof dir, "%s/run", folder);
    snprintf(data, sizeof data, "%s.jsonl", folder);
    struct tiny *merges = small_model("qwen2", QT_F16);
    use_merges(merges);
    tiny_save_model(small_model("llama", QT_Q8_0), spm);
    tiny_save_model(small_model("qwen2", QT_F16), other);
    tiny_save_model(merges, bpe);
    FILE *to = fopen(data, "w");
    for (int i = 0; to && i < 2; i++)
        fprintf(to,
                "{\"problem\": \"a\", \"level\": \"Level %d\", \"type\": \"Algebra\", "
                "\"solution\": \"It is $\\\\boxed{\\\\frac{%d}{2}}$.\"}\n",
                i + 1, i);
    if (!to || fclose(to) || mkdir(cache, 0777) || mkdir(dir, 0777)) return -1;
    return ead_model_open(spm, NULL, &large, NULL) || ead_model_open(other, NULL, &small, NULL) ||
           ead_model_open(bpe, NULL, &merging, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    ead_model_close(large);
    ead_model_close(small);
    ead_model_close(merging);
    remove_files(cache);
    remove_files(dir);
    unlink(spm);
    unlink(other);
    unlink(bpe);
    unlink(data);
    return rmdir(cache) || rmdir(dir) || rmdir(folder);
}

int main(void)
{
#if HEAP_SEEN || defined(HEAP_WRAPPED)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_evaluating),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
#else
    return heap_skipped();
#endif
}
