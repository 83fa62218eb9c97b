#include "eval/summary.h"

#include "eval/fault.h"
#include "eval/file.h"
#include "eval/jsonl.h"
#include "eval/records.h"
#include "json/jsonio.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which problems ---------------------------------------------------------------------- */

/* A selection of problems: all, a level, or a subject. */
struct filter {
    int level;           /* -1: any */
    const char *subject; /* NULL: any */
};

static bool chosen(const struct filter *f, const struct record *r)
{
    return r && (f->level < 0 || r->level == f->level) &&
           (!f->subject || !strcmp(r->subject, f->subject));
}

/* ---- one row ----------------------------------------------------------------------------- */

/* What a row is computed from, beside its own setting. */
struct context {
    const struct records *records;
    const struct record_setting *large;   /* NULL: the run has none */
    const struct record_setting *against; /* NULL: none was named */
    struct cost cost;
    double step[EAD_WRITERS];       /* t_S, t_L; NaN: not measured */
    double parameters[EAD_WRITERS]; /* that a token passes; NaN: unknown */
    double *a, *b;                  /* [n_problems], scratch for paired values */
};

struct totals {
    double problems, correct, cut, unanswered, tokens, large, switches, catchup;
    double passes, rows, judged, taken_back;
    double decode_rows[EAD_WRITERS]; /* of timed problems */
    double seconds, writing, timed;
    struct load load; /* of timed problems that say so */
};

static void add_load(struct load *to, const struct record *r)
{
    if (isnan(r->load.ran + r->load.waited)) return;
    to->ran += r->load.ran;
    to->waited += r->load.waited;
}

static void add_record(struct totals *t, const struct record *r)
{
    t->problems++;
    t->correct += r->correct;
    t->cut += r->cut;
    t->unanswered += r->unanswered;
    t->tokens += r->tokens;
    t->large += r->large;
    t->switches += r->switches;
    t->catchup += r->catchup_rows[EAD_SMALL] + r->catchup_rows[EAD_LARGE];
    t->passes += cost_passes(r, EAD_LARGE);
    t->rows += cost_rows(r, EAD_LARGE);
    t->judged += r->judged;
    t->taken_back += r->taken_back;
    if (!r->timed) return;
    t->timed++;
    t->seconds += r->seconds;
    t->writing += r->writing;
    add_load(&t->load, r);
    for (int w = 0; w < EAD_WRITERS; w++) t->decode_rows[w] += r->decode_rows[w];
}

static struct totals add_up(const struct context *c, const struct record_setting *s,
                            const struct filter *f)
{
    struct totals t = {0};
    for (size_t i = 0; i < c->records->n_problems; i++)
        if (chosen(f, s->records[i])) add_record(&t, s->records[i]);
    return t;
}

static double correct_of(const struct context *c, const struct record *r)
{
    (void)c;
    return r->correct;
}

static double seconds_of(const struct context *c, const struct record *r)
{
    (void)c;
    return r->timed ? r->seconds : NAN;
}

static double modelled_of(const struct context *c, const struct record *r)
{
    return cost_of(&c->cost, r);
}

typedef double (*value_of)(const struct context *, const struct record *);

/* Values of both settings on the problems that both have; into c->a and c->b. */
static size_t pair_up(const struct context *c, const struct record_setting *s,
                      const struct record_setting *other, const struct filter *f, value_of value)
{
    size_t n = 0;
    for (size_t i = 0; other && i < c->records->n_problems; i++) {
        if (!chosen(f, s->records[i]) || !other->records[i]) continue;
        double a = value(c, s->records[i]), b = value(c, other->records[i]);
        if (isnan(a) || isnan(b)) continue;
        c->a[n] = a;
        c->b[n++] = b;
    }
    return n;
}

static double sum(const double *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += x[i];
    return s;
}

static struct measure ratio(const struct context *c, size_t n)
{
    const double b = sum(c->b, n);
    if (!n || b <= 0) return (struct measure){NAN, {NAN, NAN}};
    const bool same = !memcmp(c->a, c->b, n * sizeof *c->a); /* a setting beside itself */
    return (struct measure){sum(c->a, n) / b,
                            same ? (struct interval){1, 1} : stats_ratio(c->a, c->b, n)};
}

static struct measure difference(const struct context *c, size_t n)
{
    if (!n) return (struct measure){NAN, {NAN, NAN}};
    return (struct measure){(sum(c->a, n) - sum(c->b, n)) / (double)n,
                            stats_difference(c->a, c->b, n)};
}

/* The random setting of an ead one: "random tau=0.1" of "ead tau=0.1". */
static const struct record_setting *matched(const struct records *records,
                                            const struct record_setting *s)
{
    const char *rest = strchr(s->name, ' ');
    if (s->policy != EAD_POLICY_EAD || !rest) return NULL;
    for (size_t i = 0; i < records->n_settings; i++) {
        const struct record_setting *other = &records->settings[i];
        const char *its = strchr(other->name, ' ');
        if (other->policy == EAD_POLICY_RANDOM && its && !strcmp(its, rest)) return other;
    }
    return NULL;
}

/* Answers that are the other setting's, of those that both have. */
static double same_texts(const struct context *c, const struct record_setting *s,
                         const struct record_setting *other, const struct filter *f)
{
    double n = 0, same = 0;
    for (size_t i = 0; other && i < c->records->n_problems; i++) {
        const struct record *a = s->records[i], *b = other->records[i];
        if (!chosen(f, a) || !b || !a->text || !b->text) continue;
        n++;
        same += a->text == b->text;
    }
    return n > 0 ? same / n : NAN;
}

static double over(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

/* A model that wrote nothing needs no time, measured or not. */
static double ideal(const struct context *c, const struct totals *t)
{
    double seconds = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (t->decode_rows[w] > 0) seconds += t->decode_rows[w] * c->step[w];
    return seconds;
}

static double parameter_cost(const struct context *c, double share)
{
    if (c->parameters[EAD_LARGE] <= 0 || c->parameters[EAD_SMALL] <= 0) return NAN; /* not known */
    return (share * c->parameters[EAD_LARGE] + (1 - share) * c->parameters[EAD_SMALL]) /
           c->parameters[EAD_LARGE];
}

static struct summary_row row_of(const struct context *c, const struct record_setting *s,
                                 const struct filter *f)
{
    const struct totals t = add_up(c, s, f);
    struct summary_row row = {.setting = s->name,
                              .policy = ead_policy_describe(s->policy)->name,
                              .tau = s->tau,
                              .problems = t.problems,
                              .correct = t.correct,
                              .unanswered = t.unanswered,
                              .share = over(t.large, t.tokens),
                              .seconds = t.timed > 0 ? t.seconds : NAN,
                              .had = load_share(t.load),
                              .overhead = over(t.writing, ideal(c, &t)) - 1,
                              .switches = over(100 * t.switches, t.tokens),
                              .catchup = over(100 * t.catchup, t.tokens),
                              .passes = over(100 * t.passes, t.tokens),
                              .rows = over(100 * t.rows, t.tokens),
                              .lost = over(100 * t.taken_back, t.tokens),
                              .accepted = over(t.judged - t.taken_back, t.judged),
                              .tokens = over(t.tokens, t.problems),
                              .cut = over(t.cut, t.problems)};
    row.accuracy = (struct measure){over(t.correct, t.problems),
                                    stats_wilson((size_t)t.correct, (size_t)t.problems)};
    row.cost = parameter_cost(c, row.share);
    size_t n = pair_up(c, s, c->large, f, correct_of);
    row.paired = (double)n;
    row.kept = ratio(c, n);
    row.time = ratio(c, pair_up(c, s, c->large, f, seconds_of));
    row.same = same_texts(c, s, c->large, f);
    row.modelled = ratio(c, pair_up(c, s, c->large, f, modelled_of));
    row.against = difference(c, pair_up(c, s, c->against, f, correct_of));
    row.against_time = ratio(c, pair_up(c, s, c->against, f, seconds_of));
    row.gain = difference(c, pair_up(c, s, matched(c->records, s), f, correct_of));
    return row;
}

/* ---- all rows ---------------------------------------------------------------------------- */

static const struct record_setting *first_of(const struct records *records, ead_policy_kind kind)
{
    for (size_t i = 0; i < records->n_settings; i++)
        if (records->settings[i].policy == kind) return &records->settings[i];
    return NULL;
}

static const struct record_setting *named(const struct records *records, const char *name)
{
    const struct record_setting *s = records_setting(records, name);
    const int kind = ead_policy_parse(name);
    return s || kind < 0 ? s : first_of(records, (ead_policy_kind)kind);
}

/* Seconds of one decode step of a model where it writes alone. */
static double step_of(const struct records *records, ead_writer w)
{
    const ead_policy_kind kinds[] = {
        [EAD_SMALL] = EAD_POLICY_SMALL, [EAD_LARGE] = EAD_POLICY_LARGE};
    const struct record_setting *s = first_of(records, kinds[w]);
    double seconds = 0, steps = 0;
    for (size_t i = 0; s && i < records->n_problems; i++) {
        const struct record *r = s->records[i];
        if (!r || !r->timed) continue;
        seconds += r->decode_seconds[w];
        steps += r->decode_steps[w];
    }
    return over(seconds, steps);
}

/* What a further row of a pass cost the large model, in its steps: what passes that caught up or
 * judged took beyond one step each, over their rows but one. */
static double row_cost(const struct records *records, double step)
{
    double seconds = 0, passes = 0, rows = 0;
    for (size_t i = 0; i < records->n_settings; i++)
        for (size_t k = 0; k < records->n_problems; k++) {
            const struct record *r = records->settings[i].records[k];
            if (!r || !r->timed || !(r->catchup_passes[EAD_LARGE] > 0)) continue;
            seconds += r->catchup_seconds[EAD_LARGE];
            passes += r->catchup_passes[EAD_LARGE];
            rows += cost_rows(r, EAD_LARGE) - r->decode_steps[EAD_LARGE];
        }
    return rows > passes ? (seconds / step - passes) / (rows - passes) : NAN;
}

/* Those that a token passes. */
static double parameters_of(const json_t *run, const char *model)
{
    const json_t *part = json_object_get(json_object_get(run, "models"), model);
    const json_t *active = json_object_get(part, "active_parameters");
    const json_t *n = active ? active : json_object_get(part, "parameters");
    return json_number_value(n) > 0 ? json_number_value(n) : NAN;
}

static ead_status open_context(struct context *c, const struct summary *s, ead_error *error)
{
    const size_t bytes = (s->n_problems + 1) * sizeof(double);
    *c = (struct context){
        .records = s->records,
        .large = first_of(s->records, EAD_POLICY_LARGE),
        .against = s->against ? named(s->records, s->against) : NULL,
        .cost = s->cost,
        .step = {step_of(s->records, EAD_SMALL), step_of(s->records, EAD_LARGE)},
        .parameters = {parameters_of(s->run, "small"), parameters_of(s->run, "large")},
        .a = malloc(bytes),
        .b = malloc(bytes)};
    if (!c->a || !c->b) return fault_memory(error, "the summary");
    if (!s->against || c->against) return EAD_OK;
    return fault(error, EAD_ARGUMENT, "against: there is no setting \"%s\"", s->against);
}

static ead_status rows_of(const struct context *c, const struct filter *f, struct summary_row **out,
                          ead_error *error)
{
    const size_t n = c->records->n_settings;
    *out = calloc(n + 1, sizeof **out);
    if (!*out) return fault_memory(error, "the summary");
    for (size_t i = 0; i < n; i++) (*out)[i] = row_of(c, &c->records->settings[i], f);
    return EAD_OK;
}

/* ---- groups ------------------------------------------------------------------------------ */

/* More kinds than this are no classification; those that come later get no group. */
enum { GROUPS_MAX = 64 };

/* Append the group of `f`, unless there is one of that name. */
static ead_status add_group(const struct context *c, struct summary_group **groups, size_t *n,
                            const char *name, const struct filter *f, ead_error *error)
{
    for (size_t i = 0; i < *n; i++)
        if (!strcmp((*groups)[i].name, name)) return EAD_OK;
    if (*n == GROUPS_MAX) return EAD_OK;
    struct summary_group *more = realloc(*groups, (*n + 1) * sizeof *more);
    if (!more) return fault_memory(error, "the summary");
    *groups = more;
    struct summary_group *group = &more[(*n)++];
    *group = (struct summary_group){.name = strdup(name)};
    if (!group->name) return fault_memory(error, "the summary");
    return rows_of(c, f, &group->rows, error);
}

static int by_name(const void *a, const void *b)
{
    const struct summary_group *x = a, *y = b;
    return strverscmp(x->name, y->name); /* "Level 2" before "Level 10" */
}

static ead_status group_by_kind(struct summary *s, const struct context *c, const struct record *r,
                                ead_error *error)
{
    char name[32];
    ead_status st = EAD_OK;
    if (r->level) {
        snprintf(name, sizeof name, "Level %d", r->level);
        st = add_group(c, &s->levels, &s->n_levels, name, &(struct filter){.level = r->level},
                       error);
    }
    if (!st && *r->subject)
        st = add_group(c, &s->subjects, &s->n_subjects, r->subject,
                       &(struct filter){.level = -1, .subject = r->subject}, error);
    return st;
}

static ead_status add_groups(struct summary *s, const struct context *c, ead_error *error)
{
    ead_status st = EAD_OK;
    for (size_t i = 0; i < s->n_settings; i++)
        for (size_t k = 0; !st && k < s->n_problems; k++) {
            const struct record *r = s->records->settings[i].records[k];
            if (r) st = group_by_kind(s, c, r, error);
        }
    if (st) return st; /* the last group may have no name */
    if (s->n_levels) qsort(s->levels, s->n_levels, sizeof *s->levels, by_name);
    if (s->n_subjects) qsort(s->subjects, s->n_subjects, sizeof *s->subjects, by_name);
    return EAD_OK;
}

/* Under how much company, within the passes and beside the process, and on how many threads time
 * was measured. */
static void note_manner(struct summary *s)
{
    for (size_t i = 0; i < s->n_settings; i++)
        for (size_t k = 0; k < s->n_problems; k++) {
            const struct record *r = s->records->settings[i].records[k];
            if (!r || !r->timed) continue;
            add_load(&s->load, r);
            if (r->parallel > s->parallel) s->parallel = r->parallel;
            if (r->threads > s->threads) s->threads = r->threads;
        }
}

/* ---- reading ----------------------------------------------------------------------------- */

static ead_status read_run(const char *dir, json_t **out, ead_error *error)
{
    json_error_t bad;
    char *path = file_join(dir, "run.json");
    FILE *file = path ? fopen(path, "r") : NULL;
    ead_status st = EAD_OK;
    if (!path) {
        st = fault_memory(error, "a file's name");
    } else if (file) {
        *out = jsonl_load(file, &bad);
        if (!*out)
            st = fault_json(&bad, path, 1, error);
        else if (!json_is_object(*out))
            st = fault(error, EAD_FORMAT, "%s: expected a JSON object, found another value", path);
        fclose(file);
    } else if (errno == ENOENT) {
        *out = json_object();
    } else {
        st = fault(error, EAD_IO, "%s: cannot open: %s", path, strerror(errno));
    }
    free(path);
    return st;
}

static ead_status fill(struct summary *s, const char *const *dirs, size_t n_dirs, ead_error *error)
{
    struct context c = {0};
    ead_status st = read_run(dirs[0], &s->run, error);
    if (!st) st = records_read(dirs, n_dirs, &s->records, error);
    if (st) return st;
    const json_t *wanted = json_object_get(json_object_get(s->run, "data"), "problems");
    if (json_integer_value(wanted) > 0) s->n_wanted = (size_t)json_integer_value(wanted);
    const json_t *skipped = json_object_get(json_object_get(s->run, "data"), "skipped");
    if (json_integer_value(skipped) > 0) s->n_skipped = (size_t)json_integer_value(skipped);
    s->n_settings = s->records->n_settings;
    s->n_problems = s->records->n_problems;
    note_manner(s);
    st = open_context(&c, s, error);
    s->measured = (struct cost){over(c.step[EAD_SMALL], c.step[EAD_LARGE]),
                                row_cost(s->records, c.step[EAD_LARGE])};
    if (!st) st = rows_of(&c, &(struct filter){.level = -1}, &s->rows, error);
    if (!st) st = add_groups(s, &c, error);
    free(c.a);
    free(c.b);
    return st;
}

ead_status summary_join(const char *const *dirs, size_t n_dirs,
                        const struct summary_options *options, struct summary **out,
                        ead_error *error)
{
    struct summary *s = calloc(1, sizeof *s);
    if (!s) return fault_memory(error, "the summary");
    s->cost = options ? options->cost : cost_usual;
    s->against = options ? options->against : NULL;
    ead_status st = fill(s, dirs, n_dirs, error);
    if (st)
        summary_free(s);
    else
        *out = s;
    return st;
}

ead_status summary_read(const char *dir, const struct summary_options *options,
                        struct summary **out, ead_error *error)
{
    return summary_join(&dir, 1, options, out, error);
}

static void groups_free(struct summary_group *groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(groups[i].name);
        free(groups[i].rows);
    }
    free(groups);
}

void summary_free(struct summary *s)
{
    if (!s) return;
    groups_free(s->levels, s->n_levels);
    groups_free(s->subjects, s->n_subjects);
    free(s->rows);
    records_free(s->records);
    json_decref(s->run);
    free(s);
}

const struct summary_row *summary_find(const struct summary *s, const char *setting,
                                       const char *policy)
{
    for (size_t i = 0; i < s->n_settings; i++) {
        const struct summary_row *row = &s->rows[i];
        if ((!setting || !strcmp(row->setting, setting)) &&
            (!policy || !strcmp(row->policy, policy)))
            return row;
    }
    return NULL;
}
