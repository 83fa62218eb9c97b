#include "base/quota.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 4096 };

/* The first line of a file; false where there is none. */
static bool read_line(const char *path, char line[LINE])
{
    FILE *f = fopen(path, "re");
    const bool ok = f && fgets(line, LINE, f);
    if (f) fclose(f);
    return ok;
}

/* Both in microseconds; a quota that is no number, or not above zero, is none. */
static int processors(long long quota, long long period)
{
    if (quota <= 0 || period <= 0) return 0;
    const long long n = quota / period + (quota % period > 0);
    return n < INT_MAX ? (int)n : INT_MAX;
}

/* "QUOTA PERIOD", or "max PERIOD" */
static int of_group_2(const char *folder)
{
    char path[LINE + 32], line[LINE];
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (!read_line(path, line) || sscanf(line, "%lld %lld", &quota, &period) != 2) return 0;
    return processors(quota, period);
}

static int of_group_1(const char *folder)
{
    char path[LINE + 32], line[LINE];
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_line(path, line) || sscanf(line, "%lld", &quota) != 1) return 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_line(path, line) || sscanf(line, "%lld", &period) != 1) return 0;
    return processors(quota, period);
}

static int smaller(int a, int b)
{
    return !a || (b && b < a) ? b : a;
}

/* The group and all above it. Inside a container the names of groups may be those of the host, and
 * the files those of the container's own group, as if it were the root. */
static int of_groups(const char *mount, const char *group, int (*of_group)(const char *))
{
    char folder[LINE];
    const int n = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (n < 0 || n >= LINE) return 0;
    int least = 0;
    for (char *end = folder + n; end; end = strrchr(folder + strlen(mount), '/')) {
        *end = 0;
        least = smaller(least, of_group(folder));
    }
    return least;
}

/* Is the controller in the list "cpuset,cpu,cpuacct"? */
static bool has_controller(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (!strncmp(at, name, n) && (at[n] == ',' || !at[n])) return true;
    }
    return false;
}

/* A line "ID:CONTROLLERS:GROUP"; version 2 has no controllers. */
static int of_line(const char *root, char *line)
{
    char mount[LINE];
    line[strcspn(line, "\n")] = 0;
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    if (!group) return 0;
    *group++ = 0;
    const bool second = !list[1];
    if (!second && !has_controller(list + 1, "cpu")) return 0;
    const int n = snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, second ? "" : "/cpu");
    if (n < 0 || n >= LINE) return 0;
    return of_groups(mount, group, second ? of_group_2 : of_group_1);
}

int quota_processors(const char *root)
{
    char path[LINE], line[LINE];
    int least = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) least = smaller(least, of_line(root, line));
    fclose(f);
    return least;
}
