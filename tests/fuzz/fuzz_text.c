/*
 * The text room under any bytes. The first byte chooses: a file with a vocabulary, a text for a
 * good vocabulary, or a chat template. A text must come back as it was; nothing may crash or run
 * long.
 */
#include "test_text_build.h"

#include "text/chat.h"
#include "text/detok.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

/* Tokens of a text, and what they say. */
static void there_and_back(const struct vocab *v, const char *text, size_t n, unsigned flags,
                           bool exact)
{
    struct ids ids = {0};
    struct buf back = {0};
    require(vocab_encode(v, text, n, flags, &ids, NULL) == ST_OK);
    for (size_t i = 0; i < ids.n; i++) require(ids.id[i] >= 0 && ids.id[i] < vocab_size(v));
    require(detok_all(v, ids.id, ids.n, DETOK_START | DETOK_SPECIAL, &back) == ST_OK);
    if (exact) require(back.len == n && (!n || !memcmp(back.data, text, n)));
    ids_deinit(&ids);
    buf_deinit(&back);
}

static void try_file(const char *data, size_t n)
{
    static const char text[] = "<s>hello  <tag>\xe6\x97\xa5\xff 123!\n\n";
    struct gguf *g = NULL;
    struct vocab *v = NULL;
    struct err err = {0};
    if (gguf_open_memory(data, n, &g, &err) != ST_OK) return;
    if (vocab_open(g, &v, &err) == ST_OK) {
        int32_t same = -1;
        there_and_back(v, text, sizeof text - 1, VOCAB_BOS | VOCAB_SPECIAL, false);
        require(vocab_compare(v, v, &same, &err) == ST_OK && same == vocab_real_size(v));
        struct chat *c = NULL;
        if (chat_open_gguf(g, v, &c, &err) != ST_OK) require(*err.message);
        chat_close(c);
        vocab_close(v);
    }
    gguf_close(g);
}

static void try_text(unsigned choice, const char *text, size_t n)
{
    static const char *const pres[] = {"default",      "gpt-2",       "qwen2",          "llama-bpe",
                                       "deepseek-llm", "deepseek-v3", "deepseek-coder", "tekken",
                                       "gpt-4o",       "falcon",      "smollm"};
    struct held h = {0};
    if (choice % 12 == 11)
        build_spm(&h.build);
    else
        build_bpe(&h.build, pres[choice % 12]);
    require(held_open(&h, NULL));
    /* SentencePiece cannot tell a space from its own mark for one; Qwen composes. */
    bool exact = true;
    for (size_t i = 0; choice % 12 == 2 && i < n; i++)
        if ((uint8_t)text[i] >= 0xcc) exact = false;
    for (size_t i = 0; choice % 12 == 11 && i + 3 <= n; i++)
        if (!memcmp(text + i, "\xe2\x96\x81", 3)) exact = false;
    there_and_back(h.vocab, text, n, choice / 12 % 2 ? VOCAB_SPECIAL : 0, exact);
    held_close(&h);
}

/* A built-in template, by the first byte; the others are the conversation as JSON or, where they
 * are none, the contents of one to four messages. */
static void try_chat(const char *data, size_t n)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    struct chat *c = NULL;
    struct err err = {0};
    size_t names = 0;
    while (chat_name_at(names)) names++;
    require(chat_open_named(chat_name_at(n ? (uint8_t)data[0] % names : 0), NULL, &c, &err) ==
            ST_OK);
    struct chat_message messages[4];
    char texts[4][64];
    const size_t count = n % 4 + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t from = n * i / count, to = n * (i + 1) / count;
        snprintf(texts[i], sizeof texts[i], "%.*s", (int)(to - from), data + from);
        messages[i] = (struct chat_message){roles[from < to ? data[from] & 3 : 1], texts[i]};
    }
    struct chat_input input = {
        .messages = messages, .n = count, .finished = n % 2, .now = "2026-01-02"};
    struct buf out = {0};
    bool brings_bos;
    enum status st = chat_render(c, &input, &out, &brings_bos, &err);
    require(st == ST_OK || (st == ST_ARG && !out.len));
    input.json = n ? data + 1 : "";
    input.n_json = n ? n - 1 : 0;
    buf_clear(&out);
    st = chat_render(c, &input, &out, &brings_bos, &err);
    require(st == ST_OK || (!out.len && *err.message));
    buf_deinit(&out);
    chat_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const char *rest = (const char *)data + 1;
    if (data[0] < 32)
        try_file(rest, size - 1);
    else if (data[0] < 64)
        try_chat(rest, size - 1);
    else
        try_text(data[0] - 64u, rest, size - 1);
    return 0;
}
