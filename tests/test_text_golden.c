/* The published vocabularies: their test strings to their ids, any bytes there and back. */
#include "base/buf.h"
#include "base/rng.h"
#include "shared.h"
#include "text/detok.h"
#include "text/nfc.h"
#include "text/pretok_table.h"
#include "text/vocab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER    SHARED_DIR "/vocab/"
#define SEPARATOR "\n__ggml_vocab_test__\n"

struct golden {
    const char *name;  /* of the strings and the ids */
    const char *vocab; /* of the vocabulary */
    bool all_bytes;    /* it has a token for every byte */
};

static const struct golden goldens[] = {
    {"llama-spm", "llama-spm", true},        {"phi-3", "phi-3", true},
    {"llama-bpe", "llama-bpe", true},        {"gpt-2", "gpt-2", true},
    {"starcoder", "starcoder", false},       {"qwen2", "qwen2", true},
    {"deepseek-llm", "deepseek-llm", false}, {"deepseek-r1-qwen", "qwen2", true},
};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

static struct buf read_all(const char *name, const char *suffix)
{
    char path[512];
    struct buf text = {0};
    snprintf(path, sizeof path, FOLDER "ggml-vocab-%s.gguf%s", name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, file));)
        assert_int_equal(buf_add(&text, part, n), ST_OK);
    fclose(file);
    return text;
}

struct held {
    struct gguf *gguf;
    struct vocab *vocab;
};

static struct held open_vocab(const char *name)
{
    char path[512];
    struct held h = {0};
    struct err err = {0};
    snprintf(path, sizeof path, FOLDER "ggml-vocab-%s.gguf", name);
    if (gguf_open(path, &h.gguf, &err) != ST_OK || vocab_open(h.gguf, &h.vocab, &err) != ST_OK)
        fail_msg("%s: %s", path, err.message);
    return h;
}

static void close_vocab(struct held *h)
{
    vocab_close(h->vocab);
    gguf_close(h->gguf);
}

/* Back to the text, composed where the tokenizer composes. */
static void expect_back(const struct vocab *v, const char *text, size_t n, const struct ids *ids)
{
    struct buf back = {0};
    struct nfc nfc = {0};
    const struct pretok_entry *pre = pretok_table_find(vocab_pre(v), strlen(vocab_pre(v)));
    if (pre && pre->rules.composes) assert_int_equal(nfc_compose(&nfc, text, n, &text, &n), ST_OK);
    assert_int_equal(detok_all(v, ids->id, ids->n, DETOK_START | DETOK_SPECIAL, &back), ST_OK);
    assert_int_equal(back.len, n);
    if (n) assert_memory_equal(back.data, text, n);
    buf_deinit(&back);
    nfc_deinit(&nfc);
}

static void check_string(const struct vocab *v, const char *text, size_t n, const char *expected)
{
    struct ids ids = {0};
    struct err err = {0};
    if (vocab_encode(v, text, n, 0, &ids, &err) != ST_OK) fail_msg("%s", err.message);
    for (size_t i = 0; i < ids.n; i++) {
        char *end;
        long id = strtol(expected, &end, 10);
        if (end == expected) fail_msg("\"%.*s\": more than %zu tokens", (int)n, text, i);
        if (id != ids.id[i])
            fail_msg("\"%.*s\": token %zu: expected %ld, found %d", (int)n, text, i, id, ids.id[i]);
        expected = end;
    }
    if (expected[strspn(expected, " ")]) fail_msg("\"%.*s\": only %zu tokens", (int)n, text, ids.n);
    expect_back(v, text, n, &ids);
    ids_deinit(&ids);
}

static void test_strings(void **state)
{
    (void)state;
    for (int g = 0; g < GOLDENS; g++) {
        struct held h = open_vocab(goldens[g].vocab);
        struct buf texts = read_all(goldens[g].name, ".inp"),
                   ids = read_all(goldens[g].name, ".out");
        char *text = texts.data, *line = ids.data;
        int count = 0;
        for (bool more = true; more; count++) {
            char *next = strstr(text, SEPARATOR), *feed = strchr(line, '\n');
            more = next != NULL;
            assert_true(feed || !more);
            if (feed) *feed = 0;
            check_string(h.vocab, text, more ? (size_t)(next - text) : strlen(text), line);
            text = more ? next + strlen(SEPARATOR) : text;
            line = feed ? feed + 1 : line;
        }
        assert_int_equal(count, 47);
        buf_deinit(&texts);
        buf_deinit(&ids);
        close_vocab(&h);
    }
}

static void test_random_bytes(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int g = 0; g < GOLDENS; g++) {
        struct held h = open_vocab(goldens[g].vocab);
        for (int round = 0; round < 500; round++) {
            char text[80];
            size_t n = rng_bits(&seed) % sizeof text;
            for (size_t i = 0; i < n; i++)
                text[i] = (char)(rng_bits(&seed) % (goldens[g].all_bytes ? 256 : 128));
            if (!goldens[g].all_bytes)
                for (size_t i = 0; i < n; i++)
                    if ((unsigned char)text[i] < 32) text[i] = '\n';
            struct ids ids = {0};
            assert_int_equal(vocab_encode(h.vocab, text, n, 0, &ids, NULL), ST_OK);
            expect_back(h.vocab, text, n, &ids);
            ids_deinit(&ids);
        }
        close_vocab(&h);
    }
}

static void test_properties(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t size, real, bos, eos;
        bool add_bos;
    } facts[] = {
        {"qwen2", 151936, 151665, 151643, 151645, false},
        {"llama-bpe", 128256, 128256, 128000, 128009, true},
        {"llama-spm", 32000, 32000, 1, 2, true},
        {"phi-3", 32064, 32011, 1, 32000, true},
        {"deepseek-llm", 102400, 100015, 100000, 100001, true},
        {"gpt-neox", 50432, 50277, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct held h = open_vocab(facts[i].name);
        const struct vocab_specials *s = vocab_specials(h.vocab);
        assert_int_equal(vocab_size(h.vocab), facts[i].size);
        assert_int_equal(vocab_real_size(h.vocab), facts[i].real);
        assert_int_equal(s->bos, facts[i].bos);
        assert_int_equal(s->eos, facts[i].eos);
        assert_int_equal(s->add_bos, facts[i].add_bos);
        assert_true(vocab_is_eog(h.vocab, facts[i].eos));
        int32_t same;
        assert_int_equal(vocab_compare(h.vocab, h.vocab, &same, NULL), ST_OK);
        assert_int_equal(same, facts[i].real);
        close_vocab(&h);
    }
}

/* Qwen's merges make "</s>", an ordinary token, from the text of a web page. */
static void test_qwen_strikes_through(void **state)
{
    (void)state;
    struct held h = open_vocab("qwen2");
    int32_t id = vocab_find(h.vocab, "</s>", 4);
    assert_int_equal(id, 128247);
    assert_false(vocab_is_eog(h.vocab, id));
    assert_int_equal(vocab_kind(h.vocab, id), VOCAB_NORMAL);
    assert_true(vocab_is_eog(h.vocab, 151643) && vocab_is_eog(h.vocab, 151645));
    close_vocab(&h);
}

static struct ids ids_of(const struct vocab *v, const char *text, unsigned flags)
{
    struct ids ids = {0};
    assert_int_equal(vocab_encode(v, text, strlen(text), flags, &ids, NULL), ST_OK);
    return ids;
}

/* An accent behind its letter, letters of Hangul: to Qwen's tokenizer, which sees them composed,
 * the same as one character, and to others not. */
static void test_composed_for_qwen(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"cafe\xcc\x81", "caf\xc3\xa9"},
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"},
        {"<|im_start|>u\xcc\x88<|im_end|>\xcc\x88", "<|im_start|>\xc3\xbc<|im_end|>\xcc\x88"},
    };
    static const char *const names[] = {"qwen2", "llama-bpe"};
    for (int k = 0; k < 2; k++) {
        struct held h = open_vocab(names[k]);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            struct ids apart = ids_of(h.vocab, texts[i][0], VOCAB_SPECIAL),
                       one = ids_of(h.vocab, texts[i][1], VOCAB_SPECIAL);
            bool same = apart.n == one.n && !memcmp(apart.id, one.id, one.n * sizeof *one.id);
            if (same != !k) fail_msg("%s: text %zu", names[k], i);
            ids_deinit(&apart);
            ids_deinit(&one);
        }
        close_vocab(&h);
    }
}

int main(void)
{
    if (shared_lacks(FOLDER)) return SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),           cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_properties),        cmocka_unit_test(test_qwen_strikes_through),
        cmocka_unit_test(test_composed_for_qwen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
