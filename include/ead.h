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
 *     if (ead_duo_append(duo, ids, n, NULL, NULL, &error)) ...
 *     for (ead_token token; !ead_duo_step(duo, &token, &error) && !token.end;)
 *         ... token.id, token.writer, token.entropy ...
 *
 * Conventions. A function that can fail returns an ead_status and, when `error` is not NULL, leaves
 * one sentence there that names the file or field at fault. Outputs are set on success only.
 * Objects are closed in the opposite order of opening; closing NULL is allowed. Models are
 * immutable and may be shared by threads; sessions, duos and batches belong to one thread at a
 * time. Strings are UTF-8. The library never prints and never exits.
 *
 * A struct of options is to be had from its *_defaults function, so that fields added later start
 * with a sensible value.
 */
#ifndef EAD_H
#define EAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EAD_API __attribute__((visibility("default")))

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

/* ---- files: metadata and tensors of any GGUF ---------------------------------------------- */

typedef struct ead_file ead_file;

typedef struct {
    const char *key; /* key_bytes long, not NUL-terminated; valid while the file is open */
    size_t key_bytes;
    const char *type; /* "u32", "string", ...; of the elements when it is an array */
    bool is_array;
    uint64_t count; /* elements; 1 for a scalar */
} ead_meta;

/* An element: `text` is set for strings (text_bytes long), otherwise is_float tells which number.
 */
typedef struct {
    const char *text;
    size_t text_bytes;
    bool is_float;
    double f;
    int64_t i;
} ead_value;

typedef struct {
    const char *name, *type;
    int n_dims;
    uint64_t dims[4]; /* dims[0] is contiguous */
    uint64_t bytes;
    int part; /* which file of a split model, from 0 */
} ead_tensor;

EAD_API ead_status ead_file_open(const char *path, ead_file **out, ead_error *error);
EAD_API void ead_file_close(ead_file *file);
EAD_API uint32_t ead_file_version(const ead_file *file);
EAD_API uint64_t ead_file_bytes(const ead_file *file); /* of all parts */
EAD_API size_t ead_file_meta_count(const ead_file *file);
EAD_API ead_meta ead_file_meta(const ead_file *file, size_t i);
/* Elements first..first+n-1 of value i into out[n]; the range must lie within count. */
EAD_API void ead_file_values(const ead_file *file, size_t i, uint64_t first, size_t n,
                             ead_value *out);
EAD_API size_t ead_file_tensor_count(const ead_file *file);
EAD_API ead_tensor ead_file_tensor(const ead_file *file, size_t i);

/* ---- models ------------------------------------------------------------------------------- */

typedef struct ead_model ead_model;

typedef struct {
    bool vocab_only; /* neither config nor weights are needed */
    /* Weights are rearranged for this machine's kernels at opening, into memory of about the file's
     * size; without that they are read from the mapped file, and passes are slower. */
    bool no_repack;
    /* A folder, made if it is missing, that keeps the rearranged weights in one file per model: the
     * next opening maps that file instead, so that it neither computes nor takes memory of its own.
     * A file that does not fit the model, by size, time of modification and all but its weights, is
     * replaced. Who can write to the folder decides what the model says. No fault of it keeps a
     * model from opening: ead_model_info tells. NULL: none. Not used with no_repack. */
    const char *pack_cache;
} ead_model_options;

/* What became of pack_cache. */
typedef enum {
    EAD_PACK_NONE,     /* there was none, or nothing to rearrange */
    EAD_PACK_MAPPED,   /* the weights are those of its file */
    EAD_PACK_WRITTEN,  /* they were rearranged, and written for the next opening */
    EAD_PACK_UNWRITTEN /* they were rearranged, and could not be written: pack_fault */
} ead_pack;

typedef struct {
    const char *arch; /* "llama", "qwen2", "qwen3"; NULL when opened for the vocabulary alone */
    int n_layer, d_model, d_ff, n_head, n_head_kv, head_dim, n_ctx_train;
    int n_logits; /* logits per row: at least n_vocab */
    int n_vocab;  /* tokens, without padding at the end */
    uint64_t n_params, bytes;
    uint64_t repacked; /* bytes of rearranged weights; of the mapped file when pack says so */
    ead_pack pack;
    const char *pack_fault; /* of EAD_PACK_UNWRITTEN, a sentence that names the file; or NULL */
} ead_model_info;

EAD_API ead_model_options ead_model_defaults(void);
/* Map and validate a GGUF file (its first part when split). `options` may be NULL: the defaults. */
EAD_API ead_status ead_model_open(const char *path, const ead_model_options *options,
                                  ead_model **out, ead_error *error);
EAD_API void ead_model_close(ead_model *model);
EAD_API ead_model_info ead_model_describe(const ead_model *model);
/* Can the two write one text? EAD_ARGUMENT names the first id whose token differs. */
EAD_API ead_status ead_model_compare(const ead_model *a, const ead_model *b, ead_error *error);

/* ---- text --------------------------------------------------------------------------------- */

/* Flags of ead_tokenize. */
enum {
    EAD_ADD_BOS = 1,      /* add BOS (and EOS) if the vocabulary's own rule says so */
    EAD_PARSE_SPECIAL = 2 /* texts of control tokens become those tokens */
};

/* Token ids of a text, n_ids of them, to be released with ead_free. */
EAD_API ead_status ead_tokenize(const ead_model *model, const char *text, size_t bytes,
                                unsigned flags, int32_t **ids, size_t *n_ids, ead_error *error);
/* Release what ead_tokenize or ead_chat_render returned; NULL is allowed. */
EAD_API void ead_free(void *returned);
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

typedef struct {
    const char *role; /* "system", "user", "assistant" */
    const char *content;
} ead_message;

/*
 * Render a conversation, with the opening of the assistant's turn, as the model's chat template
 * does. `name` forces a family (ead_chat_name); NULL recognises the file's own template. *text is
 * to be released with ead_free; *flags are those that ead_tokenize needs for it.
 */
EAD_API ead_status ead_chat_render(const ead_model *model, const char *name,
                                   const ead_message *messages, size_t n_messages, char **text,
                                   size_t *bytes, unsigned *flags, ead_error *error);
EAD_API const char *ead_chat_name(size_t i); /* of family i; NULL after the last */
/* Does the file carry a chat template, recognised or not? */
EAD_API bool ead_chat_present(const ead_model *model);
/* The family that would be used, or NULL when ead_chat_render would refuse. */
EAD_API const char *ead_chat_recognise(const ead_model *model);

/* ---- one model: rows in, logits out -------------------------------------------------------- */

typedef struct {
    const char *cpu; /* an ead_cpu_name; NULL: this machine's best */
    int threads;     /* 0: as many as the process may use */
    int n_ctx;       /* positions per sequence; 0: as many as the model was trained on */
    int n_seq;       /* sequences */
    int max_rows;    /* rows per pass */
    int max_logits;  /* rows per pass that may want logits */
    /* How keys and values of past positions are kept. "f16": 2 bytes per element; "q8_0": 8 bits
     * and a 16-bit scale per 32 elements of a head, 34 bytes for 64. The price of q8_0 is accuracy:
     * logits moved by 0.4 to 2.5 % on small models. What holds bit for bit holds with either.
     * NULL: f16. */
    const char *cache_type;
} ead_session_options;

typedef struct {
    int seq, pos;
    int32_t token;
    bool wants_logits;
} ead_row;

typedef struct {
    float entropy;          /* bits, from raw logits over the vocabulary without padding */
    float max_prob, margin; /* largest probability; its lead over the second */
    int32_t argmax;
} ead_stats;

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
/* A sequence that is none has length 0, and cannot be shortened. */
EAD_API int ead_session_length(const ead_session *session, int seq);
EAD_API void ead_session_truncate(ead_session *session, int seq, int length);
EAD_API const char *ead_session_cpu(const ead_session *session);
EAD_API int ead_session_threads(const ead_session *session);

/* ---- two models, one text ----------------------------------------------------------------- */

typedef enum { EAD_SMALL = 0, EAD_LARGE = 1, EAD_WRITERS = 2 } ead_writer;

typedef enum {
    EAD_POLICY_EAD,    /* rolling entropy against tau */
    EAD_POLICY_LARGE,  /* the large model alone */
    EAD_POLICY_SMALL,  /* the small model alone */
    EAD_POLICY_RANDOM, /* the baseline: same dwell, a wanted share, no entropy */
    EAD_POLICY_REPLAY  /* writers read from a recording */
} ead_policy_kind;

enum { EAD_HORIZON_MAX = 4096 };

typedef struct {
    ead_policy_kind kind;
    double tau;        /* bits */
    int window;        /* w: tokens of the rolling mean, 1 to 1024 */
    int dwell;         /* d_min: tokens a model writes at least before it hands over, from 1 */
    ead_writer start;  /* who writes first */
    bool clear_window; /* empty the window at a switch */
    float share;       /* EAD_POLICY_RANDOM: share of the large model's tokens, 0 to 1, ... */
    int horizon;       /* ... over texts of about so many tokens; 0: in the long run */
    uint64_t seed;     /* EAD_POLICY_RANDOM */
    const uint8_t
        *replay;     /* EAD_POLICY_REPLAY: the writer of each token; borrowed; after the end */
    size_t n_replay; /* of the recording the last writer goes on */
} ead_policy_options;

typedef struct {
    float temperature;    /* 0: greedy */
    int top_k;            /* 0: off */
    float top_p;          /* 1: off */
    float min_p;          /* 0: off */
    float repeat_penalty; /* 1: off; divides positive and multiplies negative logits */
    int repeat_last;      /* tokens back that are penalised */
    uint64_t seed;
} ead_sampler_options;

typedef struct {
    ead_policy_options policy;
    ead_sampler_options sampler;
    const char *cpu;
    int threads;
    int n_ctx; /* 0: the smaller of what both models were trained on */
    int max_rows;
    const char *cache_type; /* of both models, as in ead_session_options */
    bool eager_prompt; /* the large model reads the prompt at once instead of at its first turn */
    bool ignore_end;   /* tokens that end a text are text like any other */
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
    float entropy;  /* bits: of the distribution this token was drawn from */
    double rolling; /* bits: mean over the window, this entropy included */
    double seconds; /* since the token before: passes, catch-up included, and the choice */
    ead_end end;
} ead_token;

/* What one model did. A pass of one decode row is a decode step; a pass that also takes in tokens
 * of the other model is a catch-up; one that takes in a prompt is a prompt pass. */
typedef struct {
    int64_t tokens;                                 /* written */
    int64_t prompt_rows, decode_rows, catchup_rows; /* rows evaluated */
    int64_t decode_steps, catchup_passes;
    double prompt_seconds, decode_seconds, catchup_seconds;
    double step_seconds; /* mean of the decode steps; 0 without any */
} ead_work;

typedef struct {
    ead_work work[EAD_WRITERS];
    int64_t tokens, switches;
    double seconds;        /* all steps and prompts */
    double parameter_cost; /* the paper's: (p N_L + (1-p) N_S) / N_L; 1 with one model */
    double ideal_seconds;  /* decode rows of each model at its step_seconds; 0 when not measured */
    double large_seconds;  /* estimate of the large model alone on this text; 0 when not measured */
} ead_summary;

typedef struct ead_duo ead_duo;

/* Called while a long prompt is read, by the append or by the step in which the second model reads
 * it: rows done and to do. Return false to stop (EAD_CANCELLED). */
typedef bool (*ead_progress)(void *context, ead_writer reader, int done, int total);

EAD_API ead_duo_options ead_duo_defaults(void);
/* Either model may be NULL, not both: then the other writes everything. Models are borrowed. */
EAD_API ead_status ead_duo_open(const ead_model *large, const ead_model *small,
                                const ead_duo_options *options, ead_duo **out, ead_error *error);
EAD_API void ead_duo_close(ead_duo *duo);
/* Add given tokens to the text: a prompt, or a user's turn. The policy starts anew. EAD_FULL when
 * they do not fit (the text stays as it was). The first writer reads them here, the other at its
 * first turn. */
EAD_API ead_status ead_duo_append(ead_duo *duo, const int32_t *ids, size_t n, ead_progress progress,
                                  void *context, ead_error *error);
/* Write one token. After token.end is set, or a failure, the text can be appended to or shortened.
 */
EAD_API ead_status ead_duo_step(ead_duo *duo, ead_token *out, ead_error *error);
/* Forget the text from `length` on. */
EAD_API void ead_duo_truncate(ead_duo *duo, size_t length);
EAD_API size_t ead_duo_length(const ead_duo *duo);
EAD_API int ead_duo_context(const ead_duo *duo);
EAD_API ead_status ead_duo_set_policy(ead_duo *duo, const ead_policy_options *policy,
                                      ead_error *error);
EAD_API ead_status ead_duo_set_sampler(ead_duo *duo, const ead_sampler_options *sampler,
                                       ead_error *error);
/* Begin another text: the old one is forgotten with its account, random choices start again at
 * their seeds. Policy and sampler stay. */
EAD_API void ead_duo_reset(ead_duo *duo);
EAD_API ead_summary ead_duo_summarise(const ead_duo *duo);
EAD_API const char *ead_duo_cpu(const ead_duo *duo);
EAD_API int ead_duo_threads(const ead_duo *duo);

/* ---- two models, many texts --------------------------------------------------------------- */

/*
 * A batch is a fixed number of duos over the same two models, whose rows share passes. A step takes
 * one pass per model for all texts; every text becomes, bit for bit, what it would have become
 * alone.
 *
 *     ead_batch *batch;
 *     bool active[8] = {false};
 *     ead_token tokens[8];
 *     if (ead_batch_open(large, small, &options, 8, &batch, &error)) ...
 *     if (ead_batch_append(batch, 3, ids, n, &error)) ...
 *     active[3] = true;
 *     while (any are active) {
 *         if (ead_batch_step(batch, active, tokens, &error)) ...
 *         ... tokens[3].id unless it is EAD_NO_TOKEN; on tokens[3].end
 *             ead_duo_reset(ead_batch_duo(batch, 3)), and text 3 can take the next prompt ...
 *     }
 */
typedef struct ead_batch ead_batch;

enum { EAD_NO_TOKEN = -1 };

/* n_texts: from 1 to the rows of a pass (options->max_rows, 256 by default). The options hold for
 * every text until its own are set. */
EAD_API ead_status ead_batch_open(const ead_model *large, const ead_model *small,
                                  const ead_duo_options *options, int n_texts, ead_batch **out,
                                  ead_error *error);
EAD_API void ead_batch_close(ead_batch *batch);
/* Text i as a duo; it is the batch's and closes with it. Every function of duos takes it, at any
 * time between steps; NULL when there is no such text. */
EAD_API ead_duo *ead_batch_duo(ead_batch *batch, int i);
/* As ead_duo_append, but nothing is read yet: the steps that follow read it beside the other texts,
 * in as many passes as it takes. */
EAD_API ead_status ead_batch_append(ead_batch *batch, int i, const int32_t *ids, size_t n,
                                    ead_error *error);
/*
 * Write the next token of every text i with active[i] into tokens[i]. Its id is EAD_NO_TOKEN where
 * a text is not active or has not been read to its end: a pass holds max_rows, at least one of each
 * text. Time of a pass is booked on its texts by rows. On failure no text has changed.
 */
EAD_API ead_status ead_batch_step(ead_batch *batch, const bool *active, ead_token *tokens,
                                  ead_error *error);

#ifdef __cplusplus
}
#endif

#endif
