/*
 * The form in which a conversation is put to a model: the options that commands share for it, and
 * the template that they choose.
 */
#ifndef EAD_CLI_FORM_H
#define EAD_CLI_FORM_H

#include "cli/args.h"
#include "ead.h"

#include <jansson.h>

/* Filled by args_parse; all zero by default. */
struct form_options {
    const char *template_name; /* of a built-in one, or of a file */
    struct arg_list variables; /* NAME=JSON */
    int thinking;              /* of form_thinking */
    const char *now;
    bool verbose;
};

enum { FORM_THINKING_AUTO };
extern const char *const form_thinking[];
extern const char form_template_help[], form_variable_help[], form_thinking_help[];

/* The rows of an option table that fill `form`. `clock` is what the time is without --now. */
/* clang-format off */
#define FORM_ARGS(form, template_option, clock)                                                    \
    {.kind = ARG_TEXT,                                                                             \
     .name = template_option,                                                                      \
     .value = "NAME",                                                                              \
     .out = &(form).template_name,                                                                 \
     .help = form_template_help},                                                                  \
    {.kind = ARG_LIST,                                                                             \
     .name = "template-arg",                                                                       \
     .value = "NAME=JSON",                                                                         \
     .out = &(form).variables,                                                                     \
     .help = form_variable_help},                                                                  \
    {.kind = ARG_CHOICE,                                                                           \
     .name = "thinking",                                                                           \
     .value = "WHEN",                                                                              \
     .out = &(form).thinking,                                                                      \
     .choices = form_thinking,                                                                     \
     .help = form_thinking_help},                                                                  \
    {.kind = ARG_TEXT,                                                                             \
     .name = "now",                                                                                \
     .value = "TIME",                                                                              \
     .out = &(form).now,                                                                           \
     .help = "the time for templates that ask, 2026-01-02 or 2026-01-02T03:04:05\n"                \
             "(default: " clock ")"}
#define FORM_VERBOSE_ARG(form)                                                                     \
    {.kind = ARG_FLAG,                                                                             \
     .name = "verbose-prompt",                                                                     \
     .out = &(form).verbose,                                                                       \
     .help = "show the prompt on standard error as the model gets it"}
/* clang-format on */

/* Ways round a model's own template, for form_open. */
#define FORM_WAYS(template_option)                                                                 \
    "--" template_option " takes another: a built-in one ('list' names them) or a file"

struct form {
    ead_template *chat;
    const char *ways; /* NULL: the template is not the model's own */
    char *variables;  /* JSON of those that were given, or NULL */
    const char *now;
    bool verbose;
};

/* Was anything said about how a conversation is put? */
bool form_given(const struct form_options *o);

/* "list" is no template, but asks for the names: prints them and returns true. */
bool form_lists(const struct form_options *o);

/* The template that the options choose, the model's own by default; `model` may be NULL where they
 * choose one. EXIT_OK, or EXIT_FAIL after saying why and, of the model's own, which `ways` there
 * are round it. */
int form_open(const struct form_options *o, const ead_model *model, const char *ways,
              struct form *out);
void form_close(struct form *f);

/* The variables that the options give, as an object; `chat` may be NULL where nobody here knows the
 * template. EXIT_FAIL after saying why. */
int form_variables(const struct form_options *o, const ead_template *chat, json_t **out);

/* Render, and show it with --verbose-prompt. Fills what is left of `conversation`. *text is to be
 * released with ead_free. */
int form_render(const struct form *f, ead_conversation *conversation, char **text, size_t *bytes,
                unsigned *flags);

/* Show a prompt on standard error. */
void form_show(const char *text, size_t bytes);

#endif
