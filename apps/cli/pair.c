#include "cli/pair.h"

#include "cli/cli.h"
#include "cli/trace.h"

#include <stdlib.h>

enum { CTX_DEFAULT_MAX = 8192 };

const char *const pair_cpus[] = {"auto", "ref", "avx2", "avx512", NULL};
const char *const pair_policies[] = {"ead", "large", "small", "random", "replay", NULL};
const char *const pair_writers[] = {"small", "large", NULL};

struct pair_options pair_options = {.tau = 1,
                                    .window = 5,
                                    .dwell = 10,
                                    .share = 0.25,
                                    .top_p = 1,
                                    .repeat_penalty = 1,
                                    .repeat_last = 64};

int pair_check(const struct args *usage)
{
    struct pair_options *o = &pair_options;
    if (!o->large && !o->small)
        return args_fault(usage, "expected --large FILE and --small FILE, or one of them");
    if (o->replay && !o->policy_given) o->policy = EAD_POLICY_REPLAY;
    if (o->policy == EAD_POLICY_REPLAY && !o->replay)
        return args_fault(usage, "--policy replay needs --replay FILE");
    if (o->replay && o->policy != EAD_POLICY_REPLAY)
        return args_fault(usage, "--replay goes with --policy replay, found --policy %s",
                          pair_policies[o->policy]);
    const bool both = o->policy == EAD_POLICY_RANDOM || o->policy == EAD_POLICY_REPLAY;
    const bool lacks_large = !o->large && (both || o->policy == EAD_POLICY_LARGE);
    const bool lacks_small = !o->small && (both || o->policy == EAD_POLICY_SMALL);
    if (lacks_large || lacks_small)
        return args_fault(usage, "--policy %s needs --%s FILE", pair_policies[o->policy],
                          lacks_large ? "large" : "small");
    return 0;
}

ead_policy_options pair_policy(const struct pair *p)
{
    const struct pair_options *o = &pair_options;
    ead_policy_options policy = ead_duo_defaults().policy;
    policy.kind = (ead_policy_kind)o->policy;
    policy.tau = o->tau;
    policy.window = o->window;
    policy.dwell = o->dwell;
    policy.start = (ead_writer)o->start;
    policy.clear_window = o->clear_window;
    policy.share = (float)o->share;
    policy.seed = o->seed;
    policy.replay = p->replay;
    policy.n_replay = p->n_replay;
    return policy;
}

static ead_duo_options duo_options(const struct pair *p)
{
    const struct pair_options *o = &pair_options;
    ead_duo_options duo = ead_duo_defaults();
    duo.policy = pair_policy(p);
    duo.sampler.temperature = (float)o->temp;
    duo.sampler.top_k = o->top_k;
    duo.sampler.top_p = (float)o->top_p;
    duo.sampler.min_p = (float)o->min_p;
    duo.sampler.repeat_penalty = (float)o->repeat_penalty;
    duo.sampler.repeat_last = o->repeat_last;
    duo.sampler.seed = o->seed;
    duo.cpu = o->cpu ? pair_cpus[o->cpu] : NULL;
    duo.threads = o->threads;
    duo.n_ctx = o->ctx;
    duo.eager_prompt = o->eager_prompt;
    duo.ignore_end = o->ignore_end;
    return duo;
}

/* What both models were trained on, within reason: a cache of 128k positions is nobody's default.
 */
static int default_ctx(const struct pair *p)
{
    int ctx = CTX_DEFAULT_MAX;
    const ead_model *const models[] = {p->large, p->small};
    for (int i = 0; i < 2; i++) {
        if (!models[i]) continue;
        int trained = ead_model_describe(models[i]).n_ctx_train;
        ctx = trained < ctx ? trained : ctx;
    }
    return ctx;
}

int pair_open(struct pair *p)
{
    ead_error error;
    *p = (struct pair){.large_path = pair_options.large, .small_path = pair_options.small};
    if (pair_options.replay && trace_read(pair_options.replay, &p->replay, &p->n_replay))
        return EXIT_FAIL;
    if (p->large_path && ead_model_open(p->large_path, 0, &p->large, &error))
        return fail_error(&error);
    if (p->small_path && ead_model_open(p->small_path, 0, &p->small, &error))
        return fail_error(&error);
    if (p->large && p->small && ead_model_compare(p->large, p->small, &error))
        return fail("%s and %s: %s", p->large_path, p->small_path, error.message);
    ead_duo_options options = duo_options(p);
    if (!options.n_ctx) options.n_ctx = default_ctx(p);
    if (ead_duo_open(p->large, p->small, &options, &p->duo, &error)) return fail_error(&error);
    return EXIT_OK;
}

void pair_close(struct pair *p)
{
    ead_duo_close(p->duo);
    ead_model_close(p->small);
    ead_model_close(p->large);
    free(p->replay);
    *p = (struct pair){0};
}

const ead_model *pair_speaker(const struct pair *p)
{
    return p->large ? p->large : p->small;
}
