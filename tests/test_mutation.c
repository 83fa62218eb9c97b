/*
 * Ten thousand damaged files. Each is either refused, with a message that names what is wrong, or
 * opened and evaluated; none may crash, hang or read outside its bytes (run this with sanitizers).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe.h"
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MUTANTS = 16000, SECONDS_MAX = 20 };

/* ---- the files to damage ------------------------------------------------------------------- */

static struct tiny_image *image_of(const char *arch, enum quant_type type, uint32_t version)
{
    struct tiny_spec spec = tiny_spec(arch, type);
    spec.no_bytes = true;
    spec.n_layer = 1;
    spec.rope_freqs = spec.o_bias = version == 2;
    spec.tied = spec.fused = spec.scales = spec.output_bias = version == 2;
    spec.pad_tokens = 2;
    struct tiny *t = tiny_model(&spec);
    t->version = version;
    tiny_set_str(t, "general.name", "tiny");
    tiny_set_nested(t, "general.nested", 3);
    tiny_set_u32(t, "general.alignment", 32);
    tiny_set_bool(t, "tokenizer.ggml.add_bos_token", true);
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_free(t);
    return image;
}

/* A byte-pair vocabulary in place of the usual one. */
static struct tiny_image *image_with_merges(void)
{
    static const char *const tokens[] = {"a", "b", "c", "ab", "abc", "<|end|>"};
    static const char *const merges[] = {"a b", "ab c"};
    static const int32_t kinds[] = {1, 1, 1, 1, 1, 3};
    struct tiny_spec spec = tiny_spec("qwen2", QT_F16);
    spec.no_bytes = true;
    spec.n_layer = 1;
    struct tiny *t = tiny_model(&spec);
    tiny_set_str(t, "tokenizer.ggml.model", "gpt2");
    tiny_set_str(t, "tokenizer.ggml.pre", "qwen2");
    tiny_set_strs(t, "tokenizer.ggml.tokens", tokens, 6);
    tiny_set_strs(t, "tokenizer.ggml.merges", merges, 2);
    tiny_set_array(t, "tokenizer.ggml.token_type", GGUF_I32, kinds, 6, sizeof kinds);
    tiny_drop(t, "tokenizer.ggml.scores");
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_free(t);
    return image;
}

enum { N_IMAGES = 13 };

static void make_images(struct tiny_image *images[N_IMAGES])
{
    images[0] = image_of("llama", QT_F32, 3);
    images[1] = image_of("qwen2", QT_F16, 3);
    images[2] = image_of("qwen3", QT_BF16, 2);
    images[3] = image_of("llama", QT_Q4_0, 2);
    images[4] = image_of("qwen2", QT_Q5_1, 3);
    images[5] = image_of("qwen3", QT_Q8_0, 3);
    images[6] = image_of("llama", QT_Q4_K, 3);
    images[7] = image_of("qwen2", QT_IQ4_XS, 2);
    images[8] = image_with_merges();
    images[9] = image_of("gemma3", QT_F16, 2);
    images[10] = image_of("mllama", QT_Q8_0, 3);
    images[11] = image_of("qwen3moe", QT_Q4_0, 3);
    images[12] = image_of("qwen3moe", QT_F16, 2);
}

/* ---- damage -------------------------------------------------------------------------------- */

struct mutant {
    const struct tiny_image *from;
    struct tiny_bytes bytes;
    uint64_t rng;
};

static uint64_t below(struct mutant *m, uint64_t n)
{
    return n ? rng_bits(&m->rng) % n : 0;
}

/* Mostly within the structure at the front, sometimes within the weights. */
static size_t somewhere(struct mutant *m)
{
    const struct tiny_mark *last = &m->from->marks[m->from->n_marks - 1];
    size_t head = last->at + 8 < m->bytes.n ? last->at + 8 : m->bytes.n;
    return (size_t)below(m, below(m, 4) ? head : m->bytes.n);
}

static void flip_bits(struct mutant *m)
{
    for (uint64_t i = 1 + below(m, 4); i--;)
        if (m->bytes.n) m->bytes.data[somewhere(m)] ^= (uint8_t)(1 << below(m, 8));
}

static void random_run(struct mutant *m)
{
    size_t at = somewhere(m), n = 1 + (size_t)below(m, 24);
    for (size_t i = at; i < at + n && i < m->bytes.n; i++)
        m->bytes.data[i] = (uint8_t)rng_bits(&m->rng);
}

/* Numbers at which arithmetic tends to break. */
static uint64_t odd_number(struct mutant *m, uint64_t old)
{
    switch (below(m, 10)) {
    case 0: return 0;
    case 1: return old + 1;
    case 2: return old - 1;
    case 3: return UINT64_MAX >> below(m, 64);
    case 4: return (uint64_t)1 << below(m, 64);
    case 5: return below(m, 40);
    case 6: return old * 2;
    case 7: return old ^ (uint64_t)1 << below(m, 33);
    case 8: return below(m, 1 << 20);
    default: return rng_bits(&m->rng);
    }
}

static void change_numbers(struct mutant *m)
{
    for (uint64_t i = 1 + below(m, 2); i--;) {
        const struct tiny_mark *at = &m->from->marks[below(m, (uint64_t)m->from->n_marks)];
        uint64_t value = 0;
        if (at->at + (size_t)at->bytes > m->bytes.n) continue;
        memcpy(&value, m->bytes.data + at->at, (size_t)at->bytes);
        value = odd_number(m, value);
        memcpy(m->bytes.data + at->at, &value, (size_t)at->bytes);
    }
}

static void truncate_bytes(struct mutant *m)
{
    m->bytes.n = below(m, 2) ? somewhere(m) : (size_t)below(m, m->bytes.n);
}

/* Copy a range to another place, pushing what is there back (or overwriting it). */
static void copy_range(struct mutant *m, bool insert)
{
    size_t from = somewhere(m), to = somewhere(m), n = 1 + (size_t)below(m, 64);
    uint8_t range[64];
    if (from + n > m->bytes.n || to + n > m->bytes.n) return;
    memcpy(range, m->bytes.data + from, n);
    if (insert) {
        tiny_put(&m->bytes, range, n); /* makes room */
        memmove(m->bytes.data + to + n, m->bytes.data + to, m->bytes.n - n - to);
    }
    memcpy(m->bytes.data + to, range, n);
}

static void remove_range(struct mutant *m)
{
    size_t at = somewhere(m), n = 1 + (size_t)below(m, 64);
    if (at + n > m->bytes.n) return;
    memmove(m->bytes.data + at, m->bytes.data + at + n, m->bytes.n - at - n);
    m->bytes.n -= n;
}

/* Halves and floats that are no numbers, anywhere in the weights. */
static void poison(struct mutant *m)
{
    static const uint16_t halves[] = {0x7c00, 0xfc00, 0x7e00, 0x7bff,
                                      0x0001, 0x8000, 0x7f80, 0xffff};
    for (uint64_t i = 1 + below(m, 8); i--;) {
        size_t at = (size_t)below(m, m->bytes.n) & ~(size_t)1;
        if (at + 2 <= m->bytes.n) memcpy(m->bytes.data + at, &halves[below(m, 8)], 2);
    }
}

static void damage(struct mutant *m)
{
    switch (below(m, 9)) {
    case 0: flip_bits(m); break;
    case 1: random_run(m); break;
    case 2: truncate_bytes(m); break;
    case 3: copy_range(m, true); break;
    case 4: copy_range(m, false); break;
    case 5: remove_range(m); break;
    case 6: poison(m); break;
    default: change_numbers(m);
    }
}

/* ---- what must hold ------------------------------------------------------------------------ */

/* A message says which field, key or tensor is wrong before it says what is wrong with it. */
static bool names_something(const char *message)
{
    static const char memory[] = "(memory): ";
    if (!strncmp(message, memory, sizeof memory - 1)) message += sizeof memory - 1;
    const char *colon = strstr(message, ": ");
    return colon && colon > message && colon[2];
}

static void check_mutant(const struct mutant *m, int i, int counts[PROBE_DONE + 1])
{
    struct err err = {0};
    enum probe_stage stage;
    uint8_t *exact = malloc(m->bytes.n ? m->bytes.n : 1);
    assert_non_null(exact);
    if (m->bytes.n) memcpy(exact, m->bytes.data, m->bytes.n);
    alarm(SECONDS_MAX);
    enum status st =
        probe(exact, m->bytes.n, i % 4 ? kern_best() : kern_table(KERN_REF), &stage, &err);
    alarm(0);
    free(exact);
    counts[stage]++;
    if (st == ST_OK) return;
    if (st != ST_FORMAT && st != ST_SUPPORT)
        fail_msg("mutant %d: %s: %s", i, status_name(st), err.message);
    bool named =
        stage == PROBE_EVAL ? strstr(err.message, "logits") != NULL : names_something(err.message);
    if (!named) fail_msg("mutant %d: unnamed: \"%s\"", i, err.message);
}

static void test_damaged_files(void **state)
{
    (void)state;
    static const char *const names[] = {"file", "config", "weights", "vocabulary", "evaluation"};
    struct tiny_image *images[N_IMAGES];
    int counts[PROBE_DONE + 1] = {0};
    make_images(images);
    for (int i = 0; i < MUTANTS; i++) {
        struct mutant m = {.from = images[i % N_IMAGES], .rng = (uint64_t)i * 0x9e3779b97f4a7c15u};
        tiny_put(&m.bytes, m.from->bytes.data, m.from->bytes.n);
        damage(&m);
        check_mutant(&m, i, counts);
        free(m.bytes.data);
    }
    for (int i = 0; i < PROBE_DONE; i++) print_message("refused by %s: %d\n", names[i], counts[i]);
    print_message("evaluated: %d\n", counts[PROBE_DONE]);
    for (int i = 0; i <= PROBE_DONE; i++) assert_true(counts[i] > 20); /* every stage is reached */
    for (int i = 0; i < N_IMAGES; i++) tiny_image_free(images[i]);
}

static void test_whole_files_open(void **state)
{
    (void)state;
    struct tiny_image *images[N_IMAGES];
    make_images(images);
    for (int i = 0; i < N_IMAGES; i++) {
        int counts[PROBE_DONE + 1] = {0};
        struct mutant m = {.from = images[i], .bytes = images[i]->bytes};
        check_mutant(&m, i, counts);
        assert_int_equal(counts[PROBE_DONE], 1);
        tiny_image_free(images[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_files_open),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
