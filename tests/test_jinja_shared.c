/* All templates and conversations of ../shared/templates: the text is jinja2's, byte for byte, and
 * what jinja2 refuses is refused. */
#include "shared.h"
#include "test_jinja_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

static const char cases_path[] = SHARED_DIR "/templates/cases.jsonl";

enum { CASES = 884 };

/* The variables of a case as JSON, which the caller frees: what is null stays, as None. */
static char *variables_of(json_t *c)
{
    static const char *const names[] = {"bos_token", "eos_token", "messages", "tools",
                                        "add_generation_prompt"};
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(json_object_set(all, names[i], json_object_get(c, names[i])), 0);
    assert_int_equal(json_object_set_new(all, "documents", json_null()), 0);
    assert_int_equal(json_object_update(all, json_object_get(c, "extra")), 0);
    char *out = json_dumps(all, 0);
    assert_non_null(out);
    json_decref(all);
    return out;
}

static size_t read_template(const char *name, char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/templates/%s", SHARED_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(text, 1, JINJA_TEMPLATE_MAX, file);
    fclose(file);
    return n;
}

/* Is the case as it should be? Otherwise it says how not. */
static bool right(json_t *c, const char *text, size_t n)
{
    struct buf out = {0};
    struct err err = {0};
    const json_t *expected = json_object_get(c, "text");
    char *variables = variables_of(c);
    const enum status st = render_text(text, n, variables, &jinja_limits_usual, &out, &err);
    const bool same =
        st == ST_OK ? expected && out.len == json_string_length(expected) &&
                          (!out.len || !memcmp(out.data, json_string_value(expected), out.len))
                    : !expected;
    if (!same)
        printf("%s, %s\nexpected: %s\nfound:    %s\n",
               json_string_value(json_object_get(c, "template")),
               json_string_value(json_object_get(c, "case")),
               json_string_value(expected ? expected : json_object_get(c, "error")),
               st != ST_OK ? err.message
               : out.data  ? out.data
                           : "");
    free(variables);
    buf_deinit(&out);
    return same;
}

static void test_cases(void **state)
{
    (void)state;
    char *line = NULL, *text = malloc(JINJA_TEMPLATE_MAX);
    size_t room = 0;
    int count = 0, wrong = 0;
    FILE *file = fopen(cases_path, "r");
    assert_true(text && file);
    for (ssize_t n; (n = getline(&line, &room, file)) > 0; count++) {
        json_t *c = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, NULL);
        assert_non_null(c);
        const size_t length =
            read_template(json_string_value(json_object_get(c, "template")), text);
        wrong += !right(c, text, length);
        json_decref(c);
    }
    fclose(file);
    free(line);
    free(text);
    assert_int_equal(wrong, 0);
    assert_int_equal(count, CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    if (shared_lacks(cases_path)) return SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
