#include "decode/account.h"

#include "base/check.h"

#include <math.h>

/* Book an evaluation. Prompt rows take their share of one that also catches up, and all of any
 * other. */
static void book(ead_work *work, const struct tally *t)
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

static void settle(struct account *a, ead_writer w)
{
    book(&a->work[w], &a->open[w]);
    a->open[w] = (struct tally){0};
}

void account_settle(struct account *a)
{
    for (int w = 0; w < EAD_WRITERS; w++) settle(a, (ead_writer)w);
}

void account_rows(struct account *a, const struct text *t, ead_writer w, int from, int n, int goal,
                  double seconds)
{
    struct tally *tally = &a->open[w];
    CHECK(n > 0 && from + n <= goal && goal <= t->n);
    for (int pos = from; pos < from + n; pos++) {
        const int8_t author = t->marks[pos].author;
        if (author == TEXT_GIVEN)
            tally->prompt++;
        else if (pos == t->n - 1)
            tally->decode++;
        else if (author == (int8_t)w && t->marks[pos + 1].author == TEXT_GIVEN)
            tally->prompt++; /* its own last token, read with the prompt that followed */
        else
            tally->catchup++;
    }
    tally->seconds += seconds;
    if (from + n == goal) settle(a, w);
}

void account_token(struct account *a, ead_writer w, bool switched)
{
    a->tokens++;
    a->switches += switched;
    a->work[w].tokens++;
}

void account_judgement(struct account *a, int n, int kept)
{
    a->judgements++;
    a->judged += n;
    a->kept += kept;
    a->refused += kept < n;
}

/* ---- the sum ----------------------------------------------------------------------------- */

/* Tokens written that no policy took back. */
static int64_t kept(const struct account *a)
{
    return a->tokens - a->taken_back;
}

/* The paper's cost per token of the text: what was taken back was paid for, and is no token. */
static double parameter_cost(const struct account *a, bool pair,
                             const uint64_t n_active[EAD_WRITERS])
{
    const double n_l = (double)n_active[EAD_LARGE], n_s = (double)n_active[EAD_SMALL];
    if (!pair || kept(a) <= 0) return 1;
    if (n_l == 0 || n_s == 0) return NAN;
    const double paid =
        (double)a->work[EAD_LARGE].tokens * n_l + (double)a->work[EAD_SMALL].tokens * n_s;
    return paid / ((double)kept(a) * n_l);
}

/* What the large model alone would have taken: its own decode step for every token that cost one
 * (the first after a prompt comes out of the prompt's pass), and the prompts at the rate it read
 * its rows of them. Zero until both were measured. */
static double large_alone(const struct account *a, const ead_summary *s)
{
    const ead_work *large = &s->work[EAD_LARGE];
    if (large->step_seconds == 0 || (a->to_read && !large->prompt_rows)) return 0;
    double per_row = a->to_read ? large->prompt_seconds / (double)large->prompt_rows : 0;
    const int64_t rows = s->work[EAD_SMALL].decode_rows + large->decode_rows;
    const int64_t steps = rows > a->taken_back ? rows - a->taken_back : 0;
    return (double)steps * large->step_seconds + (double)a->to_read * per_row;
}

ead_summary account_summarise(const struct account *a, bool pair,
                              const uint64_t n_active[EAD_WRITERS])
{
    ead_summary s = {.tokens = a->tokens,
                     .switches = a->switches,
                     .taken_back = a->taken_back,
                     .judgements = a->judgements,
                     .judged = a->judged,
                     .kept = a->kept,
                     .refused = a->refused,
                     .bounded = a->bounded,
                     .open_decisions = a->open_decisions};
    bool measured = true;
    for (int w = 0; w < EAD_WRITERS; w++) {
        ead_work *work = &s.work[w];
        *work = a->work[w];
        book(work, &a->open[w]);
        if (work->decode_steps)
            work->step_seconds = work->decode_seconds / (double)work->decode_steps;
        s.seconds += work->prompt_seconds + work->decode_seconds + work->catchup_seconds;
        s.ideal_seconds += (double)work->decode_rows * work->step_seconds;
        measured &= !work->decode_rows || work->step_seconds > 0;
    }
    if (!measured) s.ideal_seconds = 0;
    s.parameter_cost = parameter_cost(a, pair, n_active);
    s.large_seconds = large_alone(a, &s);
    return s;
}
