/*
 * Bodies of requests under any bytes: the first says whom they go to. What is refused is refused in
 * OpenAI's shape; what is read is within its limits, and a text takes it.
 */
#include "server/ask.h"
#include "server/vocabulary.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONTEXT = 256, CHOICES = 4 };

static const char template[] =
    "{% for t in tools or [] %}{{ t.function.name }}{{ t|tojson }}{% endfor %}"
    "{% for d in documents or [] %}{{ d }}{% endfor %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% for c in m.tool_calls or [] %}"
    "{{ c.function.name }}{{ c.function.arguments }}{% endfor %}{% endfor %}"
    "{{ mood }}{{ '>' if add_generation_prompt }}";

struct place {
    struct ask_context context;
    ead_duo *duo;
};

static void require(bool condition)
{
    if (!condition) abort();
}

/* The shipped pair, opened once: no input changes it. */
static const struct place *place(void)
{
    static struct place p;
    static ead_template *chat;
    const ead_template_options source = {.source = template, .bytes = sizeof template - 1};
    ead_model *large, *small;
    if (p.duo) return &p;
    ead_duo_options options = ead_duo_defaults();
    options.n_ctx = CONTEXT;
    options.threads = 1;
    require(!ead_model_open(SOURCE_DIR "/models/large.gguf", NULL, &large, NULL));
    require(!ead_model_open(SOURCE_DIR "/models/small.gguf", NULL, &small, NULL));
    require(!ead_template_open(large, &source, &chat, NULL));
    require(!ead_duo_open(large, small, &options, &p.duo, NULL));
    p.context = (struct ask_context){.models = {small, large},
                                     .chat = chat,
                                     .now = "2026-01-02",
                                     .policy = options.policy,
                                     .sampler = options.sampler,
                                     .n_ctx = CONTEXT,
                                     .n_vocab = ead_model_describe(small).n_vocab,
                                     .max_choices = CHOICES};
    return &p;
}

static void check_refusal(const struct refusal *r)
{
    require(r->status == 400 || r->status == 404 || r->status == 413);
    require(r->message[0]);
    json_t *answer = refusal_json(r);
    require(answer != NULL);
    json_decref(answer);
}

static void check_prompt(const struct ask *a, const struct ask_prompt *p)
{
    require(p->ids && p->n <= CONTEXT && (a->kind == ASK_CHAT || p->n > 0));
    for (size_t i = 0; i < p->n; i++)
        require(p->ids[i] >= 0 && p->ids[i] < place()->context.n_vocab);
    require(!p->text || (a->echo && p->bytes));
}

static void check_ask(const struct ask *a)
{
    require(a->n_prompts >= 1 && a->n >= 1 && a->n * a->n_prompts <= CHOICES);
    for (int i = 0; i < a->n_prompts; i++) check_prompt(a, &a->prompts[i]);
    for (int i = 0; i < a->n_stops; i++)
        require(a->stops[i].bytes >= 1 && a->stops[i].bytes <= ASK_STOP_BYTES_MAX);
    require(a->n_stops <= ASK_STOPS_MAX && a->n_stop_ids <= ASK_STOP_IDS_MAX);
    require(a->logprobs >= -1 && a->logprobs <= ASK_LOGPROBS_MAX);
    require(a->max_tokens >= -1 && (a->max_tokens || a->kind == ASK_COMPLETION));
    require(!a->include_usage || a->stream);
    require(!ead_duo_set_sampler(place()->duo, &a->sampler, NULL));
    require(!ead_duo_set_policy(place()->duo, &a->policy, NULL));
}

static void ask_for_text(enum ask_kind kind, const char *body, size_t n)
{
    struct ask a;
    struct refusal r = {0};
    if (ask_parse(&place()->context, kind, body, n, &a, &r)) {
        check_ask(&a);
        /* Nothing borrowed outlives the request. */
        require(!ead_duo_set_sampler(place()->duo, &place()->context.sampler, NULL));
        ask_free(&a);
    } else {
        check_refusal(&r);
    }
}

/* What is answered can be written: a client reads it. */
static void check_answer(json_t *answer, const struct refusal *r)
{
    if (!answer) {
        check_refusal(r);
        return;
    }
    char *text = json_dumps(answer, JSON_COMPACT);
    require(text != NULL);
    free(text);
    json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct refusal r = {0};
    if (!size) return 0;
    const char *body = (const char *)data + 1;
    switch (data[0] % 4) {
    case 0: ask_for_text(ASK_CHAT, body, size - 1); break;
    case 1: ask_for_text(ASK_COMPLETION, body, size - 1); break;
    case 2: check_answer(vocabulary_tokenize(&place()->context, body, size - 1, &r), &r); break;
    case 3: check_answer(vocabulary_detokenize(&place()->context, body, size - 1, &r), &r); break;
    }
    return 0;
}
