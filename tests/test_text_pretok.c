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

struct golden {
    const char *name, *words;
};

static const struct golden goldens[] = {
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

/* Case beyond ASCII, a title-case letter, marks, numbers, scripts of Asia. What the original
 * expressions of each tokenizer make of it was found with another engine (Oniguruma). */
static const char mixed[] =
    "\xc3\x89"
    "cole \xc3\x89"
    "COLE e\xcc\x81t \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 "
    "\xc7\x85ungla 1234567% "
    "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b "
    "don'T/\n\ta b";

static const struct golden mixed_goldens[] = {
    {"tekken",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don|'T|/\n|\ta| b"},
    {"gpt-4o",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |123|456|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T|/\n|\ta| b"},
    {"qwen35",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don|'T|/\n|\ta| b"},
    {"llama-bpe", "\xc3\x89"
                  "cole| \xc3\x89"
                  "COLE| e|\xcc\x81t| "
                  "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
                  "\xc7\x85ungla| |123|456|7|%| "
                  "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
                  "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/\n|\ta| b"},
    {"minicpm5", "\xc3\x89"
                 "cole| \xc3\x89"
                 "COLE| e|\xcc\x81t| "
                 "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
                 "\xc7\x85ungla| |123|456|7|%| "
                 "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
                 "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/\n|\ta| b"},
    {"laguna", "\xc3\x89"
               "cole| \xc3\x89"
               "COLE| e|\xcc\x81t| "
               "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
               "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
               "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
               "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/|\n|\ta| b"},
    {"seed-coder", "\xc3\x89"
                   "cole| \xc3\x89"
                   "COLE| e|\xcc\x81t| "
                   "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
                   "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
                   "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
                   "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/|\n|\ta| b"},
    {"bailingmoe", "\xc3\x89"
                   "cole| \xc3\x89"
                   "COLE| e|\xcc\x81t| "
                   "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
                   "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
                   "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
                   "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/\n|\ta| b"},
    {"exaone-moe",
     "\xc3\x89"
     "cole \xc3\x89"
     "COLE e\xcc\x81t \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b "
     "don|'T|/\n|\ta b"},
    {"jais-2", "\xc3\x89"
               "cole| \xc3\x89"
               "COLE| e|\xcc\x81t| "
               "\xe0\xa4\xb9|\xe0\xa4\xbf\xe0\xa4\xa8|\xe0\xa5\x8d\xe0\xa4\xa6|\xe0\xa5\x80| "
               "\xc7\x85ungla| |123|456|7|%| "
               "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|"
               "\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'T|/\n|\ta| b"},
    {"chameleon", "\xc3\x89"
                  "cole| \xc3\x89"
                  "COLE| e|\xcc\x81|t| "
                  "\xe0\xa4\xb9|\xe0\xa4\xbf|\xe0\xa4\xa8|\xe0\xa5\x8d|\xe0\xa4\xa6|\xe0\xa5\x80| "
                  "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
                  "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|"
                  "\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| don|'|T|/|\n|\t|a| b"},
    {"bloom",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| 1234567%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T/|\n\t|a| b"},
    {"viking",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T/|\n\t|a| b"},
    {"spark2_5",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|\xe3\x84\x85|\xe5\x86\x8d\xe8\xa6\x8b| "
     "don|'T|/|\n|\ta| b"},
    {"youtu",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|2|3|4|5|6|7|%| "
     "|\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|\xe3\x84\x85|\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T|/\n|\ta| b"},
    {"tiny_aya",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|234|567|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T|/\n|\ta| b"},
    {"kimi-k2",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |123|456|7|%| "
     "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82\xe3\x84\x85|\xe5\x86\x8d\xe8\xa6\x8b| "
     "don'T|/\n|\ta| b"},
    {"afmoe",
     "\xc3\x89"
     "cole| \xc3\x89"
     "COLE| e\xcc\x81t| \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80| "
     "\xc7\x85ungla| |1|234|567|%| "
     "|\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xe3\x80\x82|\xe3\x84\x85|\xe5\x86\x8d\xe8\xa6\x8b| "
     "don|'T|/\n|\ta| b"},
};

static void expect_words(const char *name, const char *text, size_t n, const char *words)
{
    struct pretok *p = open_named(name);
    struct buf out = {0};
    assert_int_equal(pretok_split(p, text, n, add_word, &out, NULL), ST_OK);
    assert_int_equal(buf_add(&out, "", 1), ST_OK);
    if (strcmp(out.data, words)) fail_msg("%s:\nexpected %s\nfound    %s", name, words, out.data);
    buf_deinit(&out);
    pretok_close(p);
}

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++)
        expect_words(goldens[i].name, tricky, sizeof tricky - 1, goldens[i].words);
    for (size_t i = 0; i < sizeof mixed_goldens / sizeof *mixed_goldens; i++)
        expect_words(mixed_goldens[i].name, mixed, sizeof mixed - 1, mixed_goldens[i].words);
}

/* Numbers in threes, counted from the right. */
static void test_threes(void **state)
{
    (void)state;
    static const char text[] =
        "1 12 123 1234 12345 123456 1234abc \xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4";
    expect_words("afmoe", text, sizeof text - 1,
                 "1| |12| |123| |1|234| |12|345| |123|456| |1|234|abc| "
                 "|\xd9\xa1|\xd9\xa2\xd9\xa3\xd9\xa4");
    expect_words("tiny_aya", text, sizeof text - 1, /* not before a letter */
                 "1| |12| |123| |1|234| |12|345| |123|456| |123|4|abc| "
                 "|\xd9\xa1|\xd9\xa2\xd9\xa3\xd9\xa4");
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

/* docs/VOCABULARIES.md says what each name does. */
static void test_names_are_documented(void **state)
{
    (void)state;
    FILE *file = fopen(SOURCE_DIR "/docs/VOCABULARIES.md", "rb");
    assert_non_null(file);
    static char all[1 << 16];
    const size_t n = fread(all, 1, sizeof all - 1, file);
    fclose(file);
    assert_true(n < sizeof all - 1);
    for (size_t e = 0; pretok_table_at(e); e++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", pretok_table_at(e)->rules.name);
        if (!strstr(all, quoted)) fail_msg("%s is missing", quoted);
        if (e && strcmp(pretok_table_at(e - 1)->rules.name, pretok_table_at(e)->rules.name) >= 0)
            fail_msg("%s is not in its place", quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_threes),
        cmocka_unit_test(test_white_space),
        cmocka_unit_test(test_words_cover_any_bytes),
        cmocka_unit_test(test_word_may_stop),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_are_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
