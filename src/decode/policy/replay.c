/*
 * What a recording says stands at each place: its writer, and before it drafts that were cut and
 * the judgement that did so. Behind its end the last writer goes on. Nothing is asked of
 * distributions, so that what was recorded from one pair can be repeated with another.
 */
#include "decode/policy.h"

static enum status check(const ead_policy_options *o, struct err *err)
{
    if (!o->replay || !o->n_replay)
        return err_set(err, ST_ARG, "replay: expected a recording of at least one token");
    for (size_t i = 0; i < o->n_replay; i++) {
        const ead_replay *r = &o->replay[i];
        if (r->writer >= EAD_WRITERS || r->dropped > r->lost || r->judged > EAD_DRAFT_MAX ||
            r->lost - r->dropped > EAD_DRAFT_MAX)
            return err_set(err, ST_ARG,
                           "replay: place %zu: expected a writer below %d, no more dropped than "
                           "lost, and %d drafts at most, found %d, %d of %d, and %d",
                           i, EAD_WRITERS, EAD_DRAFT_MAX, r->writer, r->dropped, r->lost,
                           r->judged);
    }
    return ST_OK;
}

static const ead_replay *place(const ead_policy_options *o, int64_t i)
{
    return &o->replay[(size_t)i < o->n_replay ? (size_t)i : o->n_replay - 1];
}

/* The place behind the drafts at the end of the text at which something else than a token of the
 * small model stands, or where its draft was judged; -1: the recording ends before. */
static int64_t next_event(const ead_policy_options *o, int64_t from)
{
    for (size_t i = (size_t)from; i < o->n_replay; i++)
        if (o->replay[i].writer == EAD_LARGE || o->replay[i].judged) return (int64_t)i;
    return -1;
}

/* Tokens at the end that were written for the event at `at`, but do not stand before it. */
static ead_decision decide(const struct policy *p, const ead_signals *s)
{
    const ead_policy_options *o = &p->options;
    const int64_t from = s->index - s->drafts, at = next_event(o, from);
    if (at < 0) return policy_writer(place(o, s->index)->writer ? EAD_LARGE : EAD_SMALL);
    const ead_replay *e = &o->replay[at];
    const bool ends = e->writer == EAD_SMALL; /* judged with the text's last token */
    const int64_t written = at + (ends ? 1 : e->lost);
    const int open = e->judged || e->lost ? s->drafts : 0;
    if (s->index < written) return (ead_decision){.writer = EAD_SMALL, .open = open};
    return (ead_decision){
        .writer = EAD_LARGE, .take_back = e->dropped, .judge = e->judged, .open = open};
}

static int judge(const struct policy *p, const ead_signals *s, const ead_opinion *opinions, int n)
{
    (void)opinions;
    const ead_policy_options *o = &p->options;
    const int64_t from = s->index - n, at = next_event(o, from);
    if (at < 0 || o->replay[at].writer == EAD_SMALL) return n;
    const int64_t kept = at - from;
    return kept < 0 ? 0 : kept < n ? (int)kept : n;
}

static int sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    const ead_policy_options *o = &p->options;
    size_t i = (size_t)s->index, n = 0;
    for (; i < o->n_replay && (bool)o->replay[i].writer == (next == EAD_LARGE); i++) n++;
    if (i >= o->n_replay || n > INT32_MAX) return INT32_MAX;
    return n ? (int)n : 1;
}

const struct policy_rule policy_replay = {
    .info = {.name = "replay",
             .help = "what a recording says",
             .needs = {true, true},
             .needs_data = true},
    .check = check,
    .decide = decide,
    .judge = judge,
    .sure = sure,
};
