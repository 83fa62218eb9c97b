#include "decode/budget.h"

/* Passes below this hold up nobody. */
static const double unnoticed = 0.002;

void budget_init(struct budget *b, int fixed)
{
    *b = (struct budget){.fixed = fixed > 0};
    for (int w = 0; w < EAD_WRITERS; w++) b->rows[w] = fixed > 0 ? fixed : BUDGET_FIRST;
}

int budget_rows(const struct budget *b, ead_writer w)
{
    return (int)b->rows[w];
}

/* It shrinks at once and grows slowly, so that it rests a little below the stretch. */
void budget_learn(struct budget *b, ead_writer w, int rows, double seconds)
{
    double *usual = &b->usual[w];
    if (b->fixed) return;
    if (!rows) {
        *usual = *usual > 0 ? *usual * 0.8 + seconds * 0.2 : seconds;
        return;
    }
    const double stretch = *usual > 0 ? seconds / *usual : BUDGET_STRETCH;
    const double shrunk = b->rows[w] * 0.85, grown = b->rows[w] + 0.5;
    if (seconds > unnoticed && stretch > BUDGET_STRETCH)
        b->rows[w] = shrunk > BUDGET_LEAST ? shrunk : BUDGET_LEAST;
    else if (rows >= (int)b->rows[w] && (seconds <= unnoticed || stretch < BUDGET_STRETCH - 0.5))
        b->rows[w] = grown < BUDGET_MOST ? grown : BUDGET_MOST;
}
