/* Drafts of the small model that the large one judged, as a run tells them: what tables of risks
 * are counted over. The texts of a run come in any company; sorted, they are the same in all. */
#ifndef EAD_EVAL_DRAFT_H
#define EAD_EVAL_DRAFT_H

#include "ead.h"

#include <stdbool.h>
#include <stddef.h>

struct draft {
    float entropy; /* bits, of the small model; */
    int32_t id;
    float p, max_p; /* the large one's of it, and of its best */
    bool first;     /* of those judged together */
    size_t text;
    size_t order; /* among all of the run */
};

struct drafts {
    struct draft *list; /* [n] */
    size_t n, room;
    bool *open; /* [n_texts]: what comes next of that text goes with its last draft */
    size_t n_texts;
};

/* A token of a text as it was told, lost ones among them: taken if it is a draft that was judged.
 * False without memory. */
bool drafts_add(struct drafts *d, size_t text, const ead_token *token);
/* By text. */
void drafts_sort(struct drafts *d);
void drafts_free(struct drafts *d);

ead_status drafts_write(const char *path, const struct drafts *d, ead_error *error);
/* EAD_IO when there is no such file; of one of another version, none. */
ead_status drafts_read(const char *path, struct drafts *out, ead_error *error);

#endif
