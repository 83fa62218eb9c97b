/*
 * FLy (vllm-project/vllm): drafts are kept as exact speculation keeps them, but its refusal of the
 * draft at i is overruled where the large model doubts and what follows agrees, with W =
 * fly_window:
 *
 *     i + W < n,   p(x) > 0,   - sum p ln p over its 3 largest >= fly_entropy,
 *     and exact speculation would keep each of the next W drafts.
 *
 * W is less than a full draft is long. Where tokens are drawn, max(0, p - q) is drawn from instead
 * of a draft that stays refused.
 */
#include "decode/policy/draft.h"

/* W; 0: a draft is too short to look ahead. */
static int window_of(const ead_policy_options *o)
{
    const int full = o->draft > 0 ? o->draft : o->draft ? EAD_DRAFT_MAX : DRAFT_USUAL;
    return o->fly_window < full ? o->fly_window : full - 1;
}

static bool is_overruled(const struct policy *p, const ead_opinion *o, int n)
{
    const int window = window_of(&p->options);
    if (!window || window >= n || !(o->p > 0) ||
        !((double)o->top_entropy >= p->options.fly_entropy))
        return false;
    int agree = 0;
    while (agree < window && o[1 + agree].native) agree++;
    return agree == window;
}

static int judge(const struct policy *p, const ead_signals *s, const ead_opinion *o, int n)
{
    int kept = 0;
    (void)s;
    while (kept < n && (o[kept].native || is_overruled(p, &o[kept], n - kept))) kept++;
    return kept;
}

static unsigned asks(const struct policy *p)
{
    return POLICY_TOP_LARGE | policy_asks_drawn(p);
}

const struct policy_rule policy_fly = {
    .info = {.name = "fly",
             .help = "a refusal is overruled where what follows agrees",
             .needs = {true, true},
             .judges = true},
    .decide = draft_decide_usual,
    .sure = draft_sure,
    .asks = asks,
    .judge = judge,
    .weigh = policy_weigh_rest,
    .apart = true,
};
