/*
 * Without memory, at each allocation in turn: no request is sent that lacks a part, no token is
 * handed out that lacks what was told of it, and nothing is left over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap.h"
#include "remote_reading.h"

static struct held vocabulary;

/* Run until no allocation fails any more; `run` tells what it came to. */
static void fail_each(enum status (*run)(void))
{
    for (int n = 1;; n++) {
        const int held = heap_held;
        heap_fail_at(n, false);
        const enum status st = run();
        const bool failed = heap_failed();
        if (st != (failed ? ST_MEMORY : ST_OK)) fail_msg("allocation %d: %d", n, (int)st);
        if (heap_held != held) fail_msg("allocation %d: %d blocks are left", n, heap_held - held);
        if (!failed) break;
        assert_true(n < 10000);
    }
}

/* ---- requests ------------------------------------------------------------------------------ */

static const struct dialect *dialect;
static bool generate;
static const int32_t ids[] = {0, 18, 19, 20, 21};

static enum status ended(enum status st, struct post *post)
{
    if (!st) json_decref(post->body);
    return st;
}

static enum status ask(void)
{
    struct err err;
    struct post post;
    const ead_sampler_options sampler = {.temperature = 1, .top_p = 1, .seed = 5};
    const struct server s = {"m", READING_VOCAB, generate};
    const struct want w = {.ids = ids,
                           .n = 5,
                           .given = 2,
                           .max_tokens = 3,
                           .top = 2,
                           .sampler = &sampler,
                           .request_id = "r",
                           .stream = true,
                           .force = 7};
    return ended(dialect->ask(&s, &w, &post, &err), &post);
}

static enum status ask_around(void)
{
    struct err err;
    struct post post;
    const struct server s = {"m", READING_VOCAB, false};
    if (dialect->abort) TRY(ended(dialect->abort("r", &post, &err), &post));
    if (dialect->tokenize) TRY(ended(dialect->tokenize(&s, "a", &post, &err), &post));
    if (!dialect->detokenize) return ST_OK;
    return ended(dialect->detokenize(&s, ids, 5, &post, &err), &post);
}

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; (dialect = dialect_at(i)); i++) {
        fail_each(ask);
        fail_each(ask_around);
    }
    dialect = &dialect_vllm;
    generate = true;
    fail_each(ask);
}

/* ---- answers ------------------------------------------------------------------------------- */

static enum status open_pieces(void)
{
    struct err err;
    struct pieces *p;
    const enum status st = pieces_open(vocabulary.vocab, &p, &err);
    if (!st) pieces_close(p);
    return st;
}

static void test_pieces(void **state)
{
    (void)state;
    fail_each(open_pieces);
}

/* What dialects hand on of one token: more than there is room for at first. */
static enum status read_tokens(struct reading *r)
{
    for (int32_t id = 0; id < 40; id++) TRY(reader_found(&r->reader, id, -5, &r->err));
    return reader_token(&r->reader, 3, -5, &r->err);
}

static enum status read_answer(void)
{
    struct reading r;
    reading_begin(&r, &dialect_vllm, 40);
    const enum status st = read_tokens(&r);
    assert_int_equal(r.n, st ? 0 : 1);
    reading_end(&r);
    return st;
}

static void test_tokens(void **state)
{
    (void)state;
    fail_each(read_answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_tokens),
    };
    if (!HEAP_SEEN) return heap_skipped();
    struct pieces *pieces;
    reading_vocab(&vocabulary, &pieces);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pieces_close(pieces);
    held_close(&vocabulary);
    return failed;
}
