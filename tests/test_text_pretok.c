/* Pre-tokenizers: where each family cuts a text, and that the words are the text. */
#include "base/buf.h"
#include "base/rng.h"
#include "text/pretok.h"
#include "text/pretok_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pretok *open_named(const char *name)
{
    struct pretok *p = NULL;
    struct err err = {0};
    if (pretok_open(name, strlen(name), &p, &err) != ST_OK) fail_msg("%s", err.message);
    return p;
}

/* Words with a bar between. */
static enum status add_word(void *context, const char *word, size_t n)
{
    struct buf *out = context;
    if (out->len) TRY(buf_add(out, "|", 1));
    return buf_add(out, word, n);
}

static const char tricky[] = "I'm  HERE'LL pay 12345 km\n\n  (see A_b) \t\nna\xc3\xafve "
                             "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae x2?!  ";

static const struct {
    const char *name, *words;
} goldens[] = {
    {"gpt-2", "I|'m| | HERE|'|LL| pay| 12345| km|\n\n | (|see| A|_|b|)| \t|\n|na\xc3\xafve| "
              "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"qwen2", "I|'m| | HERE|'LL| pay| |1|2|3|4|5| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
              "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"qwen35", "I|'m| | HERE|'LL| pay| |1|2|3|4|5| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
               "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"llama-bpe", "I|'m| | HERE|'LL| pay| |123|45| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
                  "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"starcoder", "I|'m| | HERE|'|LL| pay| |1|2|3|4|5| km|\n\n | (|see| A|_|b|)| "
                  "\t|\n|na\xc3\xafve| \xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"falcon", "I|'|m| | HERE|'|LL| pay| |123|45| km|\n\n  |(|see| A|_|b|)| \t|\n|na\xc3\xafve| "
               "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"default", "I|'|m| | HERE|'|LL| pay| |123|45| km|\n\n  |(|see| A|_|b|)| \t|\n|na\xc3\xafve| "
                "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"deepseek-llm", "I|'|m| | HERE|'|LL| pay| |12345| km|\n|\n| | (|see| A|_|b|)| "
                     "\t|\n|na|\xc3\xaf|ve| |\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"deepseek-coder", "I|'|m| | HERE|'|LL| pay| |1|2|3|4|5| km|\n|\n| | (|see| A|_|b|)| "
                       "\t|\n|na\xc3\xafve| |\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"deepseek-v3", "I|'m| | HERE|'LL| pay| |123|45| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
                    "|\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"tekken", "I|'m| | HERE|'LL| pay| |1|2|3|4|5| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
               "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
    {"gpt-4o", "I'm| | HERE'LL| pay| |123|45| km|\n\n| | (|see| A|_b|)| \t\n|na\xc3\xafve| "
               "\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae| x|2|\?!|  "},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct pretok *p = open_named(goldens[i].name);
        struct buf out = {0};
        assert_int_equal(pretok_split(p, tricky, sizeof tricky - 1, add_word, &out, NULL), ST_OK);
        if (strcmp(out.data, goldens[i].words))
            fail_msg("%s:\nexpected %s\nfound    %s", goldens[i].name, goldens[i].words, out.data);
        buf_deinit(&out);
        pretok_close(p);
    }
}

/* White space as Unicode has it: U+0085 and U+3000 are, U+180E and U+200B are not. */
static void test_white_space(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"a\xc2\x85\xe3\x80\x80 b", "a|\xc2\x85\xe3\x80\x80| b"},
        {"a \xe1\xa0\x8e"
         "b",
         "a| \xe1\xa0\x8e|b"},
        {"a\xe2\x80\x8b b", "a|\xe2\x80\x8b| b"},
    };
    struct pretok *p = open_named("gpt-2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        assert_int_equal(
            pretok_split(p, cases[i].text, strlen(cases[i].text), add_word, &out, NULL), ST_OK);
        assert_string_equal(out.data, cases[i].words);
        buf_deinit(&out);
    }
    pretok_close(p);
}

struct cover {
    const char *at;
};

static enum status cover_word(void *context, const char *word, size_t n)
{
    struct cover *cover = context;
    if (word != cover->at || !n) return ST_ARG;
    cover->at += n;
    return ST_OK;
}

/* Whatever the bytes, the words follow each other and leave nothing out. */
static void test_words_cover_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t e = 0; pretok_table_at(e); e++) {
        struct pretok *p = open_named(pretok_table_at(e)->rules.name);
        for (int round = 0; round < 100; round++) {
            char text[200];
            for (size_t i = 0; i < sizeof text; i++) {
                const uint64_t bits = rng_bits(&seed);
                text[i] = bits >> 62 ? (char)(bits >> 32) : " \n1a"[bits >> 32 & 3];
            }
            struct cover cover = {text};
            assert_int_equal(pretok_split(p, text, sizeof text, cover_word, &cover, NULL), ST_OK);
            assert_ptr_equal(cover.at, text + sizeof text);
        }
        pretok_close(p);
    }
}

static enum status stop(void *context, const char *word, size_t n)
{
    (void)word;
    (void)n;
    ++*(int *)context;
    return ST_CANCELLED;
}

static void test_word_may_stop(void **state)
{
    (void)state;
    int calls = 0;
    struct pretok *p = open_named("qwen2");
    assert_int_equal(pretok_split(p, "a b c", 5, stop, &calls, NULL), ST_CANCELLED);
    assert_int_equal(calls, 1);
    pretok_close(p);
}

static void test_names(void **state)
{
    (void)state;
    struct pretok *p = NULL;
    struct err err = {0};
    assert_int_equal(pretok_open("", 0, &p, &err), ST_OK);
    assert_string_equal(pretok_rules(p)->name, "default");
    pretok_close(p);
    p = open_named("llama-bpe");
    assert_true(pretok_rules(p)->add_bos && pretok_rules(p)->whole_words);
    pretok_close(p);
    assert_int_equal(pretok_open("qwen", 4, &p, &err), ST_SUPPORT);
    assert_int_equal(pretok_open("qwen22", 6, &p, &err), ST_SUPPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_white_space),
        cmocka_unit_test(test_words_cover_any_bytes),
        cmocka_unit_test(test_word_may_stop),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
