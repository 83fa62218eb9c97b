#include "cli/tally.h"

#include "cli/json.h"
#include "cli/report.h"
#include "cli/screen.h"

#include <math.h>
#include <stdio.h>

/* ---- reading ----------------------------------------------------------------------------- */

static json_int_t count(const json_t *object, const char *name)
{
    const json_int_t n = json_integer_value(json_object_get(object, name));
    return n > 0 ? n : 0;
}

static double number(const json_t *object, const char *name)
{
    const double x = json_number_value(json_object_get(object, name));
    return x > 0 ? x : 0;
}

static void read_model(struct tally *t, const json_t *ead, ead_writer w)
{
    const char *const name = w == EAD_LARGE ? "large" : "small";
    const json_t *rows = json_object_get(json_object_get(ead, "rows"), name);
    ead_work *work = &t->work[w];
    work->tokens = (uint64_t)count(json_object_get(ead, "tokens"), name);
    work->prompt_rows = (uint64_t)count(rows, "prompt");
    work->decode_rows = (uint64_t)count(rows, "decode");
    work->catchup_rows = (uint64_t)count(rows, "catchup");
    work->decode_seconds = number(json_object_get(ead, "seconds"), name);
}

void tally_read(struct tally *t, const json_t *usage)
{
    const json_t *ead = json_object_get(usage, "ead");
    t->answers = 1;
    t->tokens = count(usage, "completion_tokens");
    t->prompt = count(usage, "prompt_tokens");
    t->cached = count(json_object_get(usage, "prompt_tokens_details"), "cached_tokens");
    t->by_model = json_is_object(ead);
    t->switches = count(ead, "switches");
    const json_t *cost = json_object_get(ead, "parameter_cost"); /* null: nobody knows */
    t->cost = json_is_number(cost) ? json_number_value(cost) * (double)t->tokens : NAN;
    read_model(t, ead, EAD_SMALL);
    read_model(t, ead, EAD_LARGE);
}

static void add_work(ead_work *to, const ead_work *from)
{
    to->tokens += from->tokens;
    to->prompt_rows += from->prompt_rows;
    to->decode_rows += from->decode_rows;
    to->catchup_rows += from->catchup_rows;
    to->decode_seconds += from->decode_seconds;
}

void tally_add(struct tally *to, const struct tally *from)
{
    to->answers += from->answers;
    to->tokens += from->tokens;
    to->prompt += from->prompt;
    to->cached += from->cached;
    to->switches += from->switches;
    to->by_model |= from->by_model;
    for (int w = 0; w < EAD_WRITERS; w++) add_work(&to->work[w], &from->work[w]);
    to->cost += from->cost;
    to->entropy += from->entropy;
    to->n_entropy += from->n_entropy;
    to->seconds += from->seconds;
}

/* ---- showing ----------------------------------------------------------------------------- */

static json_int_t tokens_of(const struct tally *t, ead_writer w)
{
    return (json_int_t)t->work[w].tokens;
}

static double share(const struct tally *t, ead_writer w)
{
    const double both = (double)(tokens_of(t, EAD_SMALL) + tokens_of(t, EAD_LARGE));
    return both > 0 ? (double)tokens_of(t, w) / both : 0;
}

void tally_show_line(const struct tally *t, bool interrupted, bool color)
{
    fprintf(stderr, "%s[%s%lld token%s", color ? SCREEN_DIM : "", interrupted ? "stopped: " : "",
            (long long)t->tokens, t->tokens == 1 ? "" : "s");
    if (t->by_model)
        fprintf(stderr, ", %.0f %% by the large model, %lld switch%s", 100 * share(t, EAD_LARGE),
                (long long)t->switches, t->switches == 1 ? "" : "es");
    if (t->n_entropy) fprintf(stderr, ", %.2f bits each", t->entropy / (double)t->n_entropy);
    fprintf(stderr, ", %.1f s]%s\n", t->seconds, color ? SCREEN_PLAIN : "");
}

static json_t *model_json(const struct tally *t, ead_writer w)
{
    const ead_work *work = &t->work[w];
    return json_pack("{s:I, s:f, s:I, s:I, s:I, s:f}", "tokens", (json_int_t)work->tokens, "share",
                     share(t, w), "prompt_rows", (json_int_t)work->prompt_rows, "decode_rows",
                     (json_int_t)work->decode_rows, "catchup_rows", (json_int_t)work->catchup_rows,
                     "seconds", work->decode_seconds);
}

void tally_show(const struct tally *t)
{
    json_t *report = json_pack(
        "{s:I, s:I, s:I, s:I, s:f, s:o, s:o*, s:o*, s:o*}", "answers", t->answers, "tokens",
        t->tokens, "prompt_tokens", t->prompt, "cached_tokens", t->cached, "seconds", t->seconds,
        "entropy_bits", t->n_entropy ? json_number(t->entropy / (double)t->n_entropy) : json_null(),
        "parameter_cost",
        t->by_model && t->tokens ? json_number(t->cost / (double)t->tokens) : NULL, "small",
        t->by_model ? model_json(t, EAD_SMALL) : NULL, "large",
        t->by_model ? model_json(t, EAD_LARGE) : NULL);
    if (report) report_print(report);
    json_decref(report);
}
