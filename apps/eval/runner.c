#include "eval/runner.h"

#include "base/clock.h"
#include "eval/entry.h"
#include "eval/fault.h"
#include "eval/identity.h"
#include "eval/journal.h"
#include "eval/load.h"
#include "eval/oracle.h"
#include "eval/prompt.h"
#include "eval/sample.h"
#include "eval/transcript.h"

#include <stdlib.h>

enum { TRACED = 12 /* problems of each setting whose tokens are kept */ };

struct prompt {
    int32_t *ids; /* ead_free */
    size_t n;
};

/* A text of the batch, and which problem of the sample it answers. */
struct slot {
    struct transcript transcript;
    struct oracle oracle; /* under a setting that asks one */
    size_t problem;
    struct load before; /* when it began */
};

struct runner {
    const struct runner_options *o;
    struct prompt_style style;
    int *sample;            /* [n] indices in the data, ascending */
    struct prompt *prompts; /* [n] */
    size_t n;
    int n_ctx;
    const char **names; /* of settings */
    ead_batch *batch;
    int n_slots;
    struct slot *slots; /* [n_slots] */
    bool *active;       /* [n_slots] */
    ead_event *events;  /* [n_slots], of which a step gave n_events */
    int n_events;
    struct journal *journal;
    struct runner_progress progress;
    double start;
};

struct runner_options runner_defaults(void)
{
    return (struct runner_options){
        .most = 1024, .parallel = 8, .sampler = ead_duo_defaults().sampler};
}

/* ---- problems ---------------------------------------------------------------------------- */

static ead_status take_sample(struct runner *r, ead_error *error)
{
    const struct runner_options *o = r->o;
    r->sample = calloc(o->data->n, sizeof *r->sample);
    r->prompts = calloc(o->data->n, sizeof *r->prompts);
    if (!r->sample || !r->prompts) return fault_memory(error, "the run");
    r->n = sample_draw(o->data->n, (size_t)o->limit, o->seed, r->sample);
    return EAD_OK;
}

enum { CONTEXT_UNTOLD = 8192 }; /* where no model says */

/* The context that was asked for, or what both models were trained on. */
static int most_context(const struct runner *r)
{
    int most = INT32_MAX;
    if (r->o->n_ctx) return r->o->n_ctx;
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!r->o->models[w].model) continue;
        const int its = ead_model_describe(r->o->models[w].model).n_ctx_train;
        if (its && its < most) most = its;
    }
    return most < INT32_MAX ? most : CONTEXT_UNTOLD;
}

/* The longest prompt that fits and, as far as there is room, an answer of full length. Prompts that
 * do not fit stay without an answer, unless all of them do not. */
static ead_status settle_context(struct runner *r, ead_error *error)
{
    const size_t most = (size_t)most_context(r);
    size_t longest = 0, first = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->prompts[i].n < r->prompts[first].n) first = i;
        if (r->prompts[i].n > longest && r->prompts[i].n <= most) longest = r->prompts[i].n;
    }
    const size_t wanted = longest + (size_t)r->o->most;
    r->n_ctx = r->o->n_ctx || wanted > most ? (int)most : (int)wanted;
    if (longest) return EAD_OK;
    return fault(error, EAD_FULL,
                 "%s: no prompt fits into a context of %zu tokens; the shortest, of problem %d, "
                 "has %zu",
                 r->o->data_path, most, r->sample[first], r->prompts[first].n);
}

static ead_status show_first(const struct runner *r, ead_error *error)
{
    char *text;
    if (!r->o->show || !r->n) return EAD_OK;
    const ead_status st =
        prompt_text(&r->style, r->o->data->problems[r->sample[0]].text, &text, error);
    if (st) return st;
    r->o->show(text);
    free(text);
    return EAD_OK;
}

static ead_status make_prompts(struct runner *r, ead_error *error)
{
    ead_status st = prompt_check(&r->style, error);
    for (size_t i = 0; i < r->n && !st; i++) {
        const char *text = r->o->data->problems[r->sample[i]].text;
        st = prompt_make(&r->style, text, &r->prompts[i].ids, &r->prompts[i].n, error);
        if (!st && !r->prompts[i].n)
            st = fault(error, EAD_ARGUMENT, "%s: problem %d: the prompt is empty", r->o->data_path,
                       r->sample[i]);
    }
    if (!st) st = show_first(r, error);
    return st ? st : settle_context(r, error);
}

/* ---- opening ----------------------------------------------------------------------------- */

static ead_status open_batch(struct runner *r, ead_error *error)
{
    const struct runner_options *o = r->o;
    ead_duo_options options = ead_duo_defaults();
    r->n_slots = (size_t)o->parallel < r->n ? o->parallel : (int)r->n;
    options.cpu = o->cpu;
    options.threads = o->threads;
    options.n_ctx = r->n_ctx;
    options.cache_type = o->cache_type;
    options.tell_lost = true;
    const size_t n = (size_t)r->n_slots;
    r->slots = calloc(n, sizeof *r->slots);
    r->active = calloc(n, sizeof *r->active);
    r->events = calloc(n, sizeof *r->events);
    if (!r->slots || !r->active || !r->events) return fault_memory(error, "the run");
    return ead_batch_open(o->models[EAD_LARGE].model, o->models[EAD_SMALL].model, &options,
                          r->n_slots, &r->batch, error);
}

static ead_status open_journal(struct runner *r, ead_error *error)
{
    const struct settings *settings = r->o->settings;
    char *shape;
    json_t *run;
    r->names = calloc(settings->n, sizeof *r->names);
    if (!r->names) return fault_memory(error, "the run");
    for (size_t i = 0; i < settings->n; i++) r->names[i] = settings->list[i].name;
    ead_status st = prompt_shape(&r->style, &shape, error);
    if (st) return st;
    const struct identity identity = {.options = r->o,
                                      .n_problems = r->n,
                                      .shape = shape,
                                      .cpu = ead_duo_cpu(ead_batch_duo(r->batch, 0)),
                                      .n_ctx = r->n_ctx};
    const struct journal_index index = {r->names, settings->n, r->sample, r->n};
    st = identity_make(&identity, &run, error);
    free(shape);
    if (st) return st;
    st = journal_open(r->o->dir, run, &index, &r->journal, error);
    json_decref(run);
    return st;
}

/* A duo with one model lets it write everything: a setting must not pass for another. */
static ead_status check_models(const struct runner_options *o, ead_error *error)
{
    for (size_t i = 0; i < o->settings->n; i++) {
        const struct setting *s = &o->settings->list[i];
        const ead_policy_info *rule = ead_policy_describe(s->rule.kind);
        const bool *needs = rule->needs;
        const bool large = o->models[EAD_LARGE].model || (needs[EAD_SMALL] && !needs[EAD_LARGE]);
        const bool small = o->models[EAD_SMALL].model || (needs[EAD_LARGE] && !needs[EAD_SMALL]);
        if (!large || !small)
            return fault(error, EAD_ARGUMENT, "policy %s needs a %s model",
                         setting_is_oracle(s) ? s->name : rule->name, large ? "small" : "large");
    }
    return EAD_OK;
}

static ead_status open_all(struct runner *r, ead_error *error)
{
    const struct runner_options *o = r->o;
    const ead_model *large = o->models[EAD_LARGE].model;
    r->style = (struct prompt_style){.model = large ? large : o->models[EAD_SMALL].model,
                                     .question = o->question,
                                     .chat = o->chat,
                                     .variables = o->variables,
                                     .now = o->now,
                                     .system = o->system,
                                     .format = o->data->format};
    ead_status st = check_models(o, error);
    if (!st) st = take_sample(r, error);
    if (!st) st = make_prompts(r, error);
    if (!st) st = open_batch(r, error);
    return st ? st : open_journal(r, error);
}

static void close_all(struct runner *r)
{
    journal_close(r->journal);
    for (int i = 0; i < r->n_slots && r->slots; i++) {
        transcript_close(&r->slots[i].transcript);
        oracle_forget(&r->slots[i].oracle);
    }
    ead_batch_close(r->batch);
    for (size_t i = 0; i < r->n && r->prompts; i++) ead_free(r->prompts[i].ids);
    free(r->prompts);
    free(r->sample);
    free(r->names);
    free(r->slots);
    free(r->active);
    free(r->events);
}

/* ---- settings that follow ---------------------------------------------------------------- */

/* A random setting does as often by chance what the ead setting of its tau did by entropy: the same
 * share of tokens, over texts as long as those were. */
static ead_status match(struct runner *r, struct setting *s, ead_error *error)
{
    double answers = 0, tokens = 0, large = 0;
    if (setting_is_oracle(s)) return EAD_OK;
    for (size_t p = 0; p < r->n; p++) {
        json_t *line;
        ead_status st = journal_result(r->journal, (size_t)s->of, p, &line, error);
        if (st) return st;
        const double its = json_number_value(json_object_get(line, "tokens"));
        answers += its > 0;
        tokens += its;
        large += json_number_value(json_object_get(line, "large"));
        json_decref(line);
    }
    const int mean = answers > 0 ? (int)(tokens / answers + 0.5) : 0;
    s->rule.share = tokens > 0 ? large / tokens : 0;
    s->rule.horizon = mean < EAD_HORIZON_MAX ? mean : EAD_HORIZON_MAX;
    return EAD_OK;
}

/* The oracle knows the text of the setting that it follows. */
static ead_status ask_oracle(struct runner *r, const struct setting *s, struct slot *slot,
                             ead_policy_options *policy, ead_error *error)
{
    json_t *line;
    ead_status st = journal_result(r->journal, (size_t)s->of, slot->problem, &line, error);
    if (!st) st = oracle_learn(&slot->oracle, "results.jsonl", line, error);
    json_decref(line);
    policy->decide = oracle_decide;
    policy->context = &slot->oracle;
    return st;
}

/* Does an oracle follow this setting? */
static bool is_repeated(const struct settings *all, size_t setting)
{
    for (size_t i = 0; i < all->n; i++)
        if (setting_is_oracle(&all->list[i]) && all->list[i].of == (int)setting) return true;
    return false;
}

/* ---- a part of the problems -------------------------------------------------------------- */

static ead_status begin_problem(struct runner *r, size_t setting, int i, size_t problem,
                                ead_error *error)
{
    struct slot *slot = &r->slots[i];
    ead_duo *duo = ead_batch_duo(r->batch, i);
    const uint64_t seed = sample_seed(r->o->seed, r->sample[problem]);
    const struct setting *s = &r->o->settings->list[setting];
    const struct transcript_wish wish = {problem < TRACED, is_repeated(r->o->settings, setting)};
    ead_policy_options policy = s->rule;
    ead_sampler_options sampler = r->o->sampler;
    policy.seed = sampler.seed = seed;
    slot->problem = problem;
    slot->before = load_now();
    ead_duo_reset(duo);
    ead_status st = setting_is_oracle(s) ? ask_oracle(r, s, slot, &policy, error) : EAD_OK;
    if (!st) st = ead_duo_set_policy(duo, &policy, error);
    if (!st) st = ead_duo_set_sampler(duo, &sampler, error);
    if (!st) st = ead_duo_append(duo, r->prompts[problem].ids, r->prompts[problem].n, error);
    if (!st)
        st = transcript_open(&slot->transcript, r->style.model, prompt_answer_flags(&r->style),
                             wish, error);
    r->active[i] = !st;
    return st;
}

static ead_status enter(struct runner *r, size_t problem, const struct entry *entry,
                        ead_error *error)
{
    json_t *lines[JOURNAL_FILES] = {NULL};
    ead_status st = entry_make(entry, lines, error);
    if (!st) st = journal_add(r->journal, entry->setting, problem, lines, error);
    for (int f = 0; f < JOURNAL_FILES; f++) json_decref(lines[f]);
    r->progress.done++;
    r->progress.here++;
    return st;
}

static ead_status end_problem(struct runner *r, size_t setting, int i, ead_error *error)
{
    struct slot *slot = &r->slots[i];
    const ead_duo *duo = ead_batch_duo(r->batch, i);
    const struct entry entry = {.settings = r->o->settings,
                                .setting = setting,
                                .data = r->o->data,
                                .problem = r->sample[slot->problem],
                                .transcript = &slot->transcript,
                                .summary = ead_duo_summarise(duo),
                                .parallel = r->n_slots,
                                .threads = ead_duo_threads(duo),
                                .load = load_since(slot->before)};
    r->active[i] = false;
    ead_status st = transcript_end(&slot->transcript, error);
    if (!st) st = enter(r, slot->problem, &entry, error);
    transcript_close(&slot->transcript);
    return st;
}

/* Have an answer written by the text in slot i or, where the context does not hold the prompt,
 * none. */
static ead_status take_problem(struct runner *r, size_t setting, int i, size_t problem,
                               ead_error *error)
{
    const struct settings *settings = r->o->settings;
    if (r->prompts[problem].n <= (size_t)r->n_ctx)
        return begin_problem(r, setting, i, problem, error);
    const struct entry entry = {.settings = settings,
                                .setting = setting,
                                .data = r->o->data,
                                .problem = r->sample[problem]};
    return enter(r, problem, &entry, error);
}

/* Problems [next, end) of a setting are still to be looked at. */
struct part {
    size_t setting, next, end;
};

/* Give every free text the next problem that has no result. Returns how many texts are being
 * written in *running. */
static ead_status fill_slots(struct runner *r, struct part *part, int *running, ead_error *error)
{
    ead_status st = EAD_OK;
    *running = 0;
    for (int i = 0; i < r->n_slots && !st; i++) {
        while (!r->active[i] && part->next < part->end && !st) {
            const size_t problem = part->next++;
            if (!journal_has(r->journal, part->setting, problem))
                st = take_problem(r, part->setting, i, problem, error);
        }
        *running += r->active[i];
    }
    return st;
}

static ead_status observe(const struct runner *r, const ead_event *event, ead_error *error)
{
    const struct runner_options *o = r->o;
    if (!o->observe || o->observe(o->observed, r->slots[event->text].problem, &event->token))
        return EAD_OK;
    return fault_memory(error, "what is seen of the run");
}

static ead_status take_events(struct runner *r, size_t setting, ead_error *error)
{
    ead_status st = EAD_OK;
    for (int i = 0; i < r->n_events && !st; i++) {
        const ead_event *event = &r->events[i];
        struct transcript *t = &r->slots[event->text].transcript;
        if (event->kind == EAD_EVENT_FAULT)
            return fault(error, event->status, "problem %d: %s",
                         r->sample[r->slots[event->text].problem], event->message);
        st = observe(r, event, error);
        if (!st) st = transcript_add(t, &event->token, error);
        if (st || event->token.lost) continue;
        r->progress.tokens++;
        if (!st && (event->token.end || t->n == r->o->most))
            st = end_problem(r, setting, event->text, error);
    }
    return st;
}

static ead_status report(struct runner *r, ead_error *error)
{
    r->progress.seconds = clock_seconds() - r->start;
    if (!r->o->progress || r->o->progress(r->o->context, &r->progress)) return EAD_OK;
    return fault(error, EAD_CANCELLED, "the run was stopped");
}

static ead_status run_part(struct runner *r, struct part part, ead_error *error)
{
    int running;
    r->progress.setting = r->o->settings->list[part.setting].name;
    ead_status st = fill_slots(r, &part, &running, error);
    while (!st && running) {
        st = ead_batch_step(r->batch, r->active, r->events, &r->n_events, error);
        if (!st) st = take_events(r, part.setting, error);
        if (!st) st = report(r, error);
        if (!st) st = fill_slots(r, &part, &running, error);
    }
    return st;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* The settings that follow another one (see match), or those that do not. One text at a time, they
 * take turns problem by problem, so that whatever slows the machine slows all of them alike. */
static ead_status run_phase(struct runner *r, bool following, ead_error *error)
{
    const struct settings *all = r->o->settings;
    const size_t stride = r->n_slots == 1 ? 1 : r->n;
    ead_status st = EAD_OK;
    for (size_t i = 0; i < all->n && !st; i++)
        if (following && all->list[i].of >= 0) st = match(r, &all->list[i], error);
    for (size_t p = 0; p < r->n && !st; p += stride)
        for (size_t i = 0; i < all->n && !st; i++)
            if ((all->list[i].of >= 0) == following)
                st = run_part(r, (struct part){i, p, p + stride}, error);
    return st;
}

static ead_status run_all(struct runner *r, ead_error *error)
{
    const size_t n = r->o->settings->n;
    ead_status st = EAD_OK;
    r->start = clock_seconds();
    r->progress.total = n * r->n;
    for (size_t i = 0; i < n * r->n; i++)
        r->progress.done += journal_has(r->journal, i / r->n, i % r->n);
    if (!st) st = run_phase(r, false, error);
    if (!st) st = run_phase(r, true, error);
    if (st && st != EAD_CANCELLED) return st;
    const ead_status stopped = st;
    st = journal_finish(r->journal, error);
    return st ? st : stopped;
}

ead_status runner_run(const struct runner_options *options, ead_error *error)
{
    struct runner r = {.o = options};
    ead_status st = open_all(&r, error);
    if (!st) st = run_all(&r, error);
    close_all(&r);
    return st;
}
