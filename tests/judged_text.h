/* A pair of judging.h, and a prompt of its vocabulary: what tests of single texts begin with. */
#ifndef TESTS_JUDGED_TEXT_H
#define TESTS_JUDGED_TEXT_H

#include "judging.h"

enum { N_CTX = 170, PROMPT = 9 };

static struct judging_pair pair;
static int32_t prompt[N_CTX];

static int open_pair(void **state)
{
    (void)state;
    judging_open(&pair, N_CTX, 0.3f);
    tiny_text(&pair.spec, 3, prompt, N_CTX);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    judging_close(&pair);
    return 0;
}

static void check(ead_status st, const ead_error *error)
{
    if (st) fail_msg("%s", error->message);
}

#endif
