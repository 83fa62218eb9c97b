#include "decode/text.h"

#include "base/check.h"

#include <string.h>

void text_carve(struct text *t, int room, struct arena *arena)
{
    t->room = room;
    t->ids = arena_carve(arena, (size_t)room, sizeof *t->ids);
    t->marks = arena_carve(arena, (size_t)room, sizeof *t->marks);
}

void text_give(struct text *t, const int32_t *ids, size_t n)
{
    CHECK(n <= (size_t)(t->room - t->n));
    for (size_t i = 0; i < n; i++) {
        t->ids[t->n] = ids[i];
        t->marks[t->n++] = (struct mark){.author = TEXT_GIVEN, .index = -1};
    }
}

void text_write(struct text *t, int32_t id, const struct mark *mark)
{
    CHECK(t->n < t->room);
    const struct mark *last = t->n ? &t->marks[t->n - 1] : NULL;
    struct mark *new = &t->marks[t->n];
    *new = *mark;
    new->index = last ? last->index + 1 : 0;
    new->turn = last && last->author == mark->author ? last->turn + 1 : 1;
    new->draft = mark->author == EAD_SMALL ? text_drafts(t) + 1 : 0;
    t->ids[t->n++] = id;
}

/* A text that ends before the judgement of its last tokens has drafts again, as it had. */
static void unkeep(struct text *t)
{
    const int n = t->n && t->marks[t->n - 1].author == EAD_SMALL ? t->marks[t->n - 1].draft : 0;
    for (int i = t->n - n; i < t->n; i++)
        if (t->marks[i].judged > t->n) {
            t->marks[i].judged = 0;
            t->marks[i].heard = false;
        }
}

void text_cut(struct text *t, int length)
{
    CHECK(length >= 0 && length <= t->n);
    t->n = length;
    unkeep(t);
}

void text_copy(struct text *t, const struct text *from, int length)
{
    CHECK(length >= 0 && length <= from->n && length <= t->room);
    memmove(t->ids, from->ids, (size_t)length * sizeof *t->ids);
    memmove(t->marks, from->marks, (size_t)length * sizeof *t->marks);
    t->n = length;
    unkeep(t);
}

int text_written(const struct text *t)
{
    return t->n ? t->marks[t->n - 1].index + 1 : 0;
}

int text_drafts(const struct text *t)
{
    const struct mark *last = t->n ? &t->marks[t->n - 1] : NULL;
    return last && last->author == EAD_SMALL && !last->judged ? last->draft : 0;
}

void text_keep(struct text *t, int n, int length)
{
    CHECK(n <= text_drafts(t));
    for (int i = t->n - n; i < t->n; i++) t->marks[i].judged = length;
}

void text_settle(struct text *t)
{
    for (int n = text_drafts(t), i = t->n - n; i < t->n; i++) t->marks[i].judged = i + 1;
}

void text_forget(struct text *t)
{
    for (int i = 0; i < t->n; i++) memset(t->marks[i].memory, 0, sizeof t->marks[i].memory);
}

/* Tokens of the window that ends at `at`. */
static int in_window(const struct text *t, int at, int window, bool turn)
{
    const struct mark *last = &t->marks[at];
    const int there = turn ? last->turn : last->index + 1, n = there < window ? there : window;
    CHECK(n > 0 && n <= at + 1); /* the token was written, and so were those before it */
    return n;
}

struct text_bounds text_rolling_bounds(const struct text *t, int at, int window, bool turn)
{
    const int n = in_window(t, at, window, turn);
    struct text_bounds sum = {0, 0};
    for (int i = at + 1 - n; i <= at; i++) {
        sum.lo += (double)t->marks[i].stats.entropy_lo;
        sum.hi += (double)t->marks[i].stats.entropy_hi;
    }
    return (struct text_bounds){sum.lo / n, sum.hi / n};
}

double text_rolling(const struct text *t, int at, int window, bool turn)
{
    const int n = in_window(t, at, window, turn);
    double sum = 0;
    for (int i = at + 1 - n; i <= at; i++) sum += (double)t->marks[i].stats.entropy;
    return sum / n;
}
