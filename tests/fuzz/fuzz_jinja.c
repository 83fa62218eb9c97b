/*
 * The template language under any bytes: a template and, behind a NUL, JSON of further variables.
 * It is rendered under small limits over one conversation; nothing may crash, leak or run long, and
 * what is rendered once is rendered again the same.
 */
#include "text/jinja.h"
#include "text/jinja/jvjson.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char conversation[] =
    "{\"messages\":[{\"role\":\"system\",\"content\":\" Be brief. \"},"
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"H\xc3\xa9llo, <b>W\"},"
    "{\"type\":\"image\"}]},"
    "{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"hm\\n\",\"tool_calls\":["
    "{\"id\":\"abc\",\"type\":\"function\",\"function\":{\"name\":\"add\","
    "\"arguments\":{\"a\":1,\"b\":2.5,\"c\":[true,null,\"\xf0\x9f\x98\x80\"]}}}]},"
    "{\"role\":\"tool\",\"name\":\"add\",\"content\":\"3.5\"},"
    "{\"role\":\"user\",\"content\":\"one two  three\\nfour\"}],"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"description\":\"Adds.\","
    "\"parameters\":{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{"
    "\"a\":{\"type\":\"number\"},\"b\":{\"type\":[\"number\",\"null\"],\"enum\":[1,2]}}}}}],"
    "\"add_generation_prompt\":true,\"bos_token\":\"<s>\",\"eos_token\":\"</s>\","
    "\"documents\":null,\"enable_thinking\":false,\"n\":-3,\"f\":1e22,\"s\":\"ab\",\"xs\":[3,1,2],"
    "\"d\":{\"b\":1,\"a\":{\"k\":[]}}}";

static const struct jinja_limits limits = {
    .memory = 32 << 20, .output = 1 << 20, .steps = 100000, .depth = 300};

static void require(bool condition)
{
    if (!condition) abort();
}

/* The same values for every input: nothing can change them. */
static const struct jv_dict *given(void)
{
    static struct pool pool = {.max = 1 << 20};
    static struct jv read;
    if (!pool.chunk)
        require(jvjson_read(&pool, conversation, sizeof conversation - 1, &read, NULL) == ST_OK);
    return read.dict;
}

static void add_variables(struct pool *pool, struct jv_dict *to, const struct jv_dict *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        require(jv_dict_set(pool, to, from->pairs[i].key, from->pairs[i].value));
}

static enum status render(const struct jinja *j, const char *json, size_t n, struct buf *out)
{
    const struct tm now = {.tm_year = 126, .tm_mday = 2, .tm_wday = 5, .tm_yday = 1};
    struct pool pool = {.max = limits.memory};
    struct jv variables, more;
    struct err err = {0};
    require(jv_dict_init(&pool, JV_DICT, &variables));
    add_variables(&pool, variables.dict, given());
    if (n && jvjson_read(&pool, json, n, &more, &err) == ST_OK && more.kind == JV_DICT)
        add_variables(&pool, variables.dict, more.dict);
    const enum status st = jinja_render(j, variables.dict, &limits, &now, &pool, out, &err);
    require(st == ST_OK || (!out->len && err.message[0]));
    require(st == ST_OK || st == ST_ARG || st == ST_FORMAT || st == ST_MEMORY);
    pool_deinit(&pool);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *zero = size ? memchr(text, 0, size) : NULL;
    const size_t n = zero ? (size_t)(zero - text) : size, n_json = zero ? size - n - 1 : 0;
    struct jinja *j = NULL;
    struct err err = {0};
    const enum status st = jinja_open(text, n, &j, &err);
    if (st != ST_OK) {
        require(st == ST_FORMAT && !strncmp(err.message, "line ", 5));
        return 0;
    }
    struct buf first = {0}, second = {0};
    const enum status once = render(j, zero ? zero + 1 : "", n_json, &first);
    if (size % 8 == 0) { /* often enough */
        require(render(j, zero ? zero + 1 : "", n_json, &second) == once);
        require(first.len == second.len);
        require(!first.len || !memcmp(first.data, second.data, first.len));
    }
    buf_deinit(&first);
    buf_deinit(&second);
    jinja_close(j);
    return 0;
}
