#include "server/work.h"

void work_add(ead_work *to, const ead_work *from)
{
    to->tokens += from->tokens;
    to->prompt_rows += from->prompt_rows;
    to->decode_rows += from->decode_rows;
    to->catchup_rows += from->catchup_rows;
    to->prompt_seconds += from->prompt_seconds;
    to->decode_seconds += from->decode_seconds;
    to->catchup_seconds += from->catchup_seconds;
}

double work_seconds(const ead_work *w)
{
    return w->prompt_seconds + w->decode_seconds + w->catchup_seconds;
}

int64_t work_rows(const ead_work *w)
{
    return w->prompt_rows + w->decode_rows + w->catchup_rows;
}
