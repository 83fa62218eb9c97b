#include "eval/sweep.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half of the thresholds lie where less than a fifth of the tokens exceed them: a token that does
 * costs at least a dwell of the large model. */
static const double quantiles[] = {0.3, 0.5, 0.65, 0.77, 0.86, 0.92, 0.96, 0.985};
static const double scale[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2};
enum { N_QUANTILES = sizeof quantiles / sizeof *quantiles, ENOUGH = 64 };

struct values {
    double *list;
    size_t n, capacity;
};

static bool values_add(struct values *v, double x)
{
    if (v->n == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 1024;
        double *more = realloc(v->list, capacity * sizeof *more);
        if (!more) return false;
        v->list = more;
        v->capacity = capacity;
    }
    v->list[v->n++] = x;
    return true;
}

/* The rolling means of a text, as the policy sees them. */
static bool add_means(struct values *v, const json_t *entropy, int window)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(entropy); i++) {
        const size_t w = (size_t)window;
        sum += json_number_value(json_array_get(entropy, i));
        if (i >= w) sum -= json_number_value(json_array_get(entropy, i - w));
        if (!values_add(v, sum / (double)(i < w ? i + 1 : w))) return false;
    }
    return true;
}

static ead_status read_means(const char *path, int window, struct values *v, ead_error *error)
{
    struct jsonl file;
    json_t *object;
    ead_status st = jsonl_open(&file, path, error);
    while (!st && !(st = jsonl_next(&file, &object, error)) && object) {
        const char *setting = json_string_value(json_object_get(object, "setting"));
        if (setting && !strcmp(setting, "small") &&
            !add_means(v, json_object_get(object, "entropy"), window))
            st = fault_memory(error, "the entropies of %s", path);
        json_decref(object);
    }
    jsonl_close(&file);
    return st;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t pick(struct values *v, double taus[SWEEP_MAX])
{
    size_t n = 0;
    if (v->n) qsort(v->list, v->n, sizeof *v->list, by_value);
    for (int i = 0; i < N_QUANTILES && v->n >= ENOUGH; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.2g", v->list[(size_t)(quantiles[i] * (double)v->n)]);
        const double tau = strtod(text, NULL);
        if (tau > 0 && (!n || tau > taus[n - 1])) taus[n++] = tau;
    }
    if (n >= 3) return n;
    memcpy(taus, scale, sizeof scale);
    return sizeof scale / sizeof *scale;
}

ead_status sweep_taus(const char *dir, int window, double taus[SWEEP_MAX], size_t *n,
                      ead_error *error)
{
    struct values values = {0};
    char *path = file_join(dir, "traces.jsonl");
    if (!path) return fault_memory(error, "a file's name");
    ead_status st = read_means(path, window, &values, error);
    if (!st) *n = pick(&values, taus);
    free(values.list);
    free(path);
    return st;
}
