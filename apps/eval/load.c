#include "eval/load.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static const struct load unknown = {NAN, NAN};

/* The first two numbers of TASK/schedstat: nanoseconds on a processor, and in the queue for one. */
static struct load of_thread(const char *task)
{
    char path[64];
    unsigned long long ran, waited;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", task);
    FILE *from = fopen(path, "r");
    if (!from) return unknown;
    const bool good = fscanf(from, "%llu %llu", &ran, &waited) == 2;
    fclose(from);
    return good ? (struct load){1e-9 * (double)ran, 1e-9 * (double)waited} : unknown;
}

struct load load_now(void)
{
    struct load all = {0, 0};
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return unknown;
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.') continue;
        const struct load one = of_thread(entry->d_name);
        all.ran += one.ran;
        all.waited += one.waited;
    }
    closedir(tasks);
    return all;
}

struct load load_since(struct load before)
{
    const struct load now = load_now();
    return (struct load){fmax(now.ran - before.ran, 0), fmax(now.waited - before.waited, 0)};
}

double load_share(struct load load)
{
    return load.ran > 0 ? load.ran / (load.ran + load.waited) : NAN;
}
