/*
 * ead: entropy-adaptive decoding. Two language models write one text: the small one writes, and
 * when the rolling entropy of its next-token distribution says that it is unsure, the large one
 * takes over and hands back when the way is clear (Simonds 2025, arXiv 2502.06833).
 *
 *     ead_error error;
 *     ead_model *large, *small;
 *     ead_duo *duo;
 *     if (ead_model_open("large.gguf", NULL, &large, &error) ||
 *         ead_model_open("small.gguf", NULL, &small, &error)) ...
 *     ead_duo_options options = ead_duo_defaults();
 *     options.policy.tau = 1.2;
 *     if (ead_duo_open(large, small, &options, &duo, &error)) ...
 *     int32_t *ids;
 *     size_t n;
 *     if (ead_tokenize(large, text, strlen(text), EAD_ADD_BOS, &ids, &n, &error)) ...
 *     if (ead_duo_append(duo, ids, n, &error)) ...
 *     for (ead_token token; !ead_duo_step(duo, &token, &error) && !token.end;)
 *         ... token.id, token.writer, token.entropy ...
 *
 * Conventions. A function that can fail returns an ead_status and, when `error` is not NULL, leaves
 * one sentence there that names the file or field at fault. Outputs are set on success only.
 * Objects are closed in the opposite order of opening; closing NULL is allowed. Models are
 * immutable and may be shared by threads; sessions, duos and batches belong to one thread at a
 * time. Strings are UTF-8. The library never prints and never exits.
 *
 * Take a struct of options from its *_defaults function, so that fields added later start with a
 * sensible value.
 *
 * ead_policy.h, which this header includes, has who writes, judges and takes back; ead_file.h has
 * what any GGUF file holds.
 */
#ifndef EAD_H
#define EAD_H

#include "ead_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    EAD_OK = 0,
    EAD_IO,       /* the operating system refused a file */
    EAD_FORMAT,   /* a file breaks its own format */
    EAD_SUPPORT,  /* well-formed, but beyond what this version does */
    EAD_ARGUMENT, /* an argument is out of range or contradicts another */
    EAD_MEMORY,   /* no memory, or a ceiling was reached */
    EAD_FULL,     /* the context has no room */
    EAD_CANCELLED /* a callback asked to stop */
} ead_status;

typedef struct {
    ead_status status;
    char message[1024];
} ead_error;

EAD_API const char *ead_version(void);

/* ---- models ------------------------------------------------------------------------------- */

typedef struct ead_model ead_model;

typedef struct {
    bool vocab_only; /* neither config nor weights are needed */
    /* Weights are packed at opening: rearranged for this machine's kernels, in memory of about the
     * file's size. This is a folder, made if it is missing, that keeps them in one file per model:
     * the next opening maps that file, and neither computes nor takes memory of its own; so does
     * this one, after writing it, where there is no memory to pack in. A file that does not fit the
     * model, by size, time of modification and all but its weights, is replaced. Whoever can write
     * to the folder decides what the model says. No fault of it keeps a model from opening:
     * ead_model_info tells. NULL: none. */
    const char *pack_cache;
    int threads; /* that pack; 0: as many as the process may use */
} ead_model_options;

/* What became of pack_cache. */
typedef enum {
    EAD_PACK_NONE,     /* there was none, or nothing to pack */
    EAD_PACK_MAPPED,   /* the weights are those of its file */
    EAD_PACK_WRITTEN,  /* they were packed, and written for the next opening */
    EAD_PACK_UNWRITTEN /* they were packed, and could not be written: pack_fault */
} ead_pack;

typedef struct {
    const char *arch; /* "llama", "gemma3", ...; NULL when opened for the vocabulary alone */
    int n_layer, d_model, n_head, n_head_kv, head_dim;
    int n_ctx_train; /* behind an API: the server's context, 0 when it does not tell */
    int d_ff;        /* of a mixture one expert's */
    int n_logits;    /* logits per row: at least n_vocab */
    int n_vocab;     /* tokens that can be written, without padding at the end */
    uint64_t n_params, bytes;
    uint64_t n_active; /* parameters that a token passes: of a mixture's experts those it meets */
    uint64_t repacked; /* bytes of packed weights; of the mapped file when pack says so */
    ead_pack pack;
    const char *pack_fault; /* of EAD_PACK_UNWRITTEN, a sentence that names the file; or NULL */
} ead_model_info;

EAD_API ead_model_options ead_model_defaults(void);
/* Map and validate a GGUF file (its first shard when split). `options` may be NULL: the defaults.
 */
EAD_API ead_status ead_model_open(const char *path, const ead_model_options *options,
                                  ead_model **out, ead_error *error);

/* Does a path name a model behind an API? Such addresses say what kind of server is there, where it
 * is, and behind # which of its models is meant: "vllm+http://host:8000/v1#name". */
EAD_API bool ead_remote_is(const char *path);
/* The kind i of server, with a line of help; NULL after the last. */
EAD_API const char *ead_remote_kind(size_t i, const char **help);

typedef struct {
    const char *key;     /* a bearer token; shown nowhere. NULL: none */
    const char *ca_file; /* certificates to trust (PEM); NULL: those of the system */
    int top;             /* log-probabilities to ask for with each token; 0: what the kind of server
                          * is known to give */
    int connections;     /* open at a time at most; 0: no bound */
    double connect_seconds, first_seconds, between_seconds; /* to connect, to the first token of an
                                                             * answer, between tokens; 0: usual */
    double retry_seconds; /* before the first retry; doubles from one to the next. 0: usual */
    int retries;          /* in a row, of what may pass; 0: the usual number, below 0: none */
    uint64_t n_active;    /* parameters that a token passes; 0: not known */
} ead_remote_options;

/*
 * A model behind an API. It can be in a duo or batch, and has no session of its own; its vocabulary
 * and chat template are those of `vocab` (which may have been opened for them alone), and the
 * server is asked whether it means the same by its ids. `vocab` is borrowed, `options` may be NULL.
 * Nobody here sees its logits: entropies are intervals where it tells log-probabilities
 * (ead_stats), and what is drawn is drawn there. EAD_ARGUMENT when the server's vocabulary is
 * another or the address is none, EAD_IO when it does not answer as such a server does.
 */
EAD_API ead_status ead_remote_open(const char *address, const ead_model *vocab,
                                   const ead_remote_options *options, ead_model **out,
                                   ead_error *error);
EAD_API bool ead_model_is_remote(const ead_model *model);
EAD_API void ead_model_close(ead_model *model);
EAD_API ead_model_info ead_model_describe(const ead_model *model);
/* Sentence i about what the file lacks or says wrongly of its vocabulary, and what is done instead;
 * NULL after the last. None of it keeps a model from opening, but its texts may suffer. */
EAD_API const char *ead_model_note(const ead_model *model, size_t i);
/* Can the two write one text? They must mean the same by every id and split texts alike; one may
 * have up to 128 tokens more at its end, which the text then does without. EAD_ARGUMENT names what
 * differs first. */
EAD_API ead_status ead_model_compare(const ead_model *a, const ead_model *b, ead_error *error);

/* ---- text --------------------------------------------------------------------------------- */

/* Flags of ead_tokenize. */
enum {
    EAD_ADD_BOS = 1,       /* add BOS if the vocabulary's own rule says so and none is there yet */
    EAD_PARSE_SPECIAL = 2, /* texts of control tokens become those tokens */
    EAD_ADD_EOS = 4        /* add EOS by the same rule: for a finished text, never for a prompt */
};

/* Token ids of a text, n_ids of them, to be released with ead_free. */
EAD_API ead_status ead_tokenize(const ead_model *model, const char *text, size_t bytes,
                                unsigned flags, int32_t **ids, size_t *n_ids, ead_error *error);
/* Does the text itself begin with the BOS that `flags` ask for? Then ead_tokenize adds none, and
 * the user may want to know: the text was meant for a program that adds none. */
EAD_API bool ead_text_brings_bos(const ead_model *model, const char *text, size_t bytes,
                                 unsigned flags);
/* Release what ead_tokenize or ead_template_render returned; NULL is allowed. */
EAD_API void ead_free(void *returned);
/* A token's own bytes, which need not be whole characters, nor end with NUL; NULL when there is no
 * such token. */
EAD_API const char *ead_token_text(const ead_model *model, int32_t id, size_t *bytes);
EAD_API int32_t ead_token_bos(const ead_model *model); /* -1 when the vocabulary has none */
EAD_API bool ead_token_is_end(const ead_model *model, int32_t id);

/* Ids back to text, as a stream of whole UTF-8 characters. */
typedef struct ead_detok ead_detok;
enum {
    EAD_TEXT_START = 1,  /* the first token begins a text: drop SentencePiece's leading space */
    EAD_SHOW_SPECIAL = 2 /* control tokens appear by their text */
};
EAD_API ead_status ead_detok_open(const ead_model *model, unsigned flags, ead_detok **out,
                                  ead_error *error);
EAD_API void ead_detok_close(ead_detok *detok);
/* The characters that `id` completes; valid until the next call. id -1 flushes what is held back.
 */
EAD_API ead_status ead_detok_add(ead_detok *detok, int32_t id, const char **text, size_t *bytes,
                                 ead_error *error);

/* ---- conversations ------------------------------------------------------------------------ */

/* A chat template, read and ready: the program, in Jinja, by which a model wants a conversation
 * written. Rendering does not change it, so threads may share it. */
typedef struct ead_template ead_template;

typedef struct {
    const char *name;   /* a built-in one (ead_template_name) in place of the model's own; or */
    const char *source; /* this text of `bytes` bytes in place of it; NULL: the model's own */
    size_t bytes;
    const char *label; /* what messages call it: the name of its file; NULL: "chat template" */
} ead_template_options;

typedef struct {
    const char *role; /* "system", "user", "assistant", or what else the template knows */
    const char *content;
} ead_message;

typedef struct {
    const ead_message *messages;
    size_t n_messages;
    /* JSON in place of messages, or NULL: an array of messages, as OpenAI's clients send them, or
     * an object with "messages" and further variables ("tools", "documents", ...). */
    const char *json;
    size_t json_bytes;
    const char *json_label; /* what messages call it: the name of its file; NULL: "messages" */
    /* Further variables: a JSON object, or NULL. What is in it goes before all others. */
    const char *variables;
    /* The time for templates that ask: "2026-01-02" or "2026-01-02T03:04:05"; NULL: the clock. */
    const char *now;
    bool finished; /* without the opening of the assistant's next message */
} ead_conversation;

/* `model` gives the template and the texts of special tokens; NULL will do where `options` name a
 * template. Without options (NULL) it is the model's own. EAD_SUPPORT when it has none,
 * EAD_FORMAT with the line where it is faulty. The model need not outlive the template. */
EAD_API ead_status ead_template_open(const ead_model *model, const ead_template_options *options,
                                     ead_template **out, ead_error *error);
EAD_API void ead_template_close(ead_template *t);
/* *text is to be released with ead_free; *flags are those that ead_tokenize needs for it.
 * EAD_ARGUMENT where the template refuses the conversation, or the JSON is faulty; EAD_FORMAT where
 * the template is; EAD_MEMORY where it takes more than a limit (docs/TEMPLATES.md). */
EAD_API ead_status ead_template_render(const ead_template *t, const ead_conversation *conversation,
                                       char **text, size_t *bytes, unsigned *flags,
                                       ead_error *error);
EAD_API const char *ead_template_name(size_t i); /* of the built-in one i; NULL after the last */
/* The name of the built-in one with the same text, or NULL. */
EAD_API const char *ead_template_known(const ead_template *t);
/* Is there a variable (or an attribute) of this name in it, such as "enable_thinking"? */
EAD_API bool ead_template_mentions(const ead_template *t, const char *name);
/* Does the model's file carry a chat template, faulty or not? */
EAD_API bool ead_template_present(const ead_model *model);

/* ---- one model: rows in, logits out -------------------------------------------------------- */

typedef struct {
    const char *cpu; /* an ead_cpu_name; NULL: this machine's best */
    int threads;     /* 0: as many as the process may use */
    int n_ctx;       /* positions per sequence; 0: as many as the model was trained on */
    int n_seq;       /* sequences */
    int max_rows;    /* rows per pass */
    int max_logits;  /* rows per pass that may want logits */
    /* Type of the KV cache. "f16": 2 bytes per element; "q8_0": 8 bits and a 16-bit scale per 32
     * elements of a head, 34 bytes for 64. The price of q8_0 is accuracy: logits moved by 0.4 to
     * 2.5 % on small models. What holds bit for bit holds with either. NULL: f16. */
    const char *cache_type;
} ead_session_options;

typedef struct {
    int seq, pos;
    int32_t token;
    bool wants_logits;
} ead_row;

/* A token that could follow. */
typedef struct {
    int32_t id;
    float log_prob; /* natural */
} ead_alternative;

typedef struct ead_session ead_session;

EAD_API const char *ead_cpu_name(size_t i); /* "ref", ...: of level i; NULL after the last */
EAD_API ead_session_options ead_session_defaults(void);
EAD_API ead_status ead_session_open(const ead_model *model, const ead_session_options *options,
                                    ead_session **out, ead_error *error);
EAD_API void ead_session_close(ead_session *session);
/* One pass. Rows of a sequence stand in order and start at its length. On failure nothing was
 * evaluated. */
EAD_API ead_status ead_session_eval(ead_session *session, const ead_row *rows, int n,
                                    ead_error *error);
/* Logits [n_logits], and their statistics, of the i-th row that wanted them in the last pass; NULL
 * and EAD_ARGUMENT when there is no such row. */
EAD_API const float *ead_session_logits(const ead_session *session, int i);
EAD_API ead_status ead_session_stats(const ead_session *session, int i, ead_stats *out,
                                     ead_error *error);
/* ln p of a token after that row; NaN when there is no such row or token. */
EAD_API float ead_session_log_prob(const ead_session *session, int i, int32_t id);
/* The n most probable tokens after that row, most probable first. Returns how many there are. */
EAD_API int ead_session_best(const ead_session *session, int i, int n, ead_alternative *out);
/* A sequence that does not exist has length 0, and cannot be shortened. */
EAD_API int ead_session_length(const ead_session *session, int seq);
EAD_API void ead_session_truncate(ead_session *session, int seq, int length);
/* Sequence `to` becomes the first `length` positions of `from`, whose memory it shares until one of
 * the two goes its own way. */
EAD_API ead_status ead_session_copy(ead_session *session, int from, int to, int length,
                                    ead_error *error);
/* Bytes in use for the KV cache and scratch; more as sequences grow. */
EAD_API size_t ead_session_memory(const ead_session *session);
EAD_API const char *ead_session_cpu(const ead_session *session);
EAD_API int ead_session_threads(const ead_session *session);

/* ---- two models, one text ----------------------------------------------------------------- */

/* What is added to the logit of a token; -100 and less forbids it. Where no token is left that may
 * follow, the text has a fault (EAD_ARGUMENT). */
typedef struct {
    int32_t id;
    float bias;
} ead_bias;

typedef struct {
    float temperature;    /* 0: greedy */
    int top_k;            /* 0: off */
    float top_p;          /* 1: off */
    float min_p;          /* 0: off */
    float repeat_penalty; /* 1: off; divides positive and multiplies negative logits */
    int repeat_last;      /* tokens back that are penalised */
    /* Taken from the logit of a token that was written since the last append: once, and for each
     * time that it was. 0: off; -1e6 to 1e6. With these, biases and the repeat penalty, what a
     * token is told with (its log-probability, entropy) is still of the distribution as it was. */
    float presence_penalty, frequency_penalty;
    /* [n_bias], borrowed while they are set, at most 1e6 each. Those of one token add up, and one
     * of no token does nothing. They come first, then the repeat penalty, these two, and top_k. */
    const ead_bias *bias;
    int n_bias;
    uint64_t seed; /* with the position in the text it gives the random number of a token */
} ead_sampler_options;

typedef struct {
    ead_policy_options policy;
    ead_sampler_options sampler;
    const char *cpu;
    int threads;
    int n_ctx;              /* 0: the smaller of what both models were trained on */
    int max_rows;           /* of a pass; 0: 256 */
    int prompt_budget;      /* rows of prompts in a pass, while other texts are written; 0: as many
                             * as make it at most about three times as long as one without */
    int cache_tokens;       /* positions that each model's KV cache has room for, all texts
                             * together, what they share once; 0: n_ctx for each */
    int max_scores;         /* given tokens per pass that ead_duo_score tells of, beside one of
                             * each text, at most max_rows; 0: it tells of none */
    const char *cache_type; /* of both models, as in ead_session_options */
    bool eager_prompt; /* the model that does not write reads the prompt at once, too, instead of at
                        * its first turn */
    bool ignore_end;   /* tokens that end a text are text like any other */
    bool small_alone;  /* where the large model fails, the small one writes the rest of the text */
    bool tell_lost;    /* tokens that were taken back before they were told are told as lost ones */
} ead_duo_options;

typedef enum {
    EAD_END_NOT = 0,
    EAD_END_TOKEN,  /* the model closed the text; the token is such a closing one */
    EAD_END_CONTEXT /* the context is full; this token is the last it could yield */
} ead_end;

typedef struct {
    int64_t index; /* tokens written before this one since the last append */
    int32_t id;
    ead_writer writer;
    bool switched;  /* the writer differs from that of the token before */
    bool alone;     /* before this token the large model failed, and the small one goes on alone */
    int taken_back; /* tokens at the end of the text, as last told, that were taken back before */
    bool lost;      /* it was taken back before it was told: it is no part of the text, and what
                     * stands in its place follows */
    ead_judgement judgement; /* of the drafts before this token; of the end of a text, with it */
    bool judged;             /* this draft was; */
    ead_opinion opinion;     /* and this is what the large model thought of it */
    float top_entropy;       /* as in ead_signals */
    float log_prob;          /* natural, of this token; NaN when not known */
    float entropy;           /* bits: of the distribution this token was drawn from; */
    ead_stats stats;         /* the rest of it */
    double rolling;          /* bits: mean over the window, this entropy included */
    double seconds;          /* since the token before: passes, catch-up included, and the choice */
    ead_end end;
} ead_token;

/* What one model did. A pass of one decode row is a decode step; a pass that also takes in tokens
 * of the other model is a catch-up; one that takes in a prompt is a prompt pass. */
typedef struct {
    int64_t tokens;                                 /* written, those taken back included */
    int64_t prompt_rows, decode_rows, catchup_rows; /* rows evaluated */
    int64_t decode_steps, catchup_passes;
    double prompt_seconds, decode_seconds, catchup_seconds;
    double step_seconds; /* mean of the decode steps; 0 without any */
} ead_work;

typedef struct {
    ead_work work[EAD_WRITERS];
    int64_t tokens, switches;   /* tokens: written, those taken back included */
    int64_t taken_back;         /* by the policy, or cut by a judgement */
    int64_t judgements, judged; /* passes that judged; drafts of them; */
    int64_t kept, refused;      /* drafts that were kept; judgements that refused one */
    /* Tokens whose entropy is known as an interval; decisions that would be another one somewhere
     * within the intervals that they were taken by. */
    int64_t bounded, open_decisions;
    double seconds;        /* all steps and prompts */
    double parameter_cost; /* the paper's, (p N_L + (1-p) N_S) / N_L, per token that stayed; 1 with
                            * one model, NaN where parameters are not known */
    double ideal_seconds;  /* decode rows of each model at its step_seconds; 0 when not measured */
    double large_seconds;  /* estimate of the large model alone on this text; 0 when not measured */
} ead_summary;

/* What went to and fro between a model behind an API and its duo or batch, all texts together. */
typedef struct {
    int64_t requests, connections, retries;
    int64_t bytes_out, bytes_in;
    int64_t received, discarded;          /* tokens; discarded: that nobody wanted any longer */
    int64_t judged;                       /* given tokens, told what the model thinks of */
    int64_t prompt_tokens, cached_tokens; /* of requests, where the server tells */
    double waiting_seconds;               /* from requests to their first tokens, */
    double writing_seconds;               /* and from there to their last ones */
} ead_wire;

typedef struct ead_duo ead_duo;

/* Called while a long stretch of text is read: rows done and to do; and, with neither, now and then
 * while a server's answer is waited for. Return false to stop (EAD_CANCELLED); what has been read
 * stays read. */
typedef bool (*ead_progress)(void *context, ead_writer reader, int done, int total);

enum { EAD_SCORE_BEST_MAX = 64 };

/* What the model thought of a given token. */
typedef struct {
    size_t at; /* its position */
    int32_t id;
    float log_prob;              /* natural; NaN when not known */
    int rank;                    /* tokens more probable */
    ead_stats stats;             /* of the distribution in its place, */
    const ead_alternative *best; /* and its n_best most probable tokens, most probable first */
    int n_best;
} ead_scored;

/* Called of a given token while it is read; what it is told of is valid during the call. It must
 * not touch texts of the batch. */
typedef void (*ead_score)(void *context, const ead_scored *token);

EAD_API ead_duo_options ead_duo_defaults(void);
/* Either model may be NULL, not both: then the other writes everything. Models are borrowed. */
EAD_API ead_status ead_duo_open(const ead_model *large, const ead_model *small,
                                const ead_duo_options *options, ead_duo **out, ead_error *error);
EAD_API void ead_duo_close(ead_duo *duo);
/* Add given tokens to the text: a prompt, or a user's message. The policy starts anew behind them.
 * EAD_FULL when they do not fit (the text stays as it was). Nothing is read yet: each model reads
 * when it is to write, or in ead_duo_read. A policy may have taken tokens back since the last step;
 * ead_duo_length and ead_duo_ids tell what the new ones stand behind. */
EAD_API ead_status ead_duo_append(ead_duo *duo, const int32_t *ids, size_t n, ead_error *error);
/* Have the next writer read the text, but for its last token, so that the step that follows takes
 * the time of one; with eager_prompt the other model, too. */
EAD_API ead_status ead_duo_read(ead_duo *duo, ead_error *error);
/* Call `progress` from now on while ead_duo_read and ead_duo_step read long stretches; NULL: call
 * nobody. */
EAD_API void ead_duo_watch(ead_duo *duo, ead_progress progress, void *context);
/* Call `score` from now on of every given token, but for the text's first, whose predecessor is
 * read by the model that is to write next: in order, each once, with up to n_best alternatives
 * (EAD_SCORE_BEST_MAX at most). Of what had been read before, by a text that was copied as well, it
 * is not called. NULL: call nobody. It takes ead_duo_options.max_scores, and what is written stays
 * the same. */
EAD_API void ead_duo_score(ead_duo *duo, int n_best, ead_score score, void *context);
/* Pass over given tokens before position `from` from now on, until the text is cut back to less. */
EAD_API void ead_duo_score_from(ead_duo *duo, size_t from);
/* Write one token. After token.end is set, or a failure, the text can be appended to or shortened.
 */
EAD_API ead_status ead_duo_step(ead_duo *duo, ead_token *out, ead_error *error);
/* Forget the text from `length` on: from there it goes on exactly as it did, or as a text would
 * that was never longer. The account stays, for it tells what was done. */
EAD_API void ead_duo_truncate(ead_duo *duo, size_t length);
/* `to`, another text of the same batch, becomes the first `length` tokens of `from`, with all that
 * was read of them; or less, where no memory is left for a page that both would write to. Its
 * policy, sampler, progress and score stay; its account begins anew. */
EAD_API ead_status ead_duo_copy(ead_duo *to, const ead_duo *from, size_t length, ead_error *error);
/* Keep room in both models' caches for this text to grow to `length` tokens, whatever others do, in
 * place of what was promised before. EAD_MEMORY when what is free, less what was promised to
 * others, is not enough (the old promise stands); resetting texts that are not needed makes room. 0
 * gives the promise back, and so does resetting the text or copying another into it. It may shrink
 * when the text is cut back into what it shares with others. A pass for which there is no room
 * fails with EAD_MEMORY and changes no text: texts that had room promised for all they grow to
 * never see that, when all do so. */
EAD_API ead_status ead_duo_reserve(ead_duo *duo, size_t length, ead_error *error);
/* Nothing more is wanted of this text for now: a server that writes ahead for it stops. It goes on
 * as ever when it is stepped again. */
EAD_API void ead_duo_rest(ead_duo *duo);
EAD_API size_t ead_duo_length(const ead_duo *duo);
/* The text's ids, ead_duo_length of them; valid until the text changes. */
EAD_API const int32_t *ead_duo_ids(const ead_duo *duo);
/* Tokens from the text's first on that a model has read, which copying it saves that model; 0 where
 * there is no such model. */
EAD_API size_t ead_duo_known(const ead_duo *duo, ead_writer reader);
/* The token at position `at` as it was written (taken_back is 0); false when it was given, or when
 * there is none. */
EAD_API bool ead_duo_token(const ead_duo *duo, size_t at, ead_token *out);
/* The n most probable tokens, most probable first, in the distribution that the last token that was
 * told and stands was drawn from. Returns how many are known. Of a draft, which is told long after
 * it was written, those that ead_duo_want_best asked for, until the next is told or the text is
 * changed in another way; of others all, until anything else is done. */
EAD_API int ead_duo_best(const ead_duo *duo, int n, ead_alternative *out);
/* Keep so many of each token that is written from now on, at most EAD_BEST_MAX; 0, as it begins,
 * none. Costs a look at all probabilities per token. Resetting the text does not change it. */
enum { EAD_BEST_MAX = 20 };
EAD_API void ead_duo_want_best(ead_duo *duo, int n);
EAD_API int ead_duo_context(const ead_duo *duo);
/* Why the large model writes no more of this text (ead_duo_options.small_alone); NULL: it does. */
EAD_API const char *ead_duo_loss(const ead_duo *duo);
/* The rule from now on, and how tokens are chosen from now on. Drafts that were told are judged no
 * more, and what was not told is forgotten. A rule sees the text as it stands: who wrote its
 * last token, since when, and their entropies. */
EAD_API ead_status ead_duo_set_policy(ead_duo *duo, const ead_policy_options *policy,
                                      ead_error *error);
EAD_API ead_status ead_duo_set_sampler(ead_duo *duo, const ead_sampler_options *sampler,
                                       ead_error *error);
/* Begin another text: the old one is forgotten with its account. Policy and sampler stay. */
EAD_API void ead_duo_reset(ead_duo *duo);
EAD_API ead_summary ead_duo_summarise(const ead_duo *duo);
/* What went to and fro with one of the models, of all texts of the batch; all zero where it is at
 * hand. */
EAD_API ead_wire ead_duo_wire(const ead_duo *duo, ead_writer writer);
/* The level in force, and threads; "none" and 0 where no model is at hand. */
EAD_API const char *ead_duo_cpu(const ead_duo *duo);
EAD_API int ead_duo_threads(const ead_duo *duo);
/* Bytes in use for KV caches and scratch of both models, all texts of the batch together. */
EAD_API size_t ead_duo_memory(const ead_duo *duo);

/* ---- two models, many texts --------------------------------------------------------------- */

/*
 * A batch is a fixed number of duos over the same two models, whose rows share passes. Every text
 * becomes, bit for bit, what it would have become alone.
 *
 *     ead_batch *batch;
 *     bool active[8] = {false};
 *     ead_event events[8];
 *     int n_events;
 *     if (ead_batch_open(large, small, &options, 8, &batch, &error)) ...
 *     if (ead_duo_append(ead_batch_duo(batch, 3), ids, n, &error)) ...
 *     active[3] = true;
 *     while (any are active) {
 *         if (ead_batch_step(batch, active, events, &n_events, &error)) ...
 *         ... events[0].text, events[0].token; on token.end or a fault
 *             ead_duo_reset(ead_batch_duo(batch, 3)), and text 3 can take the next prompt ...
 *     }
 */
typedef struct ead_batch ead_batch;

typedef enum {
    EAD_EVENT_TOKEN, /* the text's next token, which tells of a switch, an end, tokens taken back */
    EAD_EVENT_FAULT  /* this text cannot go on; the others can */
} ead_event_kind;

typedef struct {
    int text;
    ead_event_kind kind;
    ead_token token;
    ead_status status;   /* of a fault; otherwise EAD_OK */
    const char *message; /* of a fault: a sentence, valid until the text is stepped again */
} ead_event;

/* n_texts: from 1 to the rows of a pass (options->max_rows, 256 by default). The options hold for
 * every text until its own are set. */
EAD_API ead_status ead_batch_open(const ead_model *large, const ead_model *small,
                                  const ead_duo_options *options, int n_texts, ead_batch **out,
                                  ead_error *error);
EAD_API void ead_batch_close(ead_batch *batch);
/* Text i as a duo; it is the batch's and closes with it. Every function of duos takes it, at any
 * time between steps; NULL when there is no such text. */
EAD_API ead_duo *ead_batch_duo(ead_batch *batch, int i);
/*
 * Advance every text i that has active[i] set, and tell what came of it: events[*n], at most one of
 * each text, in their order; there may be none. A step is one pass of one model. The models
 * alternate: neither gets less than a fifth of the time while the other's texts wait, however long
 * its passes are. A text that reads a prompt does so beside those that write, in pieces of at most
 * prompt_budget rows in all, but at least one of each text; so does one that catches up over more
 * than that. What there is to tell already is told without a pass. The time of a pass is booked on
 * its texts by rows.
 */
EAD_API ead_status ead_batch_step(ead_batch *batch, const bool *active, ead_event *events, int *n,
                                  ead_error *error);

#ifdef __cplusplus
}
#endif

#endif
