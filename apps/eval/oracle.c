#include "eval/oracle.h"

#include "eval/fault.h"
#include "eval/jsonl.h"

#include <stdlib.h>

void oracle_forget(struct oracle *oracle)
{
    free(oracle->ids);
    *oracle = (struct oracle){NULL, 0};
}

ead_status oracle_learn(struct oracle *oracle, const char *path, const json_t *result,
                        ead_error *error)
{
    const json_t *ids = json_object_get(result, "ids");
    const size_t n = json_array_size(ids);
    bool good = n; /* even an empty answer has its end */
    oracle_forget(oracle);
    oracle->ids = malloc((n + 1) * sizeof *oracle->ids);
    if (!oracle->ids) return fault_memory(error, "a text");
    oracle->n = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(ids, i);
        oracle->ids[i] = (int32_t)json_integer_value(id);
        good &= json_is_integer(id);
    }
    if (good) return EAD_OK;
    const struct jsonl_field at = {.path = path, .object = result};
    return jsonl_unfit(&at, "ids", "the token ids of the large model's text", error);
}

ead_decision oracle_decide(void *context, const ead_signals *s)
{
    const struct oracle *oracle = context;
    const size_t last = (size_t)s->index - 1;
    const bool small = s->index && s->writer == EAD_SMALL;
    if (!small || last >= oracle->n || s->id == oracle->ids[last])
        return (ead_decision){.writer = EAD_SMALL};
    return (ead_decision){.writer = EAD_LARGE, .take_back = 1, .open = 1};
}
