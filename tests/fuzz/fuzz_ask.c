/*
 * A server's requests under any bytes: as a chat, a completion, and as what is to be tokenized or
 * detokenized, over a tiny pair and a template that knows tools. What is refused says why, in JSON
 * that a client can read; what is taken keeps its promises, and is read again the same.
 */
#include "../asking.h"
#include "server/vocabulary.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

/* The same for every input. */
static struct asking asking;
static ead_duo *duo;

static void open_once(void)
{
    ead_duo_options options = ead_duo_defaults();
    if (duo) return;
    asking_open(&asking);
    options.threads = 1;
    options.n_ctx = ASKING_CTX;
    require(
        !ead_duo_open(asking.models[EAD_LARGE], asking.models[EAD_SMALL], &options, &duo, NULL));
}

static void check_refusal(const struct refusal *r)
{
    require(r->status == 400 || r->status == 404 || r->status == 503);
    require(r->message[0] != 0);
    json_t *json = refusal_json(r);
    char *text = json_dumps(json, 0);
    require(text != NULL);
    free(text);
    json_decref(json);
}

/* ---- requests for text --------------------------------------------------------------------- */

static void check_prompts(const struct ask *a)
{
    require(a->n_prompts >= 1 && a->n >= 1 && a->n * a->n_prompts <= ASKING_CHOICES);
    for (int i = 0; i < a->n_prompts; i++) {
        const struct ask_prompt *p = &a->prompts[i];
        require(p->ids && p->n <= ASKING_CTX && (!p->text || a->echo));
        for (size_t k = 0; k < p->n; k++)
            require(p->ids[k] >= 0 && p->ids[k] < asking.context.n_vocab);
    }
}

static void check_ask(const struct ask *a)
{
    require(a->max_tokens >= -1 && (a->max_tokens || a->kind == ASK_COMPLETION));
    require(a->logprobs >= -1 && a->logprobs <= ASK_LOGPROBS_MAX);
    require(a->n_stops >= 0 && a->n_stops <= ASK_STOPS_MAX);
    for (int i = 0; i < a->n_stops; i++)
        require(a->stops[i].bytes > 0 && a->stops[i].bytes <= ASK_STOP_BYTES_MAX);
    for (int i = 0; i < a->n_stop_ids; i++)
        require(a->stop_ids[i] >= 0 && a->stop_ids[i] < asking.context.n_vocab);
    for (int i = 0; i < a->sampler.n_bias; i++) {
        require(a->bias[i].id >= 0 && a->bias[i].id < asking.context.n_vocab);
        for (int k = 0; k < i; k++) require(a->bias[k].id != a->bias[i].id);
    }
    check_prompts(a);
}

/* Nothing later refuses it for what it says. */
static void check_duo(const struct ask *a)
{
    ead_error error;
    require(!ead_duo_set_policy(duo, &a->policy, &error));
    require(!ead_duo_set_sampler(duo, &a->sampler, &error));
}

static void parse(enum ask_kind kind, const char *body, size_t n)
{
    struct ask a, again;
    struct refusal r = {0}, second = {0};
    const bool taken = ask_parse(&asking.context, kind, body, n, &a, &r);
    require(ask_parse(&asking.context, kind, body, n, &again, &second) == taken);
    if (!taken) {
        check_refusal(&r);
        require(!strcmp(r.message, second.message));
        return;
    }
    check_ask(&a);
    check_duo(&a);
    require(a.n_prompts == again.n_prompts && a.prompts[0].n == again.prompts[0].n);
    ask_free(&a);
    ask_free(&again);
}

/* ---- the vocabulary ------------------------------------------------------------------------ */

static void check_answer(json_t *answer, const struct refusal *r)
{
    if (!answer) {
        check_refusal(r);
        return;
    }
    char *text = json_dumps(answer, 0);
    require(text != NULL);
    free(text);
    json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *body = (const char *)data;
    struct refusal r = {0};
    open_once();
    parse(ASK_CHAT, body, size);
    parse(ASK_COMPLETION, body, size);
    check_answer(vocabulary_tokenize(&asking.context, body, size, &r), &r);
    check_answer(vocabulary_detokenize(&asking.context, body, size, &r), &r);
    if (size % 64 == 0) check_answer(vocabulary_info(&asking.context, &r), &r);
    return 0;
}
