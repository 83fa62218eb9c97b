#include "engine/candidate.h"

int candidate_compare(const struct candidate *x, const struct candidate *y)
{
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate was = *a;
    *a = *b;
    *b = was;
}

/* Sift the root of a heap down to its place. */
static void sift(struct candidate *heap, int n, int at)
{
    for (int child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && candidate_compare(&heap[child + 1], &heap[child]) > 0) child++;
        if (candidate_compare(&heap[child], &heap[at]) <= 0) return;
        swap(&heap[at], &heap[child]);
    }
}

void candidates_heapify(struct candidate *heap, int n)
{
    for (int i = n / 2; i-- > 0;) sift(heap, n, i);
}

void candidates_offer(struct candidate *heap, int n, struct candidate c)
{
    if (candidate_compare(&c, &heap[0]) >= 0) return;
    heap[0] = c;
    sift(heap, n, 0);
}

void candidates_sort(struct candidate *c, int n)
{
    candidates_heapify(c, n);
    for (int end = n - 1; end > 0; end--) {
        swap(&c[0], &c[end]);
        sift(c, end, 0);
    }
}
