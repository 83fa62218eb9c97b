/*
 * How a problem is put to a model, as token ids. A question is a text with {problem} in it; without
 * one the model's chat template asks, for an answer that the grader finds. A model without a
 * template gets plain text.
 */
#ifndef EAD_EVAL_PROMPT_H
#define EAD_EVAL_PROMPT_H

#include "ead.h"
#include "eval/dataset.h"

struct prompt_style {
    const ead_model *model;
    const char *question;     /* NULL: by the chat template */
    const ead_template *chat; /* NULL: there is none */
    const char *variables;    /* of the template, as in ead_conversation */
    const char *now;          /* as there, but NULL: PROMPT_NOW */
    const char *system;       /* NULL: none */
    enum dataset_format format;
};

/* A run that goes on tomorrow must put its problems as today, so the clock stands still. */
#define PROMPT_NOW "2024-07-26"

/* EAD_ARGUMENT when `question` has no {problem}. */
ead_status prompt_check(const struct prompt_style *style, ead_error *error);
/* *ids is to be released with ead_free. */
ead_status prompt_make(const struct prompt_style *style, const char *problem, int32_t **ids,
                       size_t *n, ead_error *error);
/* The text of one problem, to be freed. */
ead_status prompt_text(const struct prompt_style *style, const char *problem, char **out,
                       ead_error *error);
/* The text with {problem} where the problem stands, to be freed: what a run is recognised by. */
ead_status prompt_shape(const struct prompt_style *style, char **out, ead_error *error);
/* Does an answer begin a text of its own, or does it continue one? Flags for ead_detok_open. */
unsigned prompt_answer_flags(const struct prompt_style *style);

#endif
