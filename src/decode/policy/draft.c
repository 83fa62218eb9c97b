#include "decode/policy/draft.h"

static int length_of(const struct policy *p, const ead_signals *s, int usual)
{
    const int wanted = p->options.draft > 0 ? p->options.draft : usual;
    return wanted < s->draft_max ? wanted : s->draft_max;
}

ead_decision draft_decide(const struct policy *p, const ead_signals *s, int usual)
{
    const int n = s->drafts;
    if (!n) return policy_writer(EAD_SMALL);
    if (s->end || n >= length_of(p, s, usual))
        return (ead_decision){.writer = EAD_LARGE, .judge = n, .open = n};
    return (ead_decision){.writer = EAD_SMALL, .open = n};
}

int draft_sure(const struct policy *p, const ead_signals *s, ead_writer next)
{
    (void)p, (void)s, (void)next;
    return 1;
}
