#include "eval/entry.h"

#include "eval/fault.h"
#include "eval/option.h"
#include "grade/grade.h"
#include "json/name.h"
#include "json/unicode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *text(const char *s)
{
    return unicode_json(s, strlen(s));
}

/* Numbers of the small and the large model. */
static json_t *both(int64_t small, int64_t large)
{
    return json_pack("[I, I]", (json_int_t)small, (json_int_t)large);
}

static json_t *both_seconds(double small, double large)
{
    return json_pack("[f, f]", small, large);
}

static json_t *begin(const struct entry *e)
{
    return json_pack("{s:s}", "setting", e->settings->list[e->setting].name);
}

/* What a setting says of itself: its policy, and all options that the policy looks at. */
static int add_setting(const struct entry *e, json_t *to)
{
    const ead_policy_option *option;
    const ead_policy_options *rule = &e->settings->list[e->setting].rule;
    int bad = json_object_set_new(to, "policy", json_string(ead_policy_describe(rule->kind)->name));
    if (setting_is_oracle(&e->settings->list[e->setting])) return bad; /* it looks at none */
    for (size_t i = 0; (option = ead_policy_option_at(i)); i++) {
        char name[NAME_MAX_BYTES];
        if (!option_concerns(option, rule->kind)) continue;
        name_in_json(option->name, name);
        bad |= json_object_set_new(to, name, option_json(option, ead_policy_value(rule, option)));
    }
    return bad;
}

/* What was written; "unanswered" is what could not be asked. */
static const struct transcript *transcript_of(const struct entry *e)
{
    static char nothing[] = "";
    static const struct transcript none = {.output = nothing};
    return e->transcript ? e->transcript : &none;
}

static const char *end_of(const struct entry *e)
{
    return !e->transcript ? "unanswered" : e->transcript->end == EAD_END_TOKEN ? "stop" : "length";
}

/* The answer beside the right one. */
static int add_verdict(const struct entry *e, json_t *to)
{
    const struct eval_problem *p = &e->data->problems[e->problem];
    const struct transcript *t = transcript_of(e);
    char *pred = NULL, *output = grade_text(t->output, t->bytes);
    const bool math = e->data->format == DATASET_MATH;
    const bool found = output && (math ? grade_extract_math : grade_extract_gsm8k)(output, &pred);
    int bad = !output || (found && !pred);
    bad |= json_object_set_new(to, "problem", json_integer(e->problem));
    if (p->level) bad |= json_object_set_new(to, "level", json_integer(p->level));
    if (*p->subject) bad |= json_object_set_new(to, "subject", text(p->subject));
    bad |= json_object_set_new(to, "gold", text(p->gold));
    bad |= json_object_set_new(to, "pred", pred ? text(pred) : json_null());
    bad |= json_object_set_new(to, "correct", json_boolean(grade_equal(p->gold, pred)));
    free(pred);
    free(output);
    return bad;
}

/* What a server that tells the most probable tokens alone leaves open. */
static int add_bounds(const ead_summary *s, json_t *to)
{
    if (!s->bounded) return 0;
    return json_object_set_new(to, "entropies_bounded", json_integer(s->bounded)) |
           json_object_set_new(to, "decisions_open", json_integer(s->open_decisions));
}

/* Where nothing is judged or taken back there is nothing to tell. */
static int add_judgements(const ead_summary *s, json_t *to)
{
    if (!s->judgements && !s->taken_back) return 0;
    return json_object_set_new(to, "judgements", json_integer(s->judgements)) |
           json_object_set_new(to, "judged", json_integer(s->judged)) |
           json_object_set_new(to, "refused", json_integer(s->refused)) |
           json_object_set_new(to, "taken_back", json_integer(s->taken_back));
}

static json_t *result_line(const struct entry *e)
{
    const struct transcript *t = transcript_of(e);
    const ead_work *s = &e->summary.work[EAD_SMALL], *l = &e->summary.work[EAD_LARGE];
    json_t *to = begin(e);
    int bad = add_setting(e, to);
    bad |= add_verdict(e, to);
    bad |= json_object_set_new(to, "end", json_string(end_of(e)));
    bad |= json_object_set_new(to, "tokens", json_integer(t->n));
    bad |= json_object_set_new(to, "large", json_integer(l->tokens));
    bad |= json_object_set_new(to, "switches", json_integer(e->summary.switches));
    bad |= add_judgements(&e->summary, to);
    bad |= add_bounds(&e->summary, to);
    bad |= json_object_set_new(to, "prompt_rows", both(s->prompt_rows, l->prompt_rows));
    bad |= json_object_set_new(to, "decode_rows", both(s->decode_rows, l->decode_rows));
    bad |= json_object_set_new(to, "catchup_rows", both(s->catchup_rows, l->catchup_rows));
    bad |= json_object_set_new(to, "catchup_passes", both(s->catchup_passes, l->catchup_passes));
    bad |= json_object_set_new(to, "runs", t->runs ? json_incref(t->runs) : json_array());
    bad |= json_object_set_new(to, "output", unicode_json(t->output, t->bytes));
    if (t->ids) bad |= json_object_set(to, "ids", t->ids);
    if (!bad) return to;
    json_decref(to);
    return NULL;
}

/* NULL where it is unknown. */
static json_t *seconds(double s)
{
    return isnan(s) ? NULL : json_real(s);
}

static json_t *time_line(const struct entry *e)
{
    const ead_work *s = &e->summary.work[EAD_SMALL], *l = &e->summary.work[EAD_LARGE];
    json_t *threads = e->threads > 0 ? json_integer(e->threads) : NULL; /* no model is at hand */
    return json_pack("{s:s, s:i, s:i, s:o*, s:f, s:o*, s:o*, s:o, s:o, s:o, s:o}", "setting",
                     e->settings->list[e->setting].name, "problem", e->problem, "parallel",
                     e->parallel, "threads", threads, "seconds", e->transcript->seconds,
                     "ran_seconds", seconds(e->load.ran), "waited_seconds", seconds(e->load.waited),
                     "prompt_seconds", both_seconds(s->prompt_seconds, l->prompt_seconds),
                     "decode_seconds", both_seconds(s->decode_seconds, l->decode_seconds),
                     "catchup_seconds", both_seconds(s->catchup_seconds, l->catchup_seconds),
                     "decode_steps", both(s->decode_steps, l->decode_steps));
}

static json_t *trace_line(const struct entry *e)
{
    const struct transcript *t = e->transcript;
    json_t *lost = json_array_size(t->lost) ? json_incref(t->lost) : NULL;
    return json_pack("{s:s, s:i, s:o, s:O, s:s, s:O, s:o*}", "setting",
                     e->settings->list[e->setting].name, "problem", e->problem, "text",
                     text(e->data->problems[e->problem].text), "pieces", t->pieces, "writers",
                     t->writers ? t->writers : "", "entropy", t->entropy, "lost", lost);
}

ead_status entry_make(const struct entry *e, json_t *lines[JOURNAL_FILES], ead_error *error)
{
    const bool answered = e->transcript, traced = transcript_of(e)->pieces;
    lines[JOURNAL_RESULTS] = result_line(e);
    lines[JOURNAL_TIMES] = answered ? time_line(e) : NULL;
    lines[JOURNAL_TRACES] = traced ? trace_line(e) : NULL;
    if (lines[JOURNAL_RESULTS] && (lines[JOURNAL_TIMES] || !answered) &&
        (lines[JOURNAL_TRACES] || !traced))
        return EAD_OK;
    return fault_memory(error, "the lines of an answer");
}
