/* The index of texts: equal hashes, and many texts in one slot. */
#include "text/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 300000, WORD = 16 };

struct hashed {
    uint32_t hash;
    int32_t word;
};

static int by_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;
    return (x > y) - (x < y);
}

/* Two words whose hashes agree in all the bits that are kept. */
static void find_collision(char words[2][WORD])
{
    struct hashed *all = malloc(WORDS * sizeof *all);
    assert_non_null(all);
    for (int i = 0; i < WORDS; i++) {
        snprintf(words[0], WORD, "%07d", i);
        all[i] = (struct hashed){(uint32_t)lexicon_hash(words[0], strlen(words[0])), i};
    }
    qsort(all, WORDS, sizeof *all, by_hash);
    int i = 1;
    while (i < WORDS && all[i].hash != all[i - 1].hash) i++;
    assert_true(i < WORDS);
    snprintf(words[0], WORD, "%07d", all[i - 1].word);
    snprintf(words[1], WORD, "%07d", all[i].word);
    free(all);
}

static void test_equal_hashes(void **state)
{
    (void)state;
    char words[2][WORD];
    find_collision(words);
    struct gguf_str texts[2] = {{words[0], strlen(words[0])}, {words[1], strlen(words[1])}};
    struct lexicon lex;
    assert_int_equal(lexicon_init(&lex, texts, 2, NULL), ST_OK);
    assert_int_equal(lexicon_add(&lex, 0, NULL), ST_OK);
    assert_int_equal(lexicon_find(&lex, words[1], texts[1].n), -1);
    assert_int_equal(lexicon_add(&lex, 1, NULL), ST_OK);
    assert_int_equal(lexicon_find(&lex, words[0], texts[0].n), 0);
    assert_int_equal(lexicon_find(&lex, words[1], texts[1].n), 1);
    lexicon_deinit(&lex);
}

/* Texts made to fall into one slot are refused after a while, not walked for ever. */
static void test_crowded_slot(void **state)
{
    (void)state;
    enum { ROOM = 2048 };
    static char words[ROOM][16];
    static struct gguf_str texts[ROOM];
    struct lexicon lex;
    struct err err = {0};
    enum status st = ST_OK;
    assert_int_equal(lexicon_init(&lex, texts, ROOM, NULL), ST_OK);
    int32_t n = 0;
    for (int i = 0; st == ST_OK && n < ROOM; i++) {
        int len = snprintf(words[n], sizeof words[n], "w%d", i);
        if (lexicon_hash(words[n], (size_t)len) & lex.mask) continue;
        texts[n] = (struct gguf_str){words[n], (size_t)len};
        st = lexicon_add(&lex, n++, &err);
    }
    assert_int_equal(st, ST_FORMAT);
    assert_int_equal(n, 1025);
    lexicon_deinit(&lex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_hashes),
        cmocka_unit_test(test_crowded_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
