/* Which form of a weight a table reads: its panels, or the rows as they lie in the file. */
#include "abort.h"
#include "kern_test.h"

#include "base/check.h"

#include <stdalign.h>

static const enum quant_type types[] = {QT_Q4_0, QT_Q8_0, QT_Q6_K, QT_F32, QT_F16, QT_BF16};
enum { TYPES = sizeof types / sizeof *types, ROWS = 40, COLS = 256, MOST = 33 /* at once */ };

/* Both products, by the type of the weights. */
static void multiply(const struct kern *k, const struct kern_weight *w, const float *x, int n,
                     float *y)
{
    alignas(64) static int8_t q[MOST * KERN_Q8_STRIDE(COLS)];
    alignas(64) static float d[sizeof q / 32], s[sizeof q / 16];
    alignas(64) static int32_t t[sizeof q / 16];
    const struct kern_q8 to = {q, d, s, t};
    if (!quant_forms[w->type].bits) {
        k->matmul_f32(w, x, COLS, n, 0, w->rows, y, ROWS);
        return;
    }
    for (int r = 0; r < n; r++) k->quantize(x + r * COLS, COLS, kern_q8_row(to, COLS, r));
    k->matmul(w, to, n, 0, w->rows, y, ROWS);
}

/* The other form is not there, or lies: the numbers come out all the same. */
static void check_form(const struct kern *k)
{
    assert_true(k->panels == (k->level != KERN_REF));
    for (int t = 0; t < TYPES; t++) {
        struct kern_weight w = {.type = types[t], .rows = ROWS, .cols = COLS};
        w.row_bytes = quant_row_bytes(w.type, COLS);
        uint8_t *data = aligned(ROWS, w.row_bytes), *lie = aligned(2 * ROWS, w.row_bytes + COLS);
        uint64_t seed = (uint64_t)t;
        float *x = aligned(COLS, sizeof *x), got[ROWS], want[ROWS];
        for (size_t i = 0; i < ROWS * w.row_bytes; i++)
            data[i] = (uint8_t)random_bits(&seed) & 0x37;
        for (int i = 0; i < COLS; i++) x[i] = random_unit(&seed);
        w.data = data;
        multiply(reference(), &w, x, 1, want);
        struct guard panels = pack_weights(k, &w, GUARD_AFTER);
        if (k->panels)
            w.data = NULL;
        else
            w.packed = lie;
        multiply(k, &w, x, 1, got);
        float largest = 0;
        for (int o = 0; o < ROWS; o++) largest = fmaxf(largest, fabsf(want[o]));
        assert_true(largest > 0);
        for (int o = 0; o < ROWS; o++) assert_true(fabsf(got[o] - want[o]) <= 1e-5f * largest);
        panels_free(panels);
        free(data);
        free(lie);
        free(x);
    }
}

static void a_table_reads_one_form(void **state)
{
    (void)state;
    check_form(reference());
    for_each_level(check_form);
}

#ifndef EAD_NO_CHECKS
struct missing {
    const struct kern *k;
    struct kern_weight w;
    int n;
    float *x, *y;
};

static void multiply_missing(void *context)
{
    const struct missing *m = context;
    multiply(m->k, &m->w, m->x, m->n, m->y);
}

/* Weights that nobody packed are a broken invariant, not an address near zero. */
static void check_missing(const struct kern *k)
{
    float *x = aligned(MOST * COLS, sizeof *x), *y = aligned(MOST * ROWS, sizeof *y);
    for (int i = 0; i < 2 * TYPES; i++) {
        const struct kern_weight w = {.type = types[i / 2], .rows = ROWS, .cols = COLS};
        struct missing m = {k, w, i % 2 ? MOST : 1, x, y};
        assert_aborts(multiply_missing, &m, "w->packed");
    }
    free(x);
    free(y);
}

static void missing_panels_are_noticed(void **state)
{
    (void)state;
    for_each_level(check_missing);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_reads_one_form),
#ifndef EAD_NO_CHECKS
        cmocka_unit_test(missing_panels_are_noticed),
#endif
    };
    return cmocka_run_group_tests_name("panels", tests, NULL, NULL);
}
