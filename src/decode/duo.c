#include "decode/duo.h"

#include <string.h>

/* ---- setting up -------------------------------------------------------------------------- */

void duo_carve(struct duo *d, struct arena *arena)
{
    const size_t n_text = (size_t)d->n_ctx + 1;
    d->text = arena_carve(arena, n_text, sizeof *d->text);
    d->author = arena_carve(arena, n_text, sizeof *d->author);
}

enum status duo_init(struct duo *d, const ead_duo_options *options, struct candidate *scratch,
                     struct err *err)
{
    d->ignore_end = options->ignore_end;
    d->eager_prompt = options->eager_prompt;
    TRY(sampler_check(&options->sampler, err));
    sampler_init(&d->sampler, &options->sampler, scratch, d->n_vocab);
    return duo_set_policy(d, &options->policy, err);
}

enum status duo_set_policy(struct duo *d, const ead_policy_options *o, struct err *err)
{
    TRY(policy_check(o, err));
    ead_policy_options mine = *o;
    if (!d->engines[EAD_LARGE]) mine.kind = EAD_POLICY_SMALL;
    if (!d->engines[EAD_SMALL]) mine.kind = EAD_POLICY_LARGE;
    policy_init(&d->policy, &mine);
    return ST_OK;
}

enum status duo_set_sampler(struct duo *d, const ead_sampler_options *o, struct err *err)
{
    TRY(sampler_check(o, err));
    sampler_init(&d->sampler, o, d->sampler.candidates, d->n_vocab);
    return ST_OK;
}

/* ---- the account ------------------------------------------------------------------------- */

/* Book an evaluation. Prompt rows take their share of one that also catches up, and all of any
 * other. */
static void book(ead_work *work, const struct duo_tally *t)
{
    const int rows = t->prompt + t->catchup + t->decode;
    double seconds = t->seconds;
    work->prompt_rows += t->prompt;
    work->catchup_rows += t->catchup;
    work->decode_rows += t->decode;
    if (t->prompt) {
        double share = t->catchup ? seconds * t->prompt / rows : seconds;
        work->prompt_seconds += share;
        seconds -= share;
    }
    if (t->catchup) {
        work->catchup_passes++;
        work->catchup_seconds += seconds;
    } else if (t->decode && !t->prompt) {
        work->decode_steps++;
        work->decode_seconds += seconds;
    }
}

static void settle(struct duo *d, ead_writer w)
{
    book(&d->work[w], &d->open[w]);
    d->open[w] = (struct duo_tally){0};
}

void duo_account(struct duo *d, ead_writer w, int from, int n, int goal, double seconds)
{
    struct duo_tally *t = &d->open[w];
    for (int pos = from; pos < from + n; pos++) {
        if (d->author[pos] == DUO_GIVEN)
            t->prompt++;
        else if (pos == d->n_text - 1)
            t->decode++;
        else if (d->author[pos] == (int8_t)w && d->author[pos + 1] == DUO_GIVEN)
            t->prompt++; /* its own last token, read with the prompt that followed */
        else
            t->catchup++;
    }
    t->seconds += seconds;
    d->seconds += seconds;
    if (from + n == goal) settle(d, w);
}

static double parameter_cost(const struct duo *d)
{
    const struct engine *l = d->engines[EAD_LARGE], *s = d->engines[EAD_SMALL];
    if (!l || !s || !d->tokens) return 1;
    const double p = (double)d->work[EAD_LARGE].tokens / (double)d->tokens;
    const double n_l = (double)engine_model(l)->weights.n_params;
    const double n_s = (double)engine_model(s)->weights.n_params;
    return (p * n_l + (1 - p) * n_s) / n_l;
}

/* What the large model alone would have taken: its own decode step for every token that cost one
 * (the first after a prompt comes out of the prompt's pass), and the prompts at the rate it read
 * its rows of them. Zero until both were measured. */
static double large_alone(const struct duo *d, const ead_summary *s)
{
    const ead_work *large = &s->work[EAD_LARGE];
    if (large->step_seconds == 0 || (d->to_read && !large->prompt_rows)) return 0;
    double per_row = d->to_read ? large->prompt_seconds / (double)large->prompt_rows : 0;
    int64_t steps = s->work[EAD_SMALL].decode_rows + large->decode_rows;
    return (double)steps * large->step_seconds + (double)d->to_read * per_row;
}

ead_summary duo_summarise(const struct duo *d)
{
    ead_summary s = {.tokens = d->tokens, .switches = d->switches};
    bool measured = true;
    for (int w = 0; w < EAD_WRITERS; w++) {
        ead_work *work = &s.work[w];
        *work = d->work[w];
        book(work, &d->open[w]);
        if (work->decode_steps)
            work->step_seconds = work->decode_seconds / (double)work->decode_steps;
        s.seconds += work->prompt_seconds + work->decode_seconds + work->catchup_seconds;
        s.ideal_seconds += (double)work->decode_rows * work->step_seconds;
        measured &= !work->decode_rows || work->step_seconds > 0;
    }
    if (!measured) s.ideal_seconds = 0;
    s.parameter_cost = parameter_cost(d);
    s.large_seconds = large_alone(d, &s);
    return s;
}

/* ---- the text ---------------------------------------------------------------------------- */

int duo_read(const struct duo *d, ead_writer w)
{
    return engine_length(d->engines[w], d->seq);
}

/* Written tokens that no engine has evaluated, which the next prompt will take in: the last one. */
static int unread(const struct duo *d)
{
    int covered = 0, n = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w] && duo_read(d, (ead_writer)w) > covered)
            covered = duo_read(d, (ead_writer)w);
    for (int pos = covered; pos < d->n_text; pos++) n += d->author[pos] != DUO_GIVEN;
    return n;
}

static enum status check_given(const struct duo *d, const int32_t *ids, size_t n, struct err *err)
{
    const int room = d->n_text < d->n_ctx ? d->n_ctx - d->n_text : 0;
    if (n > (size_t)room)
        return err_set(err, ST_FULL,
                       "the prompt of %zu tokens does not fit: %d of the context's %d are left", n,
                       room, d->n_ctx);
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= d->n_vocab)
            return err_set(err, ST_ARG, "token %zu: expected an id from 0 to %d, found %d", i,
                           d->n_vocab - 1, ids[i]);
    return ST_OK;
}

enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err)
{
    TRY(check_given(d, ids, n, err));
    d->to_read += (int64_t)n + unread(d);
    for (int w = 0; w < EAD_WRITERS; w++) settle(d, (ead_writer)w);
    for (size_t i = 0; i < n; i++) {
        d->text[d->n_text] = ids[i];
        d->author[d->n_text++] = DUO_GIVEN;
    }
    d->index = 0;
    d->eager_end = d->eager_prompt ? d->n_text - 1 : 0;
    d->seconds = 0;
    const uint64_t rng = d->policy.rng; /* turns of one conversation draw on, they do not repeat */
    policy_restart(&d->policy);
    if (d->tokens) d->policy.rng = rng;
    return ST_OK;
}

void duo_truncate(struct duo *d, int length)
{
    if (length < 0 || length >= d->n_text) return;
    for (int w = 0; w < EAD_WRITERS; w++) {
        settle(d, (ead_writer)w);
        if (d->engines[w]) engine_truncate(d->engines[w], d->seq, length);
    }
    d->n_text = length;
    if (d->eager_end > length) d->eager_end = length;
}

void duo_reset(struct duo *d)
{
    duo_truncate(d, 0);
    d->index = d->tokens = d->switches = d->to_read = 0;
    memset(d->work, 0, sizeof d->work);
    d->seconds = 0;
    policy_restart(&d->policy);
    sampler_init(&d->sampler, &d->sampler.options, d->sampler.candidates, d->n_vocab);
}

/* ---- rows out, a token in ---------------------------------------------------------------- */

enum status duo_prepare(struct duo *d, struct err *err)
{
    if (!d->n_text)
        return err_set(err, ST_ARG, "the text is empty; a first token has to be appended");
    if (d->n_text > d->n_ctx)
        return err_set(err, ST_FULL, "the context of %d tokens is full", d->n_ctx);
    /* A shortened text may leave nothing to evaluate: its last row is evaluated again. */
    engine_truncate(d->engines[d->policy.writer], d->seq, d->n_text - 1);
    return ST_OK;
}

int duo_goal(const struct duo *d, ead_writer w)
{
    return w == d->policy.writer ? d->n_text : d->eager_end;
}

int duo_rows(const struct duo *d, ead_writer w, int goal, int most, struct row *rows)
{
    const int from = duo_read(d, w), n = goal - from < most ? goal - from : most;
    for (int i = 0; i < n; i++)
        rows[i] = (struct row){.seq = d->seq,
                               .pos = from + i,
                               .token = d->text[from + i],
                               .wants_logits = from + i == d->n_text - 1};
    return n;
}

static int32_t choose(struct duo *d, const float *logits, const struct kern_stats *stats)
{
    const ead_sampler_options *o = &d->sampler.options;
    if (o->temperature == 0 && o->repeat_penalty == 1 && stats->argmax < d->n_vocab)
        return stats->argmax;
    return sampler_choose(&d->sampler, logits, d->text, (size_t)d->n_text);
}

void duo_write(struct duo *d, const float *logits, const struct kern_stats *stats, ead_token *out)
{
    const ead_writer w = d->policy.writer;
    const int32_t id = choose(d, logits, stats);
    *out = (ead_token){.index = d->index, .id = id, .writer = w, .entropy = stats->entropy};
    out->switched = d->index > 0 && w != d->previous;
    d->text[d->n_text] = id;
    d->author[d->n_text++] = (int8_t)w;
    d->index++;
    d->tokens++;
    d->switches += out->switched;
    d->work[w].tokens++;
    d->previous = w;
    out->rolling = policy_observe(&d->policy, stats->entropy);
    if (!d->ignore_end && vocab_is_eog(engine_model(d->engines[w])->vocab, id))
        out->end = EAD_END_TOKEN;
    else if (d->n_text > d->n_ctx)
        out->end = EAD_END_CONTEXT;
}
