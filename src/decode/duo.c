#include "decode/duo.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- opening ----------------------------------------------------------------------------- */

static const struct engine *any_engine(const struct duo *d)
{
    return d->engines[EAD_SMALL] ? d->engines[EAD_SMALL] : d->engines[EAD_LARGE];
}

static enum status check_engines(const struct engine *large, const struct engine *small,
                                 struct err *err)
{
    if (!large && !small)
        return err_set(err, ST_ARG, "expected a large or a small model, found none");
    if (!large || !small) return ST_OK;
    const struct engine_options *a = engine_settings(large), *b = engine_settings(small);
    if (a->n_ctx != b->n_ctx || a->max_rows != b->max_rows)
        return err_set(err, ST_ARG, "both engines need the same context and rows per pass");
    int32_t same;
    return vocab_compare(engine_model(large)->vocab, engine_model(small)->vocab, &same, err);
}

static void carve(struct duo *d, const ead_duo_options *o)
{
    const size_t n_text = (size_t)d->n_ctx + 1;
    d->text = arena_carve(&d->arena, n_text, sizeof *d->text);
    d->author = arena_carve(&d->arena, n_text, sizeof *d->author);
    d->rows = arena_carve(&d->arena, (size_t)d->max_rows, sizeof *d->rows);
    sampler_carve(&d->sampler, &d->arena, &o->sampler, d->n_vocab);
}

static int shared_vocab(const struct engine *large, const struct engine *small)
{
    int a = large ? engine_vocab(large) : engine_vocab(small);
    int b = small ? engine_vocab(small) : a;
    return a < b ? a : b;
}

static enum status fill(struct duo *d, const ead_duo_options *o, struct err *err)
{
    const struct engine_options *settings = engine_settings(any_engine(d));
    d->n_ctx = settings->n_ctx;
    d->max_rows = settings->max_rows;
    d->n_vocab = shared_vocab(d->engines[EAD_LARGE], d->engines[EAD_SMALL]);
    d->ignore_end = o->ignore_end;
    d->eager_prompt = o->eager_prompt;
    TRY(sampler_check(&o->sampler, err));
    TRY(duo_set_policy(d, &o->policy, err));
    carve(d, o); /* measures */
    TRY(arena_commit(&d->arena, err));
    carve(d, o);
    return ST_OK;
}

enum status duo_open(struct engine *large, struct engine *small, const ead_duo_options *options,
                     struct duo **out, struct err *err)
{
    TRY(check_engines(large, small, err));
    struct duo *d = calloc(1, sizeof *d);
    if (!d) return err_set(err, ST_MEMORY, "cannot hold the session's description");
    d->engines[EAD_LARGE] = large;
    d->engines[EAD_SMALL] = small;
    enum status st = fill(d, options, err);
    if (st != ST_OK) {
        duo_close(d);
        return st;
    }
    *out = d;
    return ST_OK;
}

void duo_close(struct duo *d)
{
    if (!d) return;
    arena_deinit(&d->arena);
    free(d);
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

/* ---- evaluating -------------------------------------------------------------------------- */

/* What the rows of one evaluation were for; see ead_work. */
struct tally {
    int prompt, catchup, decode;
};

/* One pass over text[from, to); the last row wants logits when it ends the text. */
static enum status eval_pass(struct duo *d, ead_writer w, int from, int to, bool logits,
                             struct tally *tally, struct err *err)
{
    for (int pos = from; pos < to; pos++) {
        bool last = logits && pos == d->n_text - 1;
        d->rows[pos - from] = (struct row){.pos = pos, .token = d->text[pos], .wants_logits = last};
        if (d->author[pos] == DUO_GIVEN)
            tally->prompt++;
        else if (last)
            tally->decode++;
        else if (d->author[pos] == (int8_t)w && d->author[pos + 1] == DUO_GIVEN)
            tally->prompt++; /* its own last token, read with the prompt that followed */
        else
            tally->catchup++;
    }
    return engine_eval(d->engines[w], d->rows, to - from, err);
}

/* Book the rows and the time of an evaluation. Prompt rows take their share of one that also
 * catches up, and all of any other. */
static void book(ead_work *work, const struct tally *t, double seconds)
{
    const int rows = t->prompt + t->catchup + t->decode;
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

/* Bring an engine's cache up to text[0, end), in as many passes as it takes. Passes that were done
 * when a later one is cancelled stay done. */
static enum status catch_up(struct duo *d, ead_writer w, int end, bool logits, struct err *err)
{
    const int begin = engine_length(d->engines[w], 0);
    const int most = d->progress && d->max_rows > DUO_POLL_ROWS ? DUO_POLL_ROWS : d->max_rows;
    const double start = now();
    struct tally tally = {0};
    enum status st = ST_OK;
    for (int at = begin; at < end && st == ST_OK;) {
        int to = end - at > most ? at + most : end;
        st = eval_pass(d, w, at, to, logits, &tally, err);
        at = to;
        if (st == ST_OK && d->progress && end - begin > most &&
            !d->progress(d->progress_context, w, at - begin, end - begin))
            st = err_set(err, ST_CANCELLED, "stopped while reading the prompt");
    }
    book(&d->work[w], &tally, now() - start);
    return st;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Written tokens that no engine has evaluated, which the next prompt will take in: the last one. */
static int unread(const struct duo *d)
{
    int covered = 0, n = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w] && engine_length(d->engines[w], 0) > covered)
            covered = engine_length(d->engines[w], 0);
    for (int pos = covered; pos < d->n_text; pos++) n += d->author[pos] != DUO_GIVEN;
    return n;
}

enum status duo_append(struct duo *d, const int32_t *ids, size_t n, struct err *err)
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
    d->to_read += (int64_t)n + unread(d);
    for (size_t i = 0; i < n; i++) {
        d->text[d->n_text] = ids[i];
        d->author[d->n_text++] = DUO_GIVEN;
    }
    d->index = 0;
    const uint64_t rng = d->policy.rng; /* turns of one conversation draw on, they do not repeat */
    policy_init(&d->policy, &d->policy.options);
    if (d->tokens) d->policy.rng = rng;
    if (!d->n_text) return ST_OK;
    /* The last row waits for the step that needs its logits. */
    const ead_writer first = d->policy.writer;
    TRY(catch_up(d, first, d->n_text - 1, false, err));
    const ead_writer second = first == EAD_LARGE ? EAD_SMALL : EAD_LARGE;
    if (d->eager_prompt && d->engines[second]) TRY(catch_up(d, second, d->n_text - 1, false, err));
    return ST_OK;
}

/* The next token and the statistics of its distribution. */
static enum status choose(struct duo *d, ead_writer w, int32_t *id, struct kern_stats *stats,
                          struct err *err)
{
    const struct engine *e = d->engines[w];
    TRY(engine_stats(e, 0, stats, err));
    const ead_sampler_options *o = &d->sampler.options;
    if (o->temperature == 0 && o->repeat_penalty == 1 && stats->argmax < d->n_vocab)
        *id = stats->argmax;
    else
        *id = sampler_choose(&d->sampler, engine_logits(e, 0), d->text, (size_t)d->n_text);
    return ST_OK;
}

static void record(struct duo *d, ead_writer w, int32_t id, const struct kern_stats *stats,
                   ead_token *out)
{
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

enum status duo_step(struct duo *d, ead_token *out, struct err *err)
{
    const double start = now();
    const ead_writer w = d->policy.writer;
    struct engine *e = d->engines[w];
    if (!d->n_text)
        return err_set(err, ST_ARG, "the text is empty; a first token has to be appended");
    if (d->n_text > d->n_ctx)
        return err_set(err, ST_FULL, "the context of %d tokens is full", d->n_ctx);
    /* A shortened text may leave nothing to evaluate: its last row is evaluated again. */
    engine_truncate(e, 0, d->n_text - 1);
    TRY(catch_up(d, w, d->n_text, true, err));
    struct kern_stats stats;
    int32_t id;
    TRY(choose(d, w, &id, &stats, err));
    record(d, w, id, &stats, out);
    out->seconds = now() - start;
    return ST_OK;
}

void duo_truncate(struct duo *d, int length)
{
    if (length < 0 || length >= d->n_text) return;
    d->n_text = length;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (d->engines[w]) engine_truncate(d->engines[w], 0, length);
}

/* ---- the account ------------------------------------------------------------------------- */

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
