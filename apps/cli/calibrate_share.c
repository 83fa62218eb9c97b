/* A share of the large model's tokens that is to be reached, by the threshold of ead. */
#include "cli/calibration.h"

#include "cli/cli.h"
#include "eval/share.h"
#include "eval/sweep.h"

#include <math.h>
#include <stdio.h>

/* Of a row that is a setting of ead. */
static bool is_ead(const struct summary_row *row)
{
    return ead_policy_parse(row->policy) == EAD_POLICY_EAD;
}

static int run_taus(struct calibration *c, const char *name, const char *taus)
{
    return calibration_run(
        c, name,
        &(struct settings_wish){.policies = "ead", .taus = taus, .base = trial_options.policy});
}

/* What was measured so far, to the search. */
static int learn(struct calibration *c, struct share_search *search)
{
    struct summary *s;
    if (calibration_join((const char *const *)c->dirs, c->n_dirs, &s)) return EXIT_FAIL;
    for (size_t i = 0; i < s->n_settings; i++)
        if (is_ead(&s->rows[i]))
            share_add(search, &(struct share_point){s->rows[i].tau, s->rows[i].share});
    summary_free(s);
    return EXIT_OK;
}

static int measure_tau(struct calibration *c, double tau)
{
    char name[48], text[32];
    snprintf(text, sizeof text, "%.9g", tau);
    snprintf(name, sizeof name, "tau=%s", text);
    return run_taus(c, name, text);
}

/* The models alone, then a first row of thresholds from how unsure the small one was. */
static int sweep(struct calibration *c, struct share_search *search)
{
    ead_error error;
    double taus[SWEEP_MAX];
    char list[SWEEP_MAX * 32] = "";
    size_t n, at = 0;
    if (calibration_run_alone(c)) return EXIT_FAIL;
    if (sweep_taus(c->dirs[0], trial_options.policy.window, taus, &n, &error))
        return fail_error(&error);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%.9g", i ? "," : "", taus[i]);
    return run_taus(c, "sweep", list) || learn(c, search) ? EXIT_FAIL : EXIT_OK;
}

static const struct summary_row *row_at(const struct summary *s, double tau)
{
    for (size_t i = 0; i < s->n_settings; i++)
        if (is_ead(&s->rows[i]) && s->rows[i].tau == tau) return &s->rows[i];
    return NULL;
}

int calibrate_share(struct calibration *c, double share, struct summary **summary,
                    const struct summary_row **row)
{
    struct share_search search = {.wanted = share};
    if (sweep(c, &search)) return EXIT_FAIL;
    for (double tau; !isnan(tau = share_next(&search));) {
        const int before = search.n;
        if (measure_tau(c, tau) || learn(c, &search)) return EXIT_FAIL;
        if (search.n == before) break; /* no room for more */
    }
    if (calibration_join((const char *const *)c->dirs, c->n_dirs, summary)) return EXIT_FAIL;
    const struct share_point *choice = share_choice(&search);
    *row = choice ? row_at(*summary, choice->tau) : NULL;
    return EXIT_OK;
}
