/*
 * A request for text, read from its JSON and checked against what is served: nothing later refuses
 * it for what it says. null is absent; what is unknown is ignored; what is known and not done here
 * is refused by name, unless it asks for nothing.
 *
 * Reading takes no lock and has no state of its own: workers do it side by side.
 */
#ifndef EAD_SERVER_ASK_H
#define EAD_SERVER_ASK_H

#include "ead.h"
#include "server/refusal.h"

enum {
    ASK_STOPS_MAX = 16,       /* stop strings, */
    ASK_STOP_BYTES_MAX = 256, /* of so many bytes each */
    ASK_STOP_IDS_MAX = 64,
    ASK_LOGPROBS_MAX = 20, /* alternatives of a token */
    ASK_GIVEN_MAX = 255,   /* tokens of a prompt that are told of */
    ASK_BIASES_MAX = 1024,
    /* Entries of an answer (ask_entries): one takes about 1 KiB while it is put together. Of a
     * stream only the prompt's are put together at once, by the thread that steps all texts. */
    ASK_ENTRIES_MAX = 1 << 19,
    ASK_ECHO_ENTRIES_MAX = 1 << 15
};

enum ask_kind { ASK_CHAT, ASK_COMPLETION };
enum ask_target { ASK_PAIR, ASK_LARGE, ASK_SMALL };
extern const char *const ask_targets[]; /* "ead", "large", "small": what clients call them */

/* What a request is checked against; constant while serving. Everything is borrowed. */
struct ask_context {
    const ead_model *models[EAD_WRITERS]; /* one may be NULL */
    const ead_template *chat;             /* NULL: there is none */
    const char *variables;                /* of templates, a JSON object, or NULL */
    const char *now;                      /* NULL: the clock */
    ead_policy_options policy;            /* defaults */
    ead_sampler_options sampler;
    int n_ctx, n_vocab;
    int max_choices; /* prompts times n of a request */
    bool unscored;   /* nobody knows log-probabilities of given tokens */
};

struct ask_prompt {
    int32_t *ids; /* owned */
    size_t n;
    char *text; /* with echo, of a prompt that was given as text: owned; else NULL */
    size_t bytes;
};

struct ask_stop {
    char *text; /* owned */
    size_t bytes;
};

struct ask {
    enum ask_kind kind;
    enum ask_target target;
    struct ask_prompt *prompts;  /* [n_prompts] owned */
    int n_prompts, n;            /* n choices of each; a choice's index is prompt * n + choice */
    int max_tokens;              /* -1: as many as the context has room for */
    ead_sampler_options sampler; /* of the first choice; ask_seed has the others' seeds */
    ead_bias *bias;              /* owned; the sampler points at it */
    ead_policy_options policy;   /* of one model where that is the target */
    struct ask_stop stops[ASK_STOPS_MAX];
    int n_stops;
    int32_t stop_ids[ASK_STOP_IDS_MAX];
    int n_stop_ids;
    int logprobs;       /* alternatives of each token; -1: no log-probabilities */
    int given;          /* of each prompt's last tokens so many are told of, before the answer's */
    bool tokens_as_ids; /* tokens are called "token_id:N" where their text would stand (vLLM's) */
    bool echo, stream, include_usage, trace;
};

/* The request in a body of n bytes; false after saying in *r why not. */
bool ask_parse(const struct ask_context *c, enum ask_kind kind, const char *body, size_t n,
               struct ask *out, struct refusal *r);
void ask_free(struct ask *a);
/* Entries of an answer that tell of one token: its log-probability and those of its alternatives; a
 * trace's story is as long as two. 0: there is text alone. */
int ask_entries(const struct ask *a);
/* The seed of a choice: the request's own for the first. */
uint64_t ask_seed(const struct ask *a, int choice);

#endif
