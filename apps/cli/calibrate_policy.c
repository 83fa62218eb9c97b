/* The knobs of any policy, by a stated number of tries. */
#include "cli/calibration.h"

#include "cli/cli.h"
#include "eval/draft.h"
#include "eval/file.h"
#include "eval/option.h"
#include "eval/outcome.h"
#include "eval/risk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct attempt {
    char name[SETTING_NAME_MAX];
    ead_policy_options rule;
    ead_risk table;
    struct outcome outcome;
    size_t dir; /* of the calibration */
};

struct tries {
    struct calibration *c;
    const struct calibration_target *target;
    const char *text; /* the setting as it is written, with options of the command line */
    ead_policy_options rule;
    const struct knob *knobs[KNOBS_MAX];
    struct search search;
    struct attempt *list; /* [search.n] */
    struct drafts drafts; /* what tables are counted over, once one is wanted */
};

/* ---- drafts that were judged ------------------------------------------------------------- */

static bool take_draft(void *drafts, size_t text, const ead_token *token)
{
    return drafts_add(drafts, text, token);
}

static int run_drafts(struct calibration *c, struct drafts *out)
{
    static const char *const judged[] = {"speculative draft=16"};
    struct runner_options *run = &c->trial->runner;
    if (calibration_discard(c, "drafts")) return EXIT_FAIL;
    run->observe = take_draft;
    run->observed = out;
    const int status = calibration_run(
        c, "drafts",
        &(struct settings_wish){.more = judged, .n_more = 1, .base = trial_options.policy});
    run->observe = NULL;
    drafts_sort(out);
    return status;
}

/* Of this calibration, measured once: exact speculation has all that the small model writes
 * judged. */
static int find_drafts(struct tries *t)
{
    ead_error error;
    if (t->drafts.n) return EXIT_OK;
    char *path = file_join(t->c->work, "drafts.json");
    if (!path) return fail("no memory for the name of a file");
    int status = EXIT_OK;
    if (!access(path, R_OK) && drafts_read(path, &t->drafts, &error)) status = fail_error(&error);
    if (!status && !t->drafts.n) {
        status = run_drafts(t->c, &t->drafts);
        if (!status && drafts_write(path, &t->drafts, &error)) status = fail_error(&error);
    }
    free(path);
    if (status || t->drafts.n) return status;
    return fail("the small model wrote nothing that a table of risks could be counted over");
}

static int give_table(struct tries *t, struct attempt *a)
{
    if (!option_wants_table(&a->rule)) return EXIT_OK;
    if (find_drafts(t)) return EXIT_FAIL;
    if (!risk_count(&t->drafts, &a->rule, &a->table))
        return fail("no memory for the table of risks");
    a->rule.table = &a->table;
    return EXIT_OK;
}

/* ---- one try ----------------------------------------------------------------------------- */

static bool was_tried(const struct tries *t, const char *name)
{
    for (int i = 0; i < t->search.n; i++)
        if (!strcmp(t->list[i].name, name)) return true;
    return false;
}

/* The next setting that is new; *found is false where the range holds no more. */
static int propose(struct tries *t, struct attempt *a, double place[KNOBS_MAX], bool *found)
{
    enum { PATIENCE = 64 };
    *found = false;
    for (int i = 0; i < PATIENCE && !*found; i++) {
        const bool begins = !t->search.drawn;
        search_next(&t->search, place);
        *a = (struct attempt){.rule = t->rule};
        for (int k = 0; k < t->search.knobs && !begins; k++)
            knob_turn(t->knobs[k], place[k], &a->rule);
        if (give_table(t, a)) return EXIT_FAIL;
        if (!setting_name(&a->rule, &trial_options.policy, a->name))
            return fail("%s: its name is too long", a->name);
        *found = !was_tried(t, a->name);
    }
    return EXIT_OK;
}

static void say(const struct attempt *a)
{
    const struct outcome *o = &a->outcome;
    if (isnan(o->kept)) /* the large model may have solved none */
        printf("  kept     -    time %.3f  %s\n", o->time, a->name);
    else
        printf("  kept %5.1f %%  time %.3f  %s\n", 100 * o->kept, o->time, a->name);
    fflush(stdout);
}

static int measure(struct tries *t, struct attempt *a)
{
    ead_error error;
    char folder[SETTING_NAME_MAX];
    struct calibration *c = t->c;
    snprintf(folder, sizeof folder, "%s", a->name);
    for (char *at = folder; *at; at++)
        if (*at == ' ') *at = '_';
    if (calibration_run(
            c, folder,
            &(struct settings_wish){.rules = &a->rule, .n_rules = 1, .base = trial_options.policy}))
        return EXIT_FAIL;
    a->dir = c->n_dirs - 1;
    if (outcome_read(c->dirs[0], c->dirs[a->dir], a->name, &trial_options.cost, &a->outcome,
                     &error))
        return fail_error(&error);
    say(a);
    return EXIT_OK;
}

static int try_all(struct tries *t)
{
    double place[KNOBS_MAX];
    for (int k = 0; k < t->search.knobs; k++) place[k] = knob_place(t->knobs[k], &t->rule);
    while (t->search.n < t->search.tries) {
        bool found;
        struct attempt *a = &t->list[t->search.n];
        if (propose(t, a, place, &found)) return EXIT_FAIL;
        if (!found) break;
        if (measure(t, a)) return EXIT_FAIL;
        struct search_point point = {.kept = a->outcome.kept, .time = a->outcome.time};
        memcpy(point.place, place, sizeof point.place);
        search_add(&t->search, &point);
    }
    return EXIT_OK;
}

/* ---- a policy ---------------------------------------------------------------------------- */

static void take_best(const struct tries *t, struct calibration_best *out)
{
    const int at = search_best(&t->search);
    const struct attempt *a = &t->list[at];
    *out = (struct calibration_best){.dir = t->c->dirs[a->dir], .point = t->search.points[at]};
    snprintf(out->name, sizeof out->name, "%s", a->name);
    out->profile = (struct profile){.policy = a->rule,
                                    .has_table = a->rule.table,
                                    .table = a->table,
                                    .target = t->target->kind == SEARCH_KEEP ? "keep" : "speedup",
                                    .wanted = t->target->wanted,
                                    .tries = t->search.n,
                                    .accuracy = a->outcome.accuracy,
                                    .kept = a->outcome.kept,
                                    .share = a->outcome.share,
                                    .modelled = a->outcome.time,
                                    .time = a->outcome.measured,
                                    .small_cost = trial_options.cost.small,
                                    .row_cost = trial_options.cost.row};
    out->profile.policy.table = NULL; /* a profile's stands beside it */
    calibration_describe(t->c, &out->profile);
}

/* What is said on the command line for all policies is held. */
static void hold(const char *text, char out[SETTING_NAME_MAX])
{
    const struct trial_options *o = &trial_options;
    snprintf(out, SETTING_NAME_MAX, "%s%s%s", text, o->window_given ? " window=" : "",
             o->dwell_given ? " dwell=" : "");
}

int calibrate_policy(struct calibration *c, const char *text,
                     const struct calibration_target *target, struct calibration_best *best)
{
    ead_error error;
    char held[SETTING_NAME_MAX];
    struct tries t = {.c = c, .target = target, .text = text};
    if (setting_read(text, &trial_options.policy, "policy", &t.rule, &error))
        return fail_error(&error);
    hold(text, held);
    t.search = (struct search){.target = target->kind,
                               .wanted = target->wanted,
                               .knobs = knobs_of(held, &t.rule, t.knobs),
                               .tries = target->tries};
    t.list = calloc((size_t)target->tries, sizeof *t.list);
    printf("\n%s: %d of its options, %d tries\n", text, t.search.knobs, target->tries);
    int status = t.list ? try_all(&t) : fail("no memory for the tries");
    if (!status) take_best(&t, best);
    drafts_free(&t.drafts);
    free(t.list);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool is_in(const char *list, const char *text)
{
    const size_t n = strlen(text);
    for (const char *at = list; (at = strstr(at, text)); at++)
        if ((at == list || at[-1] == ',') && (!at[n] || at[n] == ',')) return true;
    return false;
}

void calibrate_all(char out[CALIBRATE_ALL_MAX])
{
    const struct knob *knob;
    size_t n = 0;
    *out = 0;
    for (int i = 0; (knob = knob_at(i)) && n < CALIBRATE_ALL_MAX; i++) {
        char text[64], word[OPTION_TEXT_MAX] = "";
        const ead_policy_info *info = ead_policy_describe(knob->kind);
        if (!info) continue;
        if (knob->with) option_show(option_find(knob->with), knob->word, word);
        snprintf(text, sizeof text, "%s%s%s%s%s", info->name, knob->with ? " " : "",
                 knob->with ? knob->with : "", knob->with ? "=" : "", word);
        if (!is_in(out, text))
            n += (size_t)snprintf(out + n, CALIBRATE_ALL_MAX - n, "%s%s", n ? "," : "", text);
    }
}
