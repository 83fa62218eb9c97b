/* Quotas of control groups, read from trees of files as Linux writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

/* Write ROOT/path, and the folders above it. */
static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')); *c++ = '/') {
        *c = 0;
        mkdir(full, 0700);
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int fresh(void **state)
{
    (void)state;
    strcpy(root, "/tmp/ead-quota-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command); /* NOLINT */
}

#define V2 "sys/fs/cgroup/"
#define V1 "sys/fs/cgroup/cpu/"

static void test_no_groups_no_quota(void **state)
{
    (void)state;
    assert_int_equal(quota_processors(root), 0);
    put("proc/self/cgroup", "0::/\n");
    assert_int_equal(quota_processors(root), 0);
    put(V2 "cpu.max", "max 100000\n");
    assert_int_equal(quota_processors(root), 0);
}

static void test_version_2(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int processors;
    } cases[] = {{"200000 100000\n", 2},
                 {"150000 100000\n", 2},
                 {"1000 100000\n", 1},
                 {"100001 100000\n", 2},
                 {"6400000 100000\n", 64},
                 {"max 100000\n", 0},
                 {"0 100000\n", 0},
                 {"-1 100000\n", 0},
                 {"100000 0\n", 0},
                 {"100000\n", 0},
                 {"", 0},
                 {"\n", 0},
                 {"9223372036854775807 1\n", 2147483647}};
    put("proc/self/cgroup", "0::/system.slice/ead.service\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(V2 "system.slice/ead.service/cpu.max", cases[i].text);
        assert_int_equal(quota_processors(root), cases[i].processors);
    }
}

static void test_the_smallest_of_all_above_counts(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/a/b/c\n");
    put(V2 "a/b/c/cpu.max", "400000 100000\n");
    assert_int_equal(quota_processors(root), 4);
    put(V2 "a/b/cpu.max", "max 100000\n");
    put(V2 "a/cpu.max", "250000 100000\n");
    assert_int_equal(quota_processors(root), 3);
    put(V2 "a/x/cpu.max", "100000 100000\n"); /* a sister's */
    assert_int_equal(quota_processors(root), 3);
    put(V2 "cpu.max", "50000 50000\n");
    assert_int_equal(quota_processors(root), 1);
}

/* The name is the host's; the container sees its own group as the root. */
static void test_inside_a_container(void **state)
{
    (void)state;
    put("proc/self/cgroup", "4:memory:/docker/0123\n3:cpu,cpuacct:/docker/0123\n");
    put(V1 "cpu.cfs_quota_us", "300000\n");
    put(V1 "cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_processors(root), 3);
}

static void test_version_1(void **state)
{
    (void)state;
    put("proc/self/cgroup", "12:cpuset:/x\n7:cpuacct,cpu:/y\n1:name=systemd:/z\n0::/w\n");
    assert_int_equal(quota_processors(root), 0);
    put(V1 "y/cpu.cfs_quota_us", "-1\n");
    put(V1 "y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_processors(root), 0);
    put(V1 "y/cpu.cfs_quota_us", "110000\n");
    assert_int_equal(quota_processors(root), 2);
    put(V1 "x/cpu.cfs_quota_us", "1000\n"); /* the group of another controller */
    put(V1 "x/cpu.cfs_period_us", "1000\n");
    assert_int_equal(quota_processors(root), 2);
    put(V2 "w/cpu.max", "100000 100000\n"); /* both versions at once */
    assert_int_equal(quota_processors(root), 1);
}

static void test_broken_files_are_no_quota(void **state)
{
    (void)state;
    char *line = malloc(20000);
    assert_non_null(line);
    memset(line, 'a', 19999);
    line[19999] = 0;
    memcpy(line, "0::/", 4);
    static const char *const texts[] = {"", "\n", "0\n", "0:\n", "3:cpu\n", ":::\n", "0::\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("proc/self/cgroup", texts[i]);
        assert_int_equal(quota_processors(root), 0);
    }
    put("proc/self/cgroup", line);
    assert_int_equal(quota_processors(root), 0);
    free(line);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, clean)
    const struct CMUnitTest tests[] = {
        TEST(test_no_groups_no_quota),
        TEST(test_version_2),
        TEST(test_the_smallest_of_all_above_counts),
        TEST(test_inside_a_container),
        TEST(test_version_1),
        TEST(test_broken_files_are_no_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
