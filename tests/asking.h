/* What requests are checked against in tests: two tiny models, and templates that know tools or do
 * not. For a program of one file. */
#ifndef EAD_TESTS_ASKING_H
#define EAD_TESTS_ASKING_H

#include "server/ask.h"
#include "tiny.h"

#include <string.h>

enum { ASKING_CTX = 64, ASKING_CHOICES = 8 };

struct asking {
    ead_model *models[EAD_WRITERS];
    ead_template *plain, *tools;
    struct ask_context context; /* with the template that knows tools */
};

static const char asking_plain[] =
    "{% for m in messages %}{% if m.content == 'refuse' %}{{ raise_exception('no') }}{% endif %}"
    "{{ m.role[0] }}:{{ m.content }}\n{% endfor %}{{ mood }}";
static const char asking_tools[] =
    "{% for t in tools or [] %}[{{ t.function.name }}]{% endfor %}"
    "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}{% for c in m.tool_calls or [] %}"
    "({{ c.function.name }} {{ c.function.arguments.a }}){% endfor %}{{ '\n' }}{% endfor %}"
    "{% for d in documents or [] %}{{ d }}{% endfor %}";

static inline ead_template *asking_template(const char *source)
{
    const ead_template_options options = {.source = source, .bytes = strlen(source)};
    ead_template *t = NULL;
    tiny_must_hold(!ead_template_open(NULL, &options, &t, NULL), "a template");
    return t;
}

static inline void asking_open(struct asking *a)
{
    const ead_duo_options standard = ead_duo_defaults();
    for (int w = 0; w < EAD_WRITERS; w++) {
        struct tiny_spec spec = tiny_spec("llama", QT_F32);
        spec.n_ctx = ASKING_CTX;
        spec.seed = (uint64_t)w + 1;
        struct tiny *file = tiny_model(&spec);
        a->models[w] = tiny_open_public(file);
        tiny_free(file);
    }
    a->plain = asking_template(asking_plain);
    a->tools = asking_template(asking_tools);
    a->context = (struct ask_context){.models = {a->models[0], a->models[1]},
                                      .chat = a->tools,
                                      .policy = standard.policy,
                                      .sampler = standard.sampler,
                                      .n_ctx = ASKING_CTX,
                                      .n_vocab = ead_model_describe(a->models[0]).n_vocab,
                                      .max_choices = ASKING_CHOICES};
}

static inline void asking_close(struct asking *a)
{
    ead_template_close(a->plain);
    ead_template_close(a->tools);
    for (int w = 0; w < EAD_WRITERS; w++) ead_model_close(a->models[w]);
}

/* The one of a program, and its set-up and tear-down. */
static struct asking asking;

static inline int asking_set_up(void **state)
{
    (void)state;
    asking_open(&asking);
    return 0;
}

static inline int asking_tear_down(void **state)
{
    (void)state;
    asking_close(&asking);
    return 0;
}

#endif
