/*
 * The driver over engines whose texts can be computed by a loop: whatever the engines do (late, out
 * of order, in part, with faults), whatever company a text has and whatever is done to it, it
 * becomes what its definition says. The engines abort when the driver breaks a promise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decode/driver.h"
#include "judging.h"
#include "rewrite.h"
#include "script_engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_VOCAB = SCRIPT_VOCAB, N_CTX = 80, TEXTS_MAX = 8, PROMPT_MAX = 30, TURNS = 400 };

static struct model *named; /* whose vocabulary the engines have */

static int open_vocab(void **state)
{
    (void)state;
    named = script_names();
    assert_int_equal(vocab_real_size(named->vocab), N_VOCAB);
    return 0;
}

static int close_vocab(void **state)
{
    (void)state;
    model_close(named);
    return 0;
}

/* ---- who decides --------------------------------------------------------------------------- */

static const ead_replay recording[] = {{.writer = 0}, {.writer = 0}, {.writer = 1}, {.writer = 1},
                                       {.writer = 1}, {.writer = 0}, {.writer = 1}, {.writer = 0},
                                       {.writer = 0}, {.writer = 0}, {.writer = 0}, {.writer = 1},
                                       {.writer = 0}, {.writer = 1}, {.writer = 1}};

/* What the small model writes in doubt is dropped, and the large one writes there. */
static ead_decision stitch(void *context, const ead_signals *s)
{
    (void)context;
    const bool doubt = s->index && s->stats.entropy > 4.5f;
    if (s->index && s->writer == EAD_LARGE)
        return (ead_decision){.writer = doubt ? EAD_LARGE : EAD_SMALL};
    return doubt ? (ead_decision){.writer = EAD_LARGE, .take_back = 1}
                 : (ead_decision){.writer = EAD_SMALL};
}

enum { N_POLICIES = 7, N_ALL = N_POLICIES + JUDGING_POLICIES };

static ead_policy_options policy_of(unsigned i)
{
    ead_policy_options o;
    policy_defaults(&o);
    o.kind = EAD_POLICY_EAD;
    o.tau = 4.3;
    o.window = 3;
    o.dwell = 2;
    o.share = 0.5;
    o.seed = i;
    o.replay = recording;
    o.n_replay = sizeof recording / sizeof *recording;
    if (i >= N_POLICIES) {
        judging_set((int)i - N_POLICIES, &o);
        return o;
    }
    static const ead_policy_kind kinds[N_POLICIES] = {
        EAD_POLICY_EAD,    EAD_POLICY_RANDOM, EAD_POLICY_REPLAY, EAD_POLICY_CUSTOM,
        EAD_POLICY_CUSTOM, EAD_POLICY_LARGE,  EAD_POLICY_SMALL};
    o.kind = kinds[i % N_POLICIES];
    o.decide = i % N_POLICIES == 3 ? stitch : rewrite;
    return o;
}

/* ---- a company of texts -------------------------------------------------------------------- */

struct company;

/* Who is told of given tokens of a text, and up to where that was. */
struct listener {
    struct company *company;
    int text, next;
};

/* A text as it must be: where it was last known for certain, and what it does from there. */
struct known {
    struct text text;
    int32_t ids[N_CTX + 1];
    struct mark marks[N_CTX + 1];
    int64_t writes, judgements; /* that the account had then */
    bool decided;               /* about the text as it stands: */
    ead_writer next;
    int judge; /* so many drafts */
    bool ended, replacing;
    int open; /* tokens at the end that are not told */
    int told; /* length of the text as the caller was told it */
};

struct company {
    struct script_options options[EAD_WRITERS];
    struct engine *engines[EAD_WRITERS];
    struct driver *driver;
    struct known known[TEXTS_MAX];
    struct listener listeners[TEXTS_MAX];
    int n;
    uint64_t rng;
    int max_scores;
    int policies; /* N_POLICIES: those that do not judge; or N_ALL */
    int64_t lost;
    int tokens, faults, failures, cut_waiting, taken_back, scores;
};

static int below(struct company *c, int n)
{
    return (int)(rng_bits(&c->rng) % (uint64_t)n);
}

static struct duo *text_at(struct company *c, int i)
{
    return driver_duo(c->driver, i);
}

static const ead_bias biases[] = {{5, 1.5f}, {9, -100}};

static ead_duo_options duo_options(struct company *c)
{
    ead_duo_options o = {.ignore_end = true, .max_scores = c->max_scores};
    o.policy = policy_of((unsigned)below(c, c->policies));
    o.tell_lost = below(c, 2);
    o.sampler = (ead_sampler_options){.top_p = 1, .repeat_penalty = 1, .repeat_last = 64};
    o.sampler.temperature = below(c, 2) ? 1 : 0;
    o.sampler.seed = c->rng;
    o.sampler.repeat_penalty = below(c, 3) ? 1 : 1.2f;
    o.sampler.presence_penalty = below(c, 3) ? 0 : 0.8f;
    o.sampler.frequency_penalty = below(c, 3) ? 0 : 0.3f;
    o.sampler.bias = biases;
    o.sampler.n_bias = below(c, 3);
    o.eager_prompt = below(c, 3) == 0;
    return o;
}

static struct script_options plain_engine(int n, int max_rows)
{
    return (struct script_options){.vocab = named->vocab,
                                   .n_vocab = N_VOCAB,
                                   .n_ctx = N_CTX,
                                   .n_seq = n,
                                   .max_rows = max_rows,
                                   .max_logits = n};
}

/* Text i is the first tokens of another from here on; nothing, where there is none. */
static void remember(struct company *c, int i, const struct text *from, int length)
{
    struct known *k = &c->known[i];
    k->text = (struct text){.room = N_CTX + 1, .ids = k->ids, .marks = k->marks};
    if (from) text_copy(&k->text, from, length);
    k->writes = text_at(c, i)->account.tokens;
    k->judgements = text_at(c, i)->account.judgements;
    k->decided = false;
    k->told = length;
}

/* What is told of a given token is what its predecessors say, and it is told once. */
static void hear(void *context, const ead_scored *token)
{
    const int at = (int)token->at;
    struct listener *l = context;
    struct company *c = l->company;
    const struct duo *d = text_at(c, l->text);
    float logits[N_VOCAB];
    struct candidate top[N_VOCAB], expected[N_VOCAB];
    struct distribution dist;
    assert_in_range(at, l->next, d->text.n - 1);
    assert_int_equal(d->text.marks[at].author, TEXT_GIVEN);
    assert_int_equal(d->text.ids[at], token->id);
    script_distribution(&c->options[d->next], d->text.ids, at, logits, top, &dist);
    const float wanted = distribution_log_prob(&dist, token->id);
    assert_true(isnan(wanted) ? isnan(token->log_prob) : wanted == token->log_prob);
    assert_int_equal(token->n_best, distribution_best(&dist, l->text, expected));
    for (int i = 0; i < token->n_best; i++) {
        assert_int_equal(token->best[i].id, expected[i].id);
        assert_true(token->best[i].log_prob == expected[i].logit);
    }
    l->next = at + 1;
    c->scores++;
}

static void listen(struct company *c, int i)
{
    c->listeners[i] = (struct listener){c, i, c->listeners[i].next};
    score_ask(&text_at(c, i)->scoring, i, below(c, 4) ? hear : NULL, &c->listeners[i]);
}

static void open_company(struct company *c, const struct script_options *small,
                         const struct script_options *large, int n, uint64_t seed)
{
    struct err err;
    *c = (struct company){.n = n, .rng = seed, .max_scores = small ? small->max_logits - n : 0};
    const bool judges = large && large->likeness > 0;
    if (judges) c->max_scores = 0;
    c->policies = judges ? N_ALL : N_POLICIES;
    const struct script_options *const options[] = {[EAD_SMALL] = small, [EAD_LARGE] = large};
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!options[w]) continue;
        c->options[w] = *options[w];
        c->options[w].seed = seed + (uint64_t)w;
        c->engines[w] = script_open(&c->options[w]);
    }
    const ead_duo_options o = duo_options(c);
    if (driver_open(c->engines[EAD_LARGE], c->engines[EAD_SMALL], &o, n, &c->driver, &err))
        fail_msg("%s", err.message);
    for (int i = 0; i < n; i++) {
        remember(c, i, NULL, 0);
        if (c->max_scores) listen(c, i);
    }
}

static void close_company(struct company *c)
{
    driver_close(c->driver);
    for (int w = 0; w < EAD_WRITERS; w++) engine_close(c->engines[w]);
}

/* ---- the definition ------------------------------------------------------------------------ */

/* What engine w says behind the first n tokens. */
struct said {
    float logits[N_VOCAB];
    struct candidate top[N_VOCAB];
    struct distribution dist;
};

static void ask(const struct company *c, ead_writer w, const int32_t *ids, int n, struct said *out)
{
    script_distribution(&c->options[w], ids, n, out->logits, out->top, &out->dist);
}

/* All that a definition needs beside the text. */
struct desk {
    const struct policy *policy;
    struct sampler sampler;
    struct proposals proposals;
    struct candidate scratch[N_VOCAB], kept[PROPOSAL_PLACES][N_VOCAB];
    float p[N_VOCAB], q[N_VOCAB];
};

static void set_desk(struct desk *k, const struct duo *d)
{
    k->policy = &d->policy;
    sampler_init(&k->sampler, &d->sampler.options, k->scratch, N_VOCAB);
    for (int i = 0; i < PROPOSAL_PLACES; i++)
        k->proposals.places[i] = (struct proposal){.pos = -1, .tokens = k->kept[i]};
}

static void propose(const struct company *c, struct desk *k, const struct text *t, int pos)
{
    struct said small;
    ask(c, EAD_SMALL, t->ids, pos, &small);
    assert_true(sampler_shape(&k->sampler, &small.dist, t->ids, (size_t)pos,
                              (size_t)(t->marks[pos - 1].index + 1), k->q));
    proposals_keep(&k->proposals, pos, k->q, N_VOCAB, k->scratch);
}

static bool looks_at_both(const struct policy *p)
{
    return policy_asks(p) & POLICY_BOTH;
}

static void decide_known(struct known *k, const struct policy *p)
{
    struct text *t = &k->text;
    const ead_decision decision = policy_decide(p, t);
    struct mark *last = t->n ? &t->marks[t->n - 1] : NULL;
    if (last && last->kind == (int8_t)p->options.kind)
        memcpy(last->memory, decision.memory, sizeof last->memory);
    text_cut(t, t->n - decision.take_back);
    k->ended = !decision.take_back && last && last->end;
    k->replacing = decision.take_back > 0;
    k->next = decision.writer;
    k->judge = decision.judge;
    k->open = decision.open > k->judge ? decision.open : k->judge;
    if (k->ended && !k->judge) k->open = 0;
    k->decided = true;
}

static int32_t choose_known(const struct company *c, struct desk *desk, const struct known *k,
                            const struct said *said)
{
    const struct text *t = &k->text;
    const struct policy_rule *rule = policy_rule(desk->policy->options.kind);
    const bool apart = k->next == EAD_SMALL && looks_at_both(desk->policy) && desk->policy->drawn &&
                       rule->apart && c->engines[EAD_LARGE];
    if (!apart)
        return sampler_choose(&desk->sampler, &said->dist, t->ids, (size_t)t->n,
                              (size_t)text_written(t));
    propose(c, desk, t, t->n);
    return proposals_draw(&desk->proposals, t->n, jury_draft_chance(t, &desk->sampler));
}

/* Judge, and say which token stands in place of a refused one; -1: none was. */
static int32_t judge_known(const struct company *c, struct desk *desk, struct known *k,
                           struct said *said, ead_judgement *out)
{
    struct text *t = &k->text;
    const int n = k->judge, from = t->n - n;
    ead_opinion opinions[EAD_DRAFT_MAX];
    const struct jury jury = {desk->policy, &desk->sampler, t, &desk->proposals, desk->p, desk->q};
    for (int i = 0; i < n; i++) {
        if (looks_at_both(desk->policy)) propose(c, desk, t, from + i);
        ask(c, EAD_LARGE, t->ids, from + i, said);
        opinions[i] = jury_opinion(&jury, from + i, &said->dist);
    }
    const int kept = policy_judge(desk->policy, t, opinions, n);
    int32_t instead = -1;
    *out = (ead_judgement){.n = n, .kept = kept};
    if (kept < n) out->q = expf(t->marks[from + kept].log_prob);
    k->judgements++;
    if (kept < n) {
        ask(c, EAD_LARGE, t->ids, from + kept, said);
        instead = jury_instead(&jury, from + kept, &opinions[kept], &said->dist);
        assert_true(instead >= 0);
        text_cut(t, from + kept);
        k->replacing = true;
    }
    text_keep(t, kept, k->ended && kept == n ? t->n : t->n + 1);
    return instead;
}

/* Bits: of the 20 most probable, as a part of one. */
static float top_entropy(const struct policy *p, const struct distribution *dist)
{
    struct candidate best[20];
    double total = 0, h = 0;
    if (!(policy_asks(p) & POLICY_TOP)) return NAN;
    const int n = distribution_best(dist, 20, best);
    for (int i = 0; i < n; i++) total += exp((double)best[i].logit);
    for (int i = 0; i < n; i++)
        h += exp((double)best[i].logit) / total * (log(total) - (double)best[i].logit);
    return (float)(h / log(2));
}

static void write_known(struct known *k, const struct policy *p, int32_t id,
                        const struct said *said, const ead_judgement *judgement)
{
    const struct mark mark = {.author = (int8_t)k->next,
                              .kind = (int8_t)p->options.kind,
                              .replaces = k->replacing,
                              .judgement = *judgement,
                              .end = k->text.n == N_CTX,
                              .log_prob = distribution_log_prob(&said->dist, id),
                              .stats = said->dist.stats,
                              .top_entropy = top_entropy(p, &said->dist)};
    text_write(&k->text, id, &mark);
    k->writes++;
}

/* Go on from what is known until so much was written and judged; returns who is to write next. */
static ead_writer go_on(struct company *c, struct known *k, const struct duo *d)
{
    static struct desk desk;
    set_desk(&desk, d);
    for (;;) {
        const struct text *t = &k->text;
        struct said said;
        ead_judgement judgement = {0};
        int32_t id = -1;
        if (!k->decided) decide_known(k, &d->policy);
        if (k->writes == d->account.tokens && k->judgements == d->account.judgements)
            return k->next;
        k->decided = false;
        if (k->judge) id = judge_known(c, &desk, k, &said, &judgement);
        if (id < 0 && k->judge && k->ended) {
            k->text.marks[t->n - 1].judgement = judgement;
            continue;
        }
        if (id < 0) {
            ask(c, k->next, t->ids, t->n, &said);
            id = choose_known(c, &desk, k, &said);
        }
        write_known(k, &d->policy, id, &said, &judgement);
    }
}

/* Text i is what its definition says. */
static void check_text(struct company *c, int i)
{
    const struct duo *d = text_at(c, i);
    struct known *k = &c->known[i];
    const ead_writer next = go_on(c, k, d);
    assert_int_equal(d->next, next);
    assert_int_equal(d->text.n, k->text.n);
    assert_int_equal(d->told, k->told);
    assert_int_equal(d->open, k->open);
    assert_true(d->kept <= d->text.n);
    for (int at = 0; at < k->text.n; at++) {
        const struct mark *a = &d->text.marks[at], *b = &k->marks[at];
        if (d->text.ids[at] != k->ids[at] || a->author != b->author || a->index != b->index)
            fail_msg("text %d, token %d: id %d of model %d, expected %d of %d", i, at,
                     d->text.ids[at], a->author, k->ids[at], b->author);
        if (a->author == TEXT_GIVEN) continue;
        assert_int_equal(a->turn, b->turn);
        assert_int_equal(a->draft, b->draft);
        assert_int_equal(a->judged, b->judged);
        assert_memory_equal(a->memory, b->memory, sizeof a->memory);
        assert_memory_equal(&a->judgement, &b->judgement, sizeof a->judgement);
        assert_memory_equal(&a->log_prob, &b->log_prob, sizeof a->log_prob);
        assert_memory_equal(&a->stats.entropy, &b->stats.entropy, sizeof a->stats.entropy);
        assert_memory_equal(&a->stats.max_prob, &b->stats.max_prob, sizeof a->stats.max_prob);
        assert_int_equal(a->stats.argmax, b->stats.argmax);
    }
}

/* ---- what is done to texts ----------------------------------------------------------------- */

static void take_token(struct company *c, int i, const ead_token *token)
{
    struct known *k = &c->known[i];
    const struct duo *d = text_at(c, i);
    if (token->lost) {
        assert_true(d->tell_lost && !token->end && !token->taken_back);
        c->lost++;
        return;
    }
    k->told += 1 - token->taken_back;
    c->taken_back += token->taken_back;
    c->tokens++;
    assert_in_range(k->told, 1, d->text.n);
    assert_true(k->told <= d->text.n - d->open); /* nothing before it stands */
    assert_int_equal(token->id, d->text.ids[k->told - 1]);
    assert_int_equal(token->writer, d->text.marks[k->told - 1].author);
}

static void check_fault(struct company *c, int i, enum status status, const char *message)
{
    const struct duo *d = text_at(c, i);
    if (status == ST_FULL) {
        assert_true(d->text.n > N_CTX);
    } else if (status == ST_ARG) {
        assert_int_equal(d->text.n, 0);
        assert_non_null(strstr(message, "the text is empty"));
    } else {
        assert_int_equal(status, ST_IO);
        assert_string_equal(message, "the answer was lost");
        c->faults++;
    }
}

static void step(struct company *c, const bool *active)
{
    struct err err;
    ead_event events[TEXTS_MAX];
    int n;
    if (driver_step(c->driver, active, events, &n, &err) != ST_OK) {
        assert_int_equal(n, 0);
        assert_string_equal(err.message, "script: the line is dead");
        c->failures++;
        return;
    }
    for (int e = 0; e < n; e++) {
        assert_true(active[events[e].text]);
        if (events[e].kind == EAD_EVENT_TOKEN)
            take_token(c, events[e].text, &events[e].token);
        else
            check_fault(c, events[e].text, (enum status)events[e].status, events[e].message);
    }
}

static void step_some(struct company *c)
{
    bool active[TEXTS_MAX];
    for (int i = 0; i < c->n; i++) active[i] = below(c, 4) > 0;
    step(c, active);
}

static void write_one(struct company *c, int i)
{
    struct err err;
    ead_token token;
    const enum status st = driver_write(c->driver, i, &token, &err);
    if (st == ST_OK)
        take_token(c, i, &token);
    else if (!strcmp(err.message, "script: the line is dead"))
        c->failures++;
    else
        check_fault(c, i, st, err.message);
}

static void read_one(struct company *c, int i)
{
    struct err err;
    const enum status st = driver_read(c->driver, i, &err);
    if (st == ST_OK) return;
    if (!strcmp(err.message, "script: the line is dead"))
        c->failures++;
    else
        check_fault(c, i, st, err.message);
}

static void append(struct company *c, int i, int n)
{
    struct err err;
    int32_t ids[PROMPT_MAX];
    struct duo *d = text_at(c, i);
    for (int k = 0; k < n; k++) ids[k] = 3 + below(c, N_VOCAB - 3);
    if (d->kept + n > N_CTX || d->text.n + n > N_CTX) return;
    assert_int_equal(duo_append(d, ids, (size_t)n, &err), ST_OK);
    struct known *k = &c->known[i];
    text_cut(&k->text, d->text.n - n < k->text.n ? d->text.n - n : k->text.n);
    text_give(&k->text, ids, (size_t)n);
    k->decided = false;
    k->told = d->text.n;
}

static void cut(struct company *c, int i, int length)
{
    struct duo *d = text_at(c, i);
    if (length < 0 || length >= d->text.n) return;
    c->cut_waiting += d->waiting[EAD_SMALL] || d->waiting[EAD_LARGE];
    const int told = d->told;
    text_cut(&c->known[i].text, length);
    if (c->listeners[i].next > length) c->listeners[i].next = length;
    c->known[i].decided = false;
    duo_truncate(d, length);
    c->known[i].told = told < length ? told : length;
}

static void copy(struct company *c, int to, int from)
{
    struct duo *d = text_at(c, from);
    if (to == from) return;
    const int length = below(c, d->kept + 1);
    duo_copy(text_at(c, to), d, length);
    c->listeners[to].next = 0;
    remember(c, to, &c->known[from].text, length);
    const struct duo *other = text_at(c, to);
    if (!policy_same(&d->policy.options, &other->policy.options)) text_forget(&c->known[to].text);
    if (!policy_same(&d->policy.options, &other->policy.options) ||
        !sampler_same(&d->sampler.options, &other->sampler.options))
        text_settle(&c->known[to].text);
}

/* Somebody else decides from here on, and may begin by taking back. */
static void appoint(struct company *c, int i)
{
    struct err err;
    struct duo *d = text_at(c, i);
    struct known *k = &c->known[i];
    const ead_policy_options o = policy_of((unsigned)below(c, c->policies));
    const bool untold = d->text.n > d->kept || text_drafts(&d->text);
    text_cut(&k->text, d->kept);
    text_settle(&k->text);
    if (below(c, 3)) {
        k->decided = false;
        if (!policy_same(&d->wanted, &o)) text_forget(&k->text);
        assert_int_equal(duo_set_policy(d, &o, &err), ST_OK);
    } else {
        ead_sampler_options sampler = d->sampler.options;
        k->decided &= !untold;
        sampler.seed++;
        sampler.temperature = below(c, 2) ? 1 : 0;
        assert_int_equal(duo_set_sampler(d, &sampler, &err), ST_OK);
    }
}

static void disturb(struct company *c)
{
    const int i = below(c, c->n);
    for (int k = 0; k < c->n; k++) check_text(c, k);
    switch (below(c, 9)) {
    case 0: cut(c, i, below(c, N_CTX)); break;
    case 1: cut(c, i, text_at(c, i)->text.n - 1 - below(c, 3)); break;
    case 2: append(c, i, 1 + below(c, 5)); break;
    case 3: copy(c, i, below(c, c->n)); break;
    case 4: appoint(c, i); break;
    case 5: write_one(c, i); break;
    case 6: read_one(c, i); break;
    case 7:
        if (c->max_scores) listen(c, i);
        break;
    default: append(c, i, 1 + below(c, PROMPT_MAX)); break;
    }
    if (!text_at(c, i)->text.n) append(c, i, 1 + below(c, PROMPT_MAX));
}

/* ---- laws ---------------------------------------------------------------------------------- */

/* A way in which an engine answers. */
static const struct {
    const char *name;
    int top, delay, hidden, fault_every, fail_at;
} ways[] = {
    {"at once", 0, 0, 0, 0, 0},           {"late", 0, 5, 7, 0, 0},
    {"the most probable", 5, 0, 0, 0, 0}, {"faults", 0, 0, 0, 4, 0},
    {"fails once", 0, 0, 0, 0, 13},       {"all of it", 3, 4, 5, 6, 9},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static struct script_options engine_of(int way, int n, int max_rows, int scores)
{
    struct script_options o = plain_engine(n, max_rows);
    o.max_logits += scores;
    o.top = ways[way].top;
    o.delay = ways[way].delay;
    o.hidden = ways[way].hidden;
    o.fault_every = ways[way].fault_every;
    o.fail_at = ways[way].fail_at;
    return o;
}

/* Every text gets on when all are asked for, and soon. */
static void check_progress(struct company *c)
{
    bool active[TEXTS_MAX];
    int64_t goal[TEXTS_MAX];
    for (int i = 0; i < c->n; i++) {
        check_text(c, i);
        cut(c, i, N_CTX - 20);
        goal[i] = text_at(c, i)->account.tokens + 8;
        active[i] = true;
    }
    for (int left = c->n, steps = 0; left; steps++) {
        assert_in_range(steps, 0, 2000);
        step(c, active);
        left = 0;
        for (int i = 0; i < c->n; i++) left += text_at(c, i)->account.tokens < goal[i];
    }
    for (int i = 0; i < c->n; i++) check_text(c, i);
}

static void live(struct company *c)
{
    for (int i = 0; i < c->n; i++) append(c, i, 1 + below(c, PROMPT_MAX));
    for (int turn = 0; turn < TURNS; turn++) {
        step_some(c);
        if (below(c, 6) == 0) disturb(c);
    }
    check_progress(c);
    int faults = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        faults += c->engines[w] ? script_log(c->engines[w])->faults : 0;
    assert_in_range(c->faults, 0, faults); /* each is told at most once */
}

static void test_any_company(void **state)
{
    (void)state;
    static const int companies[] = {1, 3, TEXTS_MAX}, rows[] = {TEXTS_MAX, 64};
    int tokens = 0, faults = 0, failures = 0, cut_waiting = 0, taken_back = 0;
    int scores_told = 0;
    for (int k = 0; k < N_WAYS * N_WAYS * 6; k++) {
        const int n = companies[k % 3], max_rows = rows[k / 3 % 2];
        const int scores = max_rows > TEXTS_MAX ? k / 2 % 4 * 7 : 0;
        const struct script_options small = engine_of(k / 6 % N_WAYS, n, max_rows, scores);
        const struct script_options large = engine_of(k / 6 / N_WAYS, n, max_rows, scores);
        struct company c;
        open_company(&c, &small, &large, n, (uint64_t)k + 1);
        live(&c);
        close_company(&c);
        tokens += c.tokens, faults += c.faults, failures += c.failures;
        cut_waiting += c.cut_waiting, taken_back += c.taken_back;
        scores_told += c.scores;
    }
    assert_true(tokens > 50000 && taken_back > 500 && cut_waiting > 200);
    assert_true(faults > 500 && failures > 70 && scores_told > 5000);
}

/* The same with policies that judge, drop and leave open, by a large engine that answers at once:
 * small passes, in which a judgement is all there is room for, and a small engine behind a wire. */
static void test_judging_company(void **state)
{
    (void)state;
    static const int companies[] = {1, 3, 5, TEXTS_MAX};
    static const int large_ways[] = {0, 2, 3, 4};
    int64_t judged = 0, refused = 0, lost = 0, tokens = 0;
    int faults = 0, failures = 0;
    for (int k = 0; k < N_WAYS * 4 * 12; k++) {
        const int n = companies[k % 4], max_rows = n + 1 + (k * 11) % 34;
        struct script_options small = engine_of(k / 4 % N_WAYS, n, max_rows, 0);
        struct script_options large = engine_of(large_ways[k / 4 / N_WAYS % 4], n, max_rows, 0);
        struct company c;
        small.kin = large.kin = (uint64_t)k;
        small.likeness = large.likeness = 0.8f;
        small.late = small.delay > 0;
        large.max_logits = max_rows;
        /* or no judgement would ever be heard out */
        if (large.fault_every) large.fault_every = 53;
        if (small.fault_every) small.fault_every = 53;
        if (!small.late) small.max_logits = max_rows;
        open_company(&c, &small, &large, n, (uint64_t)k + 1);
        live(&c);
        for (int i = 0; i < n; i++) {
            judged += text_at(&c, i)->account.judged;
            refused += text_at(&c, i)->account.refused;
        }
        close_company(&c);
        tokens += c.tokens, faults += c.faults, failures += c.failures, lost += c.lost;
    }
    print_message("%d tokens, %d drafts judged, %d refusals, %d lost, %d faults, %d failures\n",
                  (int)tokens, (int)judged, (int)refused, (int)lost, faults, failures);
    assert_true(judged > 20000 && refused > 3000 && lost > 5000 && tokens > 50000);
    assert_true(faults > 500 && failures > 50);
}

/* A server that tells nothing of given tokens judges nothing, and its engine says why. */
static void test_a_late_large_engine_does_not_judge(void **state)
{
    (void)state;
    for (int i = 0; i < JUDGING_POLICIES; i++) {
        const ead_policy_options o = policy_of((unsigned)(N_POLICIES + i));
        struct script_options small = plain_engine(1, 16), large = plain_engine(1, 16);
        struct company c;
        struct err err;
        large.late = true;
        large.mute = "is behind an API that tells nothing of given tokens";
        open_company(&c, &small, &large, 1, 1);
        append(&c, 0, 5);
        const enum status st = duo_set_policy(text_at(&c, 0), &o, &err);
        if (policy_rule(o.kind)->info.judges) {
            assert_int_equal(st, ST_ARG);
            assert_non_null(strstr(err.message, policy_rule(o.kind)->info.name));
            assert_non_null(strstr(err.message, large.mute));
        } else if (o.kind == EAD_POLICY_CUSTOM) { /* what it does is not known before */
            assert_int_equal(st, ST_OK);
            for (int k = 0; k < 60; k++) write_one(&c, 0);
            assert_int_equal(text_at(&c, 0)->account.judgements, 0);
        } else {
            assert_int_equal(st, ST_OK);
        }
        close_company(&c);
    }
}

static void test_one_engine(void **state)
{
    (void)state;
    for (int k = 0; k < 2 * N_WAYS; k++) {
        const struct script_options only = engine_of(k / 2, 3, 16, 0);
        struct company c;
        open_company(&c, k % 2 ? NULL : &only, k % 2 ? &only : NULL, 3, (uint64_t)k + 1);
        live(&c);
        assert_true(c.tokens > 100);
        close_company(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_company),
        cmocka_unit_test(test_judging_company),
        cmocka_unit_test(test_a_late_large_engine_does_not_judge),
        cmocka_unit_test(test_one_engine),
    };
    return cmocka_run_group_tests(tests, open_vocab, close_vocab);
}
