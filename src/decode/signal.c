#include "decode/signal.h"

void signal_init(struct signal *s, int window)
{
    s->window = window;
    s->held = s->next = 0;
}

double signal_push(struct signal *s, float entropy)
{
    s->value[s->next] = entropy;
    s->next = (s->next + 1) % s->window;
    if (s->held < s->window) s->held++;
    double sum = 0;
    for (int i = 0, at = (s->next - s->held + s->window) % s->window; i < s->held; i++) {
        sum += (double)s->value[at];
        at = (at + 1) % s->window;
    }
    return sum / s->held;
}
