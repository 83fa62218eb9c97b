/* The metrics, read by the rules of Prometheus' text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a reader ------------------------------------------------------------------------------ */

enum { SAMPLES_MAX = 256, FAMILIES_MAX = 64 };

struct family {
    char name[64], type[16];
    int samples;
};

struct sample {
    char name[160]; /* with its labels, as it stands there */
    double value;
    int family;
};

struct page {
    struct family families[FAMILIES_MAX];
    struct sample samples[SAMPLES_MAX];
    int n_families, n_samples;
};

static bool is_metric_name(const char *name, size_t n)
{
    if (!n || isdigit((unsigned char)*name)) return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != ':') return false;
    return true;
}

/* {a="b",c="d"} with names of letters, and values without what needs an escape. */
static const char *labels_end(const char *at)
{
    if (*at != '{') return at;
    do {
        const size_t name = strspn(++at, "abcdefghijklmnopqrstuvwxyz_");
        assert_true(name > 0);
        at += name;
        assert_memory_equal(at, "=\"", 2);
        at += 2;
        at += strcspn(at, "\"\\\n");
        assert_int_equal(*at++, '"');
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* HELP, then TYPE, then the samples of one family; each family once. */
static void read_comment(struct page *p, const char *line)
{
    struct family *f = &p->families[p->n_families];
    char name[64];
    if (!strncmp(line, "# HELP ", 7)) {
        assert_true(p->n_families < FAMILIES_MAX);
        assert_int_equal(sscanf(line + 7, "%63s", f->name), 1);
        assert_true(is_metric_name(f->name, strlen(f->name)));
        assert_true(strlen(line) > 8 + strlen(f->name)); /* it says something */
        for (int i = 0; i < p->n_families; i++)
            assert_string_not_equal(f->name, p->families[i].name);
        return;
    }
    assert_int_equal(sscanf(line, "# TYPE %63s %15s", name, f->type), 2);
    assert_string_equal(name, f->name);
    p->n_families++;
}

static void read_sample(struct page *p, const char *line)
{
    struct sample *s = &p->samples[p->n_samples++];
    struct family *f = &p->families[p->n_families - 1];
    const size_t n = strcspn(line, "{ "), own = strlen(f->name);
    char *end;
    assert_true(p->n_samples <= SAMPLES_MAX && p->n_families > 0);
    assert_true(is_metric_name(line, n));
    assert_memory_equal(line, f->name, own);
    const bool whole = n == own;
    assert_true(!strcmp(f->type, "histogram") ? !whole : whole);
    const char *value = labels_end(line + n);
    assert_true((size_t)(value - line) < sizeof s->name);
    memcpy(s->name, line, (size_t)(value - line));
    s->name[value - line] = 0;
    for (struct sample *other = p->samples; other < s; other++)
        assert_string_not_equal(other->name, s->name);
    assert_int_equal(*value, ' ');
    s->value = strtod(value + 1, &end);
    assert_true(end > value + 1 && !*end && isfinite(s->value));
    s->family = p->n_families - 1;
    f->samples++;
}

static void read_page(struct metrics *m, struct page *p)
{
    struct buf text = {0};
    *p = (struct page){0};
    assert_int_equal(metrics_write(m, &text), ST_OK);
    assert_true(text.len && text.data[text.len - 1] == '\n');
    text.data[text.len - 1] = 0;
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line == '#')
            read_comment(p, line);
        else
            read_sample(p, line);
    buf_deinit(&text);
}

static double value_of(const struct page *p, const char *name)
{
    for (int i = 0; i < p->n_samples; i++)
        if (!strcmp(p->samples[i].name, name)) return p->samples[i].value;
    fail_msg("there is no %s", name);
    return NAN;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Cumulative, to a last bucket that has all, which is the count. */
static void check_histogram(const struct page *p, const char *name)
{
    char sample[96];
    double last = 0, bound = 0;
    int buckets = 0;
    bool all = false;
    const size_t n = (size_t)snprintf(sample, sizeof sample, "%s_bucket{le=\"", name);
    for (int i = 0; i < p->n_samples; i++) {
        const struct sample *s = &p->samples[i];
        if (strncmp(s->name, sample, n)) continue;
        assert_false(all);
        assert_true(s->value >= last);
        last = s->value;
        all = !strcmp(s->name + n, "+Inf\"}");
        assert_true(all || atof(s->name + n) > bound);
        bound = atof(s->name + n);
        buckets++;
    }
    assert_true(all && buckets == METRICS_BUCKETS + 1);
    snprintf(sample, sizeof sample, "%s_count", name);
    assert_true(value_of(p, sample) == last);
    snprintf(sample, sizeof sample, "%s_sum", name);
    value_of(p, sample);
}

static void check_page(const struct page *p)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    for (int i = 0; i < p->n_families; i++) {
        const struct family *f = &p->families[i];
        const size_t n = strlen(f->name);
        bool known = false;
        for (int k = 0; k < 3; k++) known |= !strcmp(f->type, types[k]);
        assert_true(known && f->samples);
        assert_memory_equal(f->name, "ead_", 4);
        assert_int_equal(!strcmp(f->type, "counter"), n > 6 && !strcmp(f->name + n - 6, "_total"));
        if (!strcmp(f->type, "histogram")) check_histogram(p, f->name);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct metrics m;
    struct page p;
    metrics_init(&m);
    read_page(&m, &p);
    check_page(&p);
    for (int i = 0; i < p.n_samples; i++) assert_true(p.samples[i].value == 0);
    metrics_deinit(&m);
}

static void test_counts(void **state)
{
    (void)state;
    struct metrics m;
    struct page p;
    const ead_summary s = {
        .switches = 3,
        .work = {[EAD_SMALL] = {.tokens = 5, .decode_rows = 4, .prompt_rows = 7},
                 [EAD_LARGE] = {
                     .tokens = 2, .catchup_rows = 6, .catchup_seconds = 0.5, .decode_seconds = 1}}};
    metrics_init(&m);
    metrics_request(&m, METRICS_CHAT, 200);
    metrics_request(&m, METRICS_CHAT, 503);
    metrics_request(&m, METRICS_OTHER, 0); /* no status at all */
    metrics_request(&m, METRICS_OTHER, 700);
    metrics_count(&m, &m.cancelled, 2);
    metrics_text(&m, &s, 10, 4);
    metrics_text(&m, &s, 10, 4);
    metrics_step(&m, 0.25, 3, 2, 1, (size_t)5 << 30);
    read_page(&m, &p);
    check_page(&p);
    assert_true(value_of(&p, "ead_requests_total{endpoint=\"chat\",status=\"2xx\"}") == 1);
    assert_true(value_of(&p, "ead_requests_total{endpoint=\"chat\",status=\"5xx\"}") == 1);
    assert_true(value_of(&p, "ead_requests_total{endpoint=\"other\",status=\"5xx\"}") == 0);
    assert_true(value_of(&p, "ead_requests_cancelled_total") == 2);
    assert_true(value_of(&p, "ead_tokens_total{model=\"small\"}") == 10);
    assert_true(value_of(&p, "ead_rows_total{model=\"large\",kind=\"catchup\"}") == 12);
    assert_true(value_of(&p, "ead_model_seconds_total{model=\"large\"}") == 3);
    assert_true(value_of(&p, "ead_switches_total") == 6);
    assert_true(value_of(&p, "ead_cached_tokens_total") == 8);
    assert_true(value_of(&p, "ead_texts_live") == 3);
    assert_true(value_of(&p, "ead_step_seconds_total") == 0.25);
    assert_true(value_of(&p, "ead_cache_bytes") == 5.0 * (1 << 30));
    metrics_deinit(&m);
}

static void test_histograms(void **state)
{
    (void)state;
    struct metrics m;
    struct page p;
    metrics_init(&m);
    static const double seen[] = {0, 0.001, 0.0011, 0.3, 59.9, 60, 60.1, 1e9};
    for (int i = 0; i < 8; i++) metrics_observe(&m, &m.first_token, seen[i]);
    read_page(&m, &p);
    check_page(&p);
    assert_true(value_of(&p, "ead_first_token_seconds_bucket{le=\"0.001\"}") == 2);
    assert_true(value_of(&p, "ead_first_token_seconds_bucket{le=\"0.0025\"}") == 3);
    assert_true(value_of(&p, "ead_first_token_seconds_bucket{le=\"0.25\"}") == 3);
    assert_true(value_of(&p, "ead_first_token_seconds_bucket{le=\"60\"}") == 6);
    assert_true(value_of(&p, "ead_first_token_seconds_bucket{le=\"+Inf\"}") == 8);
    assert_true(value_of(&p, "ead_first_token_seconds_count") == 8);
    assert_true(value_of(&p, "ead_between_tokens_seconds_count") == 0);
    metrics_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_histograms),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
