#include "base/pace.h"

/* A spell is long enough to see more than the noise of a pass, and short beside what a user waits
 * for. */
enum { SPELL_PASSES = 16 };
static const double spell_seconds = 2e-3;

/* Spells between trials: as many as keep what trials lose at a hundredth of the time. */
enum { GAP_LEAST = 4, GAP_MOST = 128 };
static const double trials_may_lose = 0.01;

/* What is left of older spells with each new one. A dozen or so count, for under a scheduler one
 * spell runs undisturbed and the next is interrupted for several times its length; fewer where time
 * has passed between them. A way that is given up is remembered as a spell or two. */
static const double fade = 15.0 / 16, fade_of_trials = 1.0 / 2, fade_of_given_up = 1.0 / 8;

/* A second core must earn its keep. */
static const double gain = 0.95;

bool pace_shared(const struct pace *p)
{
    return p->shared_is_chosen != p->trial;
}

static double per_work(const struct pace_way *way)
{
    return way->seconds / way->work;
}

static bool shared_is_better(const struct pace *p)
{
    return p->shared.work > 0 && per_work(&p->shared) < gain * per_work(&p->alone);
}

static void fade_to(struct pace_way *way, double left)
{
    way->seconds *= left;
    way->work *= left;
}

static void end_trial(struct pace *p)
{
    const double alone = per_work(&p->alone), shared = per_work(&p->shared);
    const double loss = (p->shared_is_chosen ? alone / shared : shared / alone) - 1;
    const double gap = loss / trials_may_lose;
    p->trial = false;
    p->left = gap < GAP_LEAST ? GAP_LEAST : gap > GAP_MOST ? GAP_MOST : (int)gap;
}

static void choose(struct pace *p, bool shared)
{
    fade_to(p->shared_is_chosen ? &p->shared : &p->alone, fade_of_given_up);
    p->shared_is_chosen = shared;
    end_trial(p);
}

static void end_spell(struct pace *p)
{
    struct pace_way *way = pace_shared(p) ? &p->shared : &p->alone;
    fade_to(way, p->trial ? fade_of_trials : fade);
    way->seconds += p->spell.seconds;
    way->work += p->spell.work;
    p->spell = (struct pace_way){0};
    p->passes = 0;
    const bool better = shared_is_better(p);
    if (better != p->shared_is_chosen)
        choose(p, better);
    else if (p->trial)
        end_trial(p);
    else if (p->left-- == 0)
        p->trial = true;
}

void pace_note(struct pace *p, double work, double seconds)
{
    p->spell.seconds += seconds;
    p->spell.work += work;
    if (++p->passes == SPELL_PASSES || p->spell.seconds > spell_seconds) end_spell(p);
}
