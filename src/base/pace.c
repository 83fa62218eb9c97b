#include "base/pace.h"

/* A spell is long enough to see more than the noise of a pass, and short beside what a user waits
 * for. */
enum { SPELL_PASSES = 16 };
static const double spell_seconds = 2e-3;

/* Spells between trials, at first and at most: a spell in 128 costs the better way 1 % of what the
 * worse one loses. */
enum { GAP_FIRST = 2, GAP_MOST = 128 };

/* What is left of older spells with each new one. A dozen or so count, for under a scheduler one
 * spell runs undisturbed and the next is interrupted for several times its length; fewer where time
 * has passed between them. */
static const double fade = 15.0 / 16, fade_of_trials = 3.0 / 4;

/* A second core must earn its keep. */
static const double gain = 0.95;

bool pace_shared(const struct pace *pace)
{
    return pace->now_shared;
}

static double per_work(struct pace_way way)
{
    return way.seconds / way.work;
}

static bool shared_is_better(const struct pace *p)
{
    return p->shared.work > 0 && per_work(p->shared) < gain * per_work(p->alone);
}

static void end_trial(struct pace *p, bool better)
{
    const bool won = better == p->now_shared;
    p->trial = false;
    p->gap = won || !p->gap ? GAP_FIRST : p->gap < GAP_MOST ? 2 * p->gap : GAP_MOST;
    p->left = p->gap;
}

static void end_spell(struct pace *p)
{
    struct pace_way *way = p->now_shared ? &p->shared : &p->alone;
    const double left = p->trial ? fade_of_trials : fade;
    way->seconds = left * way->seconds + p->spell.seconds;
    way->work = left * way->work + p->spell.work;
    p->spell = (struct pace_way){0};
    p->passes = 0;
    const bool better = shared_is_better(p);
    if (p->trial) {
        end_trial(p, better);
    } else if (p->left-- == 0) {
        p->trial = true;
    }
    p->now_shared = p->trial ? !better : better;
}

void pace_note(struct pace *p, double work, double seconds)
{
    p->spell.seconds += seconds;
    p->spell.work += work;
    if (++p->passes == SPELL_PASSES || p->spell.seconds > spell_seconds) end_spell(p);
}
