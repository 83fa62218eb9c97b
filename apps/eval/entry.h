/* The journal's lines of one answer. */
#ifndef EAD_EVAL_ENTRY_H
#define EAD_EVAL_ENTRY_H

#include "eval/dataset.h"
#include "eval/journal.h"
#include "eval/load.h"
#include "eval/setting.h"
#include "eval/transcript.h"

#include <jansson.h>

struct entry {
    const struct settings *settings;
    size_t setting; /* of the list */
    const struct dataset *data;
    int problem;                         /* index in the data */
    const struct transcript *transcript; /* ended; NULL: the prompt did not fit, no answer */
    ead_summary summary;
    int parallel, threads;
    struct load load; /* while it was written */
};

/* lines[] are to be released; traces only when the transcript has them, times only when there is an
 * answer. Grades the answer. */
ead_status entry_make(const struct entry *entry, json_t *lines[JOURNAL_FILES], ead_error *error);

#endif
