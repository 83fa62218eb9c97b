/* Who may ask: hosts, origins, keys and content types as browsers, clients and others send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/guard.h"

#include <string.h>

static const char *const names[] = {"Box.local", "ead.example"};
static const char *const keys[] = {"secret-one", "secret-two", "x"};
static const struct guard open_guard = {.names = names, .n_names = 2};

/* 0: passes, or the status. */
static int host(const char *h)
{
    struct refusal r = {0};
    return guard_host(&open_guard, h, &r) ? 0 : r.status;
}

static void all_hosts(const char *const *hosts, size_t n, int status)
{
    for (size_t i = 0; i < n; i++)
        if (host(hosts[i]) != status) fail_msg("%s: %d", hosts[i], host(hosts[i]));
}

static void test_own_hosts(void **state)
{
    (void)state;
    static const char *const own[] = {
        "localhost",      "LOCALHOST:8080", "localhost:",  "127.0.0.1",     "127.0.0.1:80",
        "10.1.2.3:65535", "[::1]",          "[::1]:8080",  "[fe80::1]",     "[::ffff:127.0.0.1]:1",
        "box.LOCAL",      "box.local:8080", "ead.example", "a.localhost:1",
    };
    all_hosts(own, sizeof own / sizeof *own, 0);
}

static void test_other_hosts(void **state)
{
    (void)state;
    static const char *const others[] = {
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evillocalhost",
        ".localhost.",
        "localhost.",
        "localhost@evil.example",
        "127.0.0.1@evil",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.01x",
        "[127.0.0.1]",
        "[localhost]",
        "[box.local]",
        "[fe80::1%25eth0]",
        "[::1::]",
        "local host",
        " localhost",
        "localhost/",
        "box.local.",
        "abox.local",
        "256.0.0.1",
    };
    all_hosts(others, sizeof others / sizeof *others, 403);
}

static void test_no_hosts(void **state)
{
    (void)state;
    static const char *const neither[] = {
        "",
        ":80",
        "::1",
        "[",
        "[]",
        "[::1",
        "[::1]x",
        "[::1]x:80",
        "localhost:80x",
        "localhost:-1",
        "localhost:80:80",
        "localhost: 80",
        "localhost:80@evil.example",
        "1::2",
        ":",
        "[]:80",
    };
    char longest[300];
    all_hosts(neither, sizeof neither / sizeof *neither, 400);
    assert_int_equal(host(NULL), 400);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(host(longest), 400);
    longest[255] = 0;
    assert_int_equal(host(longest), 403);
}

static int origin(const char *cors, const char *o, const char *at)
{
    const struct guard g = {.cors = cors};
    struct refusal r = {0};
    return guard_origin(&g, o, at, &r) ? 0 : r.status;
}

static void test_origins(void **state)
{
    (void)state;
    static const char at[] = "127.0.0.1:8080", page[] = "https://page.example";
    assert_int_equal(origin(NULL, NULL, at), 0); /* no browser */
    assert_int_equal(origin(NULL, NULL, NULL), 0);
    assert_int_equal(origin(NULL, "http://127.0.0.1:8080", at), 0);
    assert_int_equal(origin(NULL, "https://127.0.0.1:8080", at), 0); /* behind a proxy with TLS */
    assert_int_equal(origin(NULL, "http://LocalHost:1", "localhost:1"), 0);
    static const char *const others[] = {
        "http://127.0.0.1",
        "http://127.0.0.1:8081",
        "http://127.0.0.1:80800",
        "http://evil.example",
        "null",
        "",
        "127.0.0.1:8080",
        "file://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
        "http://",
        "http://127.0.0.1:8080.evil.example",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (origin(NULL, others[i], at) != 403) fail_msg("%s", others[i]);
        if (origin(page, others[i], at) != 403) fail_msg("%s", others[i]);
        assert_int_equal(origin("*", others[i], at), 0);
    }
    assert_int_equal(origin(NULL, "http://", NULL), 403);
    assert_int_equal(origin(page, page, at), 0);
    assert_int_equal(origin(page, "http://page.example", at), 403);
    assert_int_equal(origin(page, "https://page.example:444", at), 403);
}

static void test_shares(void **state)
{
    (void)state;
    const struct guard none = {0}, one = {.cors = "https://a.example"}, any = {.cors = "*"};
    assert_false(guard_shares(&none, "https://a.example"));
    assert_true(guard_shares(&one, "https://a.example"));
    assert_false(guard_shares(&one, "https://b.example"));
    assert_false(guard_shares(&one, NULL));
    assert_true(guard_shares(&any, "null"));
    assert_false(guard_shares(&any, NULL)); /* nobody who would read the header */
}

static int key(const char *authorization, const char *bare)
{
    const struct guard g = {.keys = keys, .n_keys = 3};
    struct refusal r = {0};
    return guard_key(&g, authorization, bare, &r) ? 0 : r.status;
}

static void test_keys(void **state)
{
    (void)state;
    struct refusal r = {0};
    assert_true(guard_key(&open_guard, NULL, NULL, &r));
    assert_true(guard_key(&open_guard, "Bearer anything", NULL, &r));
    assert_int_equal(key("Bearer secret-one", NULL), 0);
    assert_int_equal(key("bearer  secret-two", NULL), 0);
    assert_int_equal(key("Bearer x", NULL), 0);
    assert_int_equal(key(NULL, "secret-two"), 0);
    assert_int_equal(key("Basic dTpw", "secret-two"), 0);
    static const char *const wrong[] = {
        "Bearer secret-on",
        "Bearer secret-onee",
        "Bearer secret-three",
        "Bearer ",
        "Bearer",
        "secret-one",
        "Bearer xx",
        "Bearer secret-one ",
        "Bearer SECRET-ONE",
        "Basic secret-one",
        "Bearersecret-one",
        "",
        "Bearer secret-onesecret-one",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (key(wrong[i], NULL) != 401) fail_msg("%s", wrong[i]);
    assert_int_equal(key(NULL, NULL), 401);
    assert_int_equal(key(NULL, ""), 401);
    /* An empty key opens nothing. */
    const struct guard empty = {.keys = (const char *const[]){""}, .n_keys = 1};
    assert_false(guard_key(&empty, NULL, NULL, &r));
    assert_false(guard_key(&empty, "Bearer ", "", &r));
}

/* The key itself never stands in what is said of it. */
static void test_keys_stay(void **state)
{
    (void)state;
    const struct guard g = {.keys = keys, .n_keys = 3};
    struct refusal r = {0};
    assert_false(guard_key(&g, "Bearer secret-onf", NULL, &r));
    assert_null(strstr(r.message, "secret"));
}

static void test_types(void **state)
{
    (void)state;
    static const char *const json[] = {"application/json", "Application/JSON",
                                       "application/json;charset=utf-8",
                                       "application/json ; charset=utf-8", "application/json\t;"};
    static const char *const other[] = {
        "",
        "text/plain",
        "application/jsonx",
        "application/json-patch",
        "application/jso",
        "multipart/form-data; boundary=application/json",
        "application/x-www-form-urlencoded",
        " application/json",
        "application/json,text/plain",
    };
    struct refusal r;
    for (size_t i = 0; i < sizeof json / sizeof *json; i++)
        if (!guard_type(json[i], &r)) fail_msg("%s: %s", json[i], r.message);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        if (guard_type(other[i], &r)) fail_msg("%s", other[i]);
        assert_int_equal(r.status, 415);
    }
    assert_false(guard_type(NULL, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_hosts), cmocka_unit_test(test_other_hosts),
        cmocka_unit_test(test_no_hosts),  cmocka_unit_test(test_origins),
        cmocka_unit_test(test_shares),    cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_stay), cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
