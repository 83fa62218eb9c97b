#include "script_engine.h"

#include "base/clock.h"
#include "base/rng.h"
#include "tiny.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A result that is still to come. */
struct pending {
    int pos, due;
    bool hidden, faulty;
};

/* A sequence, and the results that are still to come for it, in order. */
struct line {
    int32_t *ids; /* [n_ctx] */
    int length;
    struct pending *pending; /* [max_logits]: from first to n */
    int first, n;
    bool was_faulty;
    int lent;              /* results whose storage is lent until the next submit */
    float *logits;         /* [max_logits][n_vocab] */
    struct candidate *top; /* [max_logits][n_vocab] */
    struct also *also;     /* [max_logits] */
};

static bool waits(const struct line *line)
{
    return line->first < line->n;
}

struct script {
    struct engine engine; /* first: an engine is one of these */
    struct script_options options;
    struct script_log log;
    struct line *lines; /* [n_seq] */
    struct row *rows;   /* [max_rows] of the last submit */
    int tried, results, ticks;
};

static void promise(bool kept, const char *what)
{
    if (kept) return;
    fprintf(stderr, "script engine: broken promise: %s\n", what);
    abort();
}

static struct script *script_of(struct engine *e)
{
    return (struct script *)e;
}

static const struct script *script_in(const struct engine *e)
{
    return (const struct script *)e;
}

static struct line *line_of(const struct script *e, int seq)
{
    promise(seq >= 0 && seq < e->options.n_seq, "a sequence is one of the engine's");
    return &e->lines[seq];
}

/* ---- the text ---------------------------------------------------------------------------- */

void script_distribution(const struct script_options *o, const int32_t *ids, int n, float *logits,
                         struct candidate *top, struct distribution *out)
{
    uint64_t own = rng_mix(o->seed + (uint64_t)n), kin = rng_mix(o->kin + (uint64_t)n);
    for (int i = n > 3 ? n - 3 : 0; i < n; i++) {
        own = rng_mix(own ^ (uint64_t)(ids[i] + 1));
        kin = rng_mix(kin ^ (uint64_t)(ids[i] + 1));
    }
    const double like = (double)o->likeness;
    const double gain = 12 * rng_unit(like > 0 ? &kin : &own); /* from nearly even to nearly sure */
    for (int i = 0; i < o->n_vocab; i++) {
        double x = rng_unit(&own);
        if (like > 0) x = (1 - like) * x + like * rng_unit(&kin);
        logits[i] = (float)(gain * x);
    }
    promise(distribution_dense(out, kern_table(KERN_REF), logits, o->n_vocab), "logits are sane");
    if (!o->top) return;
    const int n_top = distribution_best(out, o->top, top);
    promise(distribution_top(out, top, n_top, o->n_vocab), "the most probable ones are sane");
}

/* ---- rows in, results out ---------------------------------------------------------------- */

/* Of all rows of a submit. */
static bool tells_all(const struct script *e)
{
    return !e->options.late && e->options.max_logits == e->options.max_rows;
}

static void check_rows(const struct script *e, const struct row *rows, int n)
{
    int wanted = 0;
    promise(n >= 1 && n <= e->options.max_rows, "a submit has 1 to max_rows rows");
    for (int i = 0; i < n; i++) {
        const struct line *line = line_of(e, rows[i].seq);
        int pos = line->length;
        for (int j = 0; j < i; j++) {
            if (rows[j].seq != rows[i].seq) continue;
            promise(!rows[j].wants_logits || e->options.max_logits > e->options.n_seq ||
                        tells_all(e),
                    "no row follows the one that wants logits");
            pos++;
        }
        promise(!waits(line), "a sequence that waits for a result takes no rows");
        promise(rows[i].pos == pos, "rows start where the sequence ends, in order");
        promise(pos < e->options.n_ctx, "rows stay within the context");
        promise(rows[i].token >= 0 && rows[i].token < e->options.n_vocab, "a token is a token");
        wanted += rows[i].wants_logits;
    }
    promise(wanted <= e->options.max_logits, "at most max_logits rows want logits");
}

/* Nobody may read what was lent before. */
static void spoil(const struct script *e)
{
    for (int seq = 0; seq < e->options.n_seq; seq++) {
        struct line *line = &e->lines[seq];
        for (int i = 0; i < line->lent * e->options.n_vocab; i++) {
            line->logits[i] = NAN;
            line->top[i] = (struct candidate){NAN, -1};
        }
        line->lent = 0;
    }
}

static void expect_result(struct script *e, struct line *line, int pos)
{
    const struct script_options *o = &e->options;
    const uint64_t chance = rng_mix(o->seed + (uint64_t)e->results++);
    if (!waits(line)) line->first = line->n = 0;
    struct pending *p = &line->pending[line->n++];
    p->pos = pos;
    p->due = e->ticks + (o->delay ? 1 + (int)(chance % (uint64_t)o->delay) : 0);
    p->hidden = o->hidden && e->results % o->hidden == 0;
    p->faulty = o->fault_every && e->results % o->fault_every == 0;
}

static enum status script_submit(struct engine *engine, const struct row *rows, int n,
                                 struct err *err)
{
    struct script *e = script_of(engine);
    check_rows(e, rows, n);
    if (++e->tried == e->options.fail_at)
        return err_set(err, ST_IO, "%s: the line is dead", e->engine.info.name);
    for (const double end = clock_seconds() + e->options.busy; clock_seconds() < end;) continue;
    spoil(e);
    for (int i = 0; i < n; i++) {
        struct line *line = &e->lines[rows[i].seq];
        e->rows[i] = rows[i];
        line->ids[line->length++] = rows[i].token;
        if (rows[i].wants_logits) expect_result(e, line, rows[i].pos);
    }
    e->log.submits++;
    e->log.n = n;
    return ST_OK;
}

/* The sequence whose result comes next, in an order of no reason; -1 when none is there. */
static int next_result(const struct script *e, bool wait)
{
    const int n = e->options.n_seq, first = (int)(rng_mix((uint64_t)e->ticks) % (uint64_t)n);
    int late = -1;
    for (int i = 0; i < n; i++) {
        const int seq = (first + i) % n;
        const struct line *line = &e->lines[seq];
        if (!waits(line)) continue;
        const struct pending *p = &line->pending[line->first];
        if (!p->hidden && p->due <= e->ticks) return seq;
        late = seq;
    }
    return wait ? late : -1;
}

/* Of the token behind a row it tells beside the most probable ones. */
static void tell_given(const struct script *e, const struct line *line, int pos, struct also *also,
                       struct distribution *out)
{
    struct distribution dense;
    const int32_t id = line->ids[pos + 1];
    float *logits = calloc((size_t)e->options.n_vocab, sizeof *logits);
    struct script_options all = e->options;
    all.top = 0;
    promise(logits != NULL, "there is memory");
    script_distribution(&all, line->ids, pos + 1, logits, NULL, &dense);
    *also = (struct also){id, distribution_log_prob(&dense, id),
                          distribution_rank(&dense, e->options.n_vocab, id) + 1};
    out->also = also;
    free(logits);
}

static bool script_collect(struct engine *engine, bool wait, struct result *out)
{
    struct script *e = script_of(engine);
    e->ticks++;
    const int seq = next_result(e, wait);
    if (seq < 0) return false;
    struct line *line = &e->lines[seq];
    const struct pending *p = &line->pending[line->first++];
    *out = (struct result){.seq = seq, .pos = p->pos, .drawn = -1, .log_prob = NAN};
    line->was_faulty = p->faulty && !line->was_faulty;
    if (line->was_faulty) {
        e->log.faults++;
        out->status = ST_IO;
        out->message = "the answer was lost";
    } else {
        const size_t at = (size_t)line->lent++ * (size_t)e->options.n_vocab;
        script_distribution(&e->options, line->ids, p->pos + 1, line->logits + at, line->top + at,
                            &out->dist);
        if (e->options.tells_given && e->options.top && p->pos + 1 < line->length)
            tell_given(e, line, p->pos, &line->also[line->lent - 1], &out->dist);
    }
    return true;
}

/* ---- sequences --------------------------------------------------------------------------- */

static int script_length(const struct engine *e, int seq)
{
    return line_of(script_in(e), seq)->length;
}

static void script_truncate(struct engine *e, int seq, int length)
{
    struct line *line = line_of(script_in(e), seq);
    promise(length >= 0, "a length is not negative");
    if (length < line->length) line->length = length;
    while (waits(line) && line->pending[line->n - 1].pos >= length) line->n--;
}

static void script_copy(struct engine *e, int from, int to, int length)
{
    const struct line *a = line_of(script_in(e), from);
    struct line *b = line_of(script_in(e), to);
    promise(from != to, "a sequence is copied to another");
    promise(length >= 0 && length <= a->length, "what is copied is there");
    memcpy(b->ids, a->ids, (size_t)length * sizeof *b->ids);
    b->length = length;
    b->first = b->n = 0;
}

static enum status script_reserve(struct engine *e, int seq, int length, struct err *err)
{
    (void)line_of(script_in(e), seq);
    (void)err;
    promise(length >= 0 && length <= e->info.n_ctx, "what is reserved is within the context");
    return ST_OK;
}

static size_t script_memory(const struct engine *e)
{
    (void)e;
    return 0;
}

static void script_expect(struct engine *engine, int seq, const struct outlook *o)
{
    promise(seq >= 0 && seq < engine->info.n_seq && o->sure >= 0, "an outlook of a sequence");
    script_of(engine)->log.outlook = *o;
}

/* ---- opening ----------------------------------------------------------------------------- */

static void script_close(struct engine *engine)
{
    struct script *e = script_of(engine);
    for (int seq = 0; seq < e->options.n_seq; seq++) {
        free(e->lines[seq].ids);
        free(e->lines[seq].pending);
        free(e->lines[seq].logits);
        free(e->lines[seq].top);
        free(e->lines[seq].also);
    }
    free(e->lines);
    free(e->rows);
    free(e);
}

static const struct engine_ops ops = {.close = script_close,
                                      .submit = script_submit,
                                      .collect = script_collect,
                                      .length = script_length,
                                      .truncate = script_truncate,
                                      .copy = script_copy,
                                      .reserve = script_reserve,
                                      .memory = script_memory,
                                      .expect = script_expect};

struct model *script_names(void)
{
    struct tiny_spec spec = tiny_spec("llama", QT_F32);
    spec.no_bytes = true;
    struct tiny *file = tiny_model(&spec);
    struct model *m = tiny_open(file);
    tiny_free(file);
    return m;
}

static void *storage(int n, size_t size)
{
    void *p = calloc((size_t)n, size);
    promise(p != NULL, "there is memory");
    return p;
}

struct engine *script_open(const struct script_options *options)
{
    struct script *e = storage(1, sizeof *e);
    e->options = *options;
    e->lines = storage(options->n_seq, sizeof *e->lines);
    e->rows = storage(options->max_rows, sizeof *e->rows);
    e->log.rows = e->rows;
    for (int seq = 0; seq < options->n_seq; seq++) {
        e->lines[seq].ids = storage(options->n_ctx, sizeof(int32_t));
        const int lent = options->max_logits * options->n_vocab;
        e->lines[seq].pending = storage(options->max_logits, sizeof(struct pending));
        e->lines[seq].also = storage(options->max_logits, sizeof(struct also));
        e->lines[seq].logits = storage(lent, sizeof(float));
        e->lines[seq].top = storage(lent, sizeof(struct candidate));
    }
    e->engine = (struct engine){
        .ops = &ops,
        .info = {.name = "script",
                 .vocab = options->vocab,
                 .n_vocab = options->n_vocab,
                 .n_active = 1,
                 .n_ctx = options->n_ctx,
                 .n_seq = options->n_seq,
                 .max_rows = options->max_rows,
                 .max_logits = options->max_logits,
                 .late = options->late,
                 .judges = !options->mute && options->max_logits == options->max_rows,
                 .mute = options->mute}};
    return &e->engine;
}

const struct script_log *script_log(const struct engine *e)
{
    return &script_in(e)->log;
}
