/*
 * Requests in tests: JSON in single quotes, what it is read as, and what it is refused for. Both
 * models of the context are one tiny model.
 */
#ifndef EAD_TESTS_ASKED_H
#define EAD_TESTS_ASKED_H

#include "server/ask.h"
#include "tiny.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_CONTEXT = 200, ASKED_CHOICES = 8 };

static struct ask_context context;

static inline ead_model *asked_model(void)
{
    const struct tiny_spec spec = tiny_spec("llama", QT_Q8_0);
    return tiny_open_public(tiny_model(&spec));
}

static inline ead_template *asked_template(const ead_model *model, const char *source)
{
    const ead_template_options options = {.source = source, .bytes = strlen(source)};
    ead_template *t;
    tiny_must_hold(!ead_template_open(model, &options, &t, NULL), "a template");
    return t;
}

static inline void asked_open(const char *template)
{
    const ead_duo_options options = ead_duo_defaults();
    ead_model *model = asked_model();
    context = (struct ask_context){.models = {model, model},
                                   .chat = asked_template(model, template),
                                   .policy = options.policy,
                                   .sampler = options.sampler,
                                   .n_ctx = ASKED_CONTEXT,
                                   .n_vocab = ead_model_describe(model).n_vocab,
                                   .max_choices = ASKED_CHOICES};
}

static inline void asked_close(void)
{
    ead_template_close((ead_template *)(uintptr_t)context.chat);
    ead_model_close((ead_model *)(uintptr_t)context.models[0]);
}

/* 'a' is "a"; to be freed. */
static inline char *asked_json(const char *text)
{
    char *json = tiny_must(strdup(text));
    for (char *c = json; *c; c++) *c = *c == '\'' ? '"' : *c;
    return json;
}

/* A request of these fields, with something to go on from where they do not have it. */
static inline char *asked_body(enum ask_kind kind, const char *fields)
{
    static const char *const given[] = {[ASK_CHAT] = "'messages':[{'role':'user','content':'a'}]",
                                        [ASK_COMPLETION] = "'prompt':'a'"};
    const bool has = strstr(fields, kind == ASK_CHAT ? "'messages'" : "'prompt'");
    const char *first = has ? "" : given[kind], *comma = has || !*fields ? "" : ",";
    char *text = NULL;
    tiny_must_hold(asprintf(&text, "{%s%s%s}", first, comma, fields) > 0, "a body");
    char *json = asked_json(text);
    free(text);
    return json;
}

static inline bool asked_try(enum ask_kind kind, const char *fields, struct ask *out,
                             struct refusal *why)
{
    char *body = asked_body(kind, fields);
    const bool ok = ask_parse(&context, kind, body, strlen(body), out, why);
    free(body);
    return ok;
}

static inline struct ask asked(enum ask_kind kind, const char *fields)
{
    struct ask a;
    struct refusal why = {0};
    if (!asked_try(kind, fields, &a, &why)) fail_msg("%s: %s", fields, why.message);
    return a;
}

/* The refusal names this parameter ("": none). */
static inline struct refusal asked_refused(enum ask_kind kind, const char *fields, int status,
                                           const char *param)
{
    struct ask a;
    struct refusal why = {0};
    if (asked_try(kind, fields, &a, &why)) fail_msg("%s was accepted", fields);
    if (why.status != status || strcmp(why.param, param) || !why.message[0])
        fail_msg("%s: %d %s: %s", fields, why.status, why.param, why.message);
    return why;
}

#endif
