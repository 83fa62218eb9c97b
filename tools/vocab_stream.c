/* Tokenises what stands on standard input, for tools/vocab_check.py:
 *
 *     vocab_stream FILE.gguf < TEXTS > IDS
 *
 * A text is its flags (enum vocab_flags) and its length in bytes, each a 32-bit number, then the
 * bytes. The answer is the number of ids and the ids, then the length and the bytes of the text
 * that they decode to. The first line on standard error says how long the vocabulary took to open.
 */
#include "base/clock.h"
#include "text/detok.h"

#include <stdio.h>
#include <stdlib.h>

static int fail(const struct err *err)
{
    fprintf(stderr, "vocab_stream: %s\n", err->message);
    return EXIT_FAILURE;
}

static bool put(const void *bytes, size_t size, size_t n)
{
    const uint32_t count = (uint32_t)n;
    return fwrite(&count, sizeof count, 1, stdout) == 1 && fwrite(bytes, size, n, stdout) == n;
}

static enum status answer(const struct vocab *v, const char *text, size_t n, unsigned flags,
                          struct err *err)
{
    struct ids ids = {0};
    struct buf back = {0};
    enum status st = vocab_encode(v, text, n, flags, &ids, err);
    if (st == ST_OK) st = detok_all(v, ids.id, ids.n, DETOK_START | DETOK_SPECIAL, &back);
    if (st == ST_OK && !(put(ids.id, sizeof *ids.id, ids.n) && put(back.data, 1, back.len)))
        st = err_set(err, ST_IO, "standard output: not written");
    ids_deinit(&ids);
    buf_deinit(&back);
    return st;
}

static enum status answer_all(const struct vocab *v, struct err *err)
{
    enum status st = ST_OK;
    for (uint32_t head[2]; st == ST_OK && fread(head, sizeof head, 1, stdin) == 1;) {
        char *text = head[1] <= VOCAB_TEXT_MAX ? malloc(head[1] + 1u) : NULL;
        if (!text) return err_memory(err, "a text of %u bytes", head[1]);
        if (fread(text, 1, head[1], stdin) == head[1])
            st = answer(v, text, head[1], head[0], err);
        else
            st = err_set(err, ST_IO, "standard input: a text ends early");
        free(text);
    }
    return st;
}

int main(int argc, char **argv)
{
    struct gguf *g;
    struct vocab *v;
    struct err err = {0};
    if (argc != 2) return fprintf(stderr, "usage: vocab_stream FILE.gguf < TEXTS > IDS\n"), 2;
    if (gguf_open(argv[1], &g, &err) != ST_OK) return fail(&err);
    const double start = clock_seconds();
    enum status st = vocab_open(g, &v, &err);
    if (st == ST_OK) {
        fprintf(stderr, "ead opened the vocabulary in %.1f ms\n", (clock_seconds() - start) * 1e3);
        st = answer_all(v, &err);
        vocab_close(v);
    }
    gguf_close(g);
    return st == ST_OK ? EXIT_SUCCESS : fail(&err);
}
