/*
 * Two small trained models, token by token: what ead writes greedily through its public face is
 * what another engine wrote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ead.h"
#include "shared.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = 512 };

static const char reference[] = SHARED_DIR "/models/reference_greedy.jsonl";

struct story {
    const char *model, *prompt, *text;
    int32_t ids[IDS_MAX]; /* after BOS, the prompt's included */
    size_t n;
};

static void read_story(json_t *line, struct story *s)
{
    json_t *ids = json_object_get(line, "ids_after_bos");
    *s = (struct story){.model = json_string_value(json_object_get(line, "model")),
                        .prompt = json_string_value(json_object_get(line, "prompt")),
                        .text = json_string_value(json_object_get(line, "text")),
                        .n = json_array_size(ids)};
    assert_in_range(s->n, 1, IDS_MAX);
    for (size_t i = 0; i < s->n; i++)
        s->ids[i] = (int32_t)json_integer_value(json_array_get(ids, i));
}

/* Open a duo of one model and give it the prompt; returns the tokens of the prompt after BOS. */
static size_t begin(const ead_model *model, const struct story *s, const char *cpu, int threads,
                    bool as_large, ead_duo **duo)
{
    ead_error error = {0};
    ead_duo_options options = ead_duo_defaults();
    int32_t *ids = NULL;
    size_t n = 0;
    options.cpu = cpu;
    options.threads = threads;
    const ead_model *large = as_large ? model : NULL, *small = as_large ? NULL : model;
    if (ead_duo_open(large, small, &options, duo, &error)) fail_msg("%s", error.message);
    if (ead_tokenize(model, s->prompt, strlen(s->prompt), EAD_ADD_BOS, &ids, &n, &error))
        fail_msg("%s", error.message);
    assert_in_range(n, 1, IDS_MAX);
    assert_int_equal(ids[0], ead_token_bos(model));
    assert_memory_equal(ids + 1, s->ids, (n - 1) * sizeof *ids);
    if (ead_duo_append(*duo, ids, n, &error)) fail_msg("%s", error.message);
    ead_free(ids);
    return n - 1;
}

/* Detokenise all of a story and hold it against the recorded text. */
static void check_text(const ead_model *model, const struct story *s)
{
    ead_detok *detok = NULL;
    assert_int_equal(ead_detok_open(model, EAD_TEXT_START, &detok, NULL), EAD_OK);
    size_t at = 0;
    for (size_t i = 0; i <= s->n; i++) {
        const char *text;
        size_t bytes;
        int32_t id = i < s->n ? s->ids[i] : -1;
        assert_int_equal(ead_detok_add(detok, id, &text, &bytes, NULL), EAD_OK);
        if (at + bytes > strlen(s->text) || memcmp(text, s->text + at, bytes))
            fail_msg("text differs at byte %zu: \"%.*s\"", at, (int)bytes, text);
        at += bytes;
    }
    assert_int_equal(at, strlen(s->text));
    ead_detok_close(detok);
}

static void check_story(const ead_model *model, const struct story *s, const char *cpu, int threads)
{
    ead_duo *duo = NULL;
    ead_error error = {0};
    ead_token token;
    /* The scalar level is slow, and so are two threads on a busy machine: 80 tokens do. */
    const bool whole = threads == 1 && strcmp(cpu, "ref") != 0;
    const size_t end = whole || s->n < 80 ? s->n : 80;
    size_t at = begin(model, s, cpu, threads, threads == 2, &duo);
    for (; at < end; at++) {
        if (ead_duo_step(duo, &token, &error)) fail_msg("%s", error.message);
        if (token.id != s->ids[at])
            fail_msg("%s, \"%s\" on %s: token %zu: expected %d, found %d", s->model, s->prompt, cpu,
                     at, s->ids[at], token.id);
    }
    assert_int_equal(ead_duo_length(duo), end + 1);
    ead_duo_close(duo);
}

static bool have_cpu(const ead_model *model, const char *cpu)
{
    ead_session_options options = ead_session_defaults();
    ead_session *session = NULL;
    options.cpu = cpu;
    ead_status st = ead_session_open(model, &options, &session, NULL);
    assert_true(st == EAD_OK || st == EAD_SUPPORT);
    ead_session_close(session);
    return st == EAD_OK;
}

static void check_line(const char *line)
{
    static const char *const cpus[] = {"ref", "avx2", "avxvnni", "avx512", "amx"};
    struct story s;
    json_error_t trouble;
    json_t *json = json_loads(line, 0, &trouble);
    if (!json) fail_msg("%s: %s", reference, trouble.text);
    read_story(json, &s);
    char path[sizeof SHARED_DIR + 128];
    ead_model *model = NULL;
    ead_error error = {0};
    snprintf(path, sizeof path, SHARED_DIR "/models/%.63s.gguf", s.model);
    if (ead_model_open(path, NULL, &model, &error)) fail_msg("%s", error.message);
    check_text(model, &s);
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
        for (int threads = 1; threads <= 2; threads++)
            if (have_cpu(model, cpus[i])) check_story(model, &s, cpus[i], threads);
    print_message("%s: \"%s\": %zu tokens\n", s.model, s.prompt, s.n);
    ead_model_close(model);
    json_decref(json);
}

static void test_stories_are_token_exact(void **state)
{
    (void)state;
    FILE *file = fopen(reference, "r");
    char *line = NULL;
    size_t room = 0;
    int stories = 0;
    if (!file) fail_msg("cannot open %s", reference);
    for (; getline(&line, &room, file) > 0; stories++) check_line(line);
    assert_true(stories > 0);
    free(line);
    fclose(file);
}

int main(void)
{
    if (shared_lacks(reference)) return SKIPPED;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stories_are_token_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
