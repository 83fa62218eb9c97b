/*
 * Policies of ead.h: who writes the next token, whether the large model judges what the small one
 * wrote, and what is taken back. A policy is pure: what it sees is a function of the text and of
 * its options, so that a recorded trace replays without a model.
 *
 * Drafts and judgements. Tokens that the small model wrote since the large one last judged or wrote
 * are drafts. When the large model takes over it reads them anyway; a policy can have it judge them
 * in that same pass. The first draft that is refused is cut with all that follow, and the large
 * model's token stands there; when none is, its token stands behind them. A draft that may still be
 * refused is not told: what was told as text stays. What was refused is told as lost.
 */
#ifndef EAD_POLICY_H
#define EAD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EAD_API __attribute__((visibility("default")))

/* Of a next-token distribution, before temperature and truncation, over the vocabulary without
 * padding. Where a model answers over a wire with its most probable tokens alone, the entropy is
 * the middle of the interval that they leave open. */
typedef struct {
    float entropy; /* bits */
    float entropy_lo, entropy_hi;
    bool exact;             /* the three are one */
    float max_prob, margin; /* largest probability; its lead over the second */
    int32_t argmax;
} ead_stats;

typedef enum { EAD_SMALL = 0, EAD_LARGE = 1, EAD_WRITERS = 2 } ead_writer;

/* The formulas and sources of each are in docs/POLICIES.md. */
typedef enum {
    EAD_POLICY_EAD,         /* rolling entropy against tau */
    EAD_POLICY_LARGE,       /* the large model alone */
    EAD_POLICY_SMALL,       /* the small model alone */
    EAD_POLICY_RANDOM,      /* the baseline: same dwell, a wanted share, no entropy */
    EAD_POLICY_REPLAY,      /* what a recording says */
    EAD_POLICY_CUSTOM,      /* functions of the program's own */
    EAD_POLICY_SPECULATIVE, /* exact: the small model drafts, the large one's text stands */
    EAD_POLICY_JUDGE,       /* drafts pile up risk until they are judged */
    EAD_POLICY_EAD_PLUS,    /* ead, judged at the hand-over, with drafts in the large one's turn */
    EAD_POLICY_TYPICAL,     /* drafts that the large model finds typical are kept */
    EAD_POLICY_RELAXED,     /* drafts among its best, close to the best one */
    EAD_POLICY_CASCADE,     /* speculative cascades: deferral rules, and sets of tokens */
    EAD_POLICY_LENIENT,     /* exact acceptance, made easier by a factor */
    EAD_POLICY_FLY,         /* a refusal is overruled where what follows agrees */
    EAD_POLICY_FSD,         /* drafts where the two distributions are close */
    EAD_POLICY_BILD,        /* fall back on small probability, roll back on large surprise */
    EAD_POLICY_RSTITCH,     /* relative entropy in both directions; a doubtful token is dropped */
    EAD_POLICY_R2R,         /* critical tokens, by entropy, are the large model's */
    EAD_POLICY_STEP         /* the entropy of a step's first token says who writes the step */
} ead_policy_kind;

enum { EAD_DRAFT_MAX = 63 }; /* with the row before them they are 64, a slice of a pass */

/* What came of a judgement. */
typedef struct {
    int n;    /* drafts that were judged; 0: there was none */
    int kept; /* of those, from the first on */
    float q;  /* of the first one that was refused: its probability as the small model gave it, on
               * the scale of ead_signals.log_prob, or NaN where that is not known; else 0 */
} ead_judgement;

/*
 * What a policy sees before a token is written. All of it is a function of the text, of what stands
 * beside its tokens, and of the policy's options. "Written" means since the last append: what was
 * given is not written.
 */
typedef struct {
    int64_t index;     /* tokens written so far; while it is 0, all below `chance` is 0 */
    int64_t length;    /* tokens of the text, given ones included */
    ead_writer writer; /* of the last token; before the first, the one that is to start */
    double chance;     /* uniform in [0, 1), from the policy's seed and `length` alone */
    int64_t turn;      /* tokens the writer wrote without a break, the last one included */
    int32_t id;        /* the last token; */
    float log_prob;    /* its natural log-probability; */
    ead_stats stats;   /* of the distribution it was drawn from */
    double rolling;    /* bits: mean of the last `window` entropies, or of what there is */
    int drafts;        /* drafts at the end of the text */
    int draft_max;    /* as many can be judged at once: EAD_DRAFT_MAX, less in small passes, 0 where
                       * the large model is not asked (a server that cannot say) */
    bool end;         /* the last token ends the text, if it stays: an end token, a full context */
    bool line, blank; /* it ends a line; an empty one, or a paragraph */
    float top_entropy; /* bits: of the 20 most probable tokens, renormalised; NaN where the policy
                        * does not ask for it */
    int n_vocab;       /* tokens that can be written */
    ead_judgement judged; /* that stands before the last token or, of one that ends the text,
                           * behind it */
    double memory[2]; /* what the policy left at the token before the last, or 0: one that is set
                       * with other options begins anew */
} ead_signals;

/*
 * Who writes next, after so many tokens at the end were taken back. At most the written tokens can
 * be; another model than the one that wrote there must write first, and what it puts there stays:
 * a token is replaced once.
 */
typedef struct {
    ead_writer writer;
    int take_back;
    int judge; /* so many drafts at the end of what is left are judged by the large model, which
                * then is the writer; at most draft_max. Behind an end token nothing is written. */
    int open;  /* so many tokens at the end may still be judged or taken back and are not told yet,
                * at most EAD_DRAFT_MAX; of a text that has ended, all are told */
    double memory[2]; /* kept beside the last token; the policy finds it in the next signals */
} ead_decision;

/*
 * A policy of the program's own. It must be pure: the same signals, the same decision. It is asked
 * when it is set (the text may be empty), after each token, and whenever the text was changed in
 * another way. With one model it is not asked: that one writes. It may be called by any thread that
 * steps a text with it.
 */
typedef ead_decision (*ead_decide)(void *context, const ead_signals *signals);

/*
 * What the large model thinks of a draft. p is its distribution there and q the small one's, both
 * as the sampler shapes them (temperature, top-p, ...) or, with temperature 0, as they are. Where
 * tokens are drawn, q is there for policies that compare the two: not for judge, bild, relaxed and
 * typical, nor where the small model told too little.
 */
typedef struct {
    float p, max_p;    /* probability of the token; of the most probable one */
    float entropy_p;   /* bits */
    float q, max_q;    /* the same of q; NaN: not there */
    int32_t id;        /* the draft; */
    int32_t argmax;    /* the most probable token of p; -1 where nothing may follow */
    int32_t own;       /* what the large model itself would write there: where tokens are drawn, its
                        * draw at this place; else argmax */
    int rank;          /* tokens more probable in p; -1: not asked for */
    float top_entropy; /* nats: of the 3 largest of p, not renormalised; NaN: not asked for */
    float measure;     /* the policy's own comparison of p and q; NaN: not asked for */
    float chance;      /* uniform in [0, 1]: the coin, where drafts are kept by chance */
    bool native;       /* would exact speculation keep it: the best of p; or, where tokens are
                        * drawn, chance <= p / q. Where q is not there nobody knows, and it is
                        * false. */
} ead_opinion;

/* The first of n drafts that is refused; n when all are kept. Pure. */
typedef int (*ead_judge)(void *context, const ead_opinion *opinions, int n);
/* Where a draft was refused and tokens are drawn: the weight of a token of probabilities p and q in
 * the draw of what stands there. Pure. */
typedef double (*ead_weigh)(void *context, const ead_opinion *refused, double p, double q);

/* How likely the small model's tokens are wrong, as calibration found it: by entropy, and by token
 * for those that are frequent. */
enum { EAD_RISK_BINS = 12, EAD_RISK_CLASSES = 64 };
typedef struct {
    int n_classes; /* the last one is for all tokens that have none of their own */
    int32_t ids[EAD_RISK_CLASSES - 1];           /* [n_classes - 1] rising: the others' tokens */
    float edges[EAD_RISK_BINS - 1];              /* bits, rising: bin b is below edges[b] */
    float risk[EAD_RISK_BINS][EAD_RISK_CLASSES]; /* probability of being refused */
} ead_risk;

/* What stands at a place of a recording: `tokens` that the same writer wrote one after the other
 * are as many places. */
typedef struct {
    uint8_t writer;  /* an ead_writer */
    uint8_t judged;  /* drafts of the judgement before it or, of an end, behind it; 0: none */
    uint8_t lost;    /* tokens of the small model that stood from here on and were cut; */
    uint8_t dropped; /* of those, at the end, that the policy took back before the judgement */
} ead_replay;

enum { EAD_HORIZON_MAX = 4096 };

/* Numbers below 0 of `draft`. */
enum { EAD_DRAFT_HEURISTIC = -1, EAD_DRAFT_CONFIDENCE = -2, EAD_DRAFT_SURVIVAL = -3 };
enum {
    EAD_CASCADE_CHOW,
    EAD_CASCADE_DIFF,
    EAD_CASCADE_OPT,
    EAD_CASCADE_V1,
    EAD_CASCADE_V2,
    EAD_CASCADE_V3
};
enum { EAD_DIVERGENCE_KL, EAD_DIVERGENCE_JS, EAD_DIVERGENCE_TV };
enum { EAD_STEP_LINE, EAD_STEP_BLANK };
enum { EAD_SLACK_RATIO, EAD_SLACK_LEAD };

/* Each policy looks at a few of these: ead_policy_option_at tells which, and their ranges. */
typedef struct {
    ead_policy_kind kind;
    double tau;         /* bits */
    int window;         /* w: tokens of the rolling mean, 1 to 1024 */
    int dwell;          /* d_min: tokens a model writes at least before it hands over, from 1 */
    ead_writer start;   /* who writes first */
    bool clear_window;  /* the window begins anew with each turn */
    double share;       /* EAD_POLICY_RANDOM: share of the large model's tokens, 0 to 1, ... */
    int horizon;        /* ... over texts of about so many tokens; 0: in the long run */
    int draft;          /* tokens of a draft at most; 0: as many as the policy's source takes; below
                         * 0 a rule: EAD_DRAFT_HEURISTIC, ... */
    int draft_min;      /* a draft that stopped with fewer is dropped, unless tokens are drawn */
    double draft_min_p; /* a draft stops before a token whose probability is below */
    double confidence;  /* EAD_DRAFT_CONFIDENCE: a draft stops behind such a token; refitted */
    double small_cost, row_cost; /* EAD_DRAFT_SURVIVAL: a step of the small model, and a further row
                                  * of a pass, relative to a step of the large one */
    double epsilon, delta;       /* typical */
    double posterior;            /* typical: temperature of p where tokens are not drawn */
    int relaxed_top;             /* relaxed: among the best so many, */
    double relaxed_delta;        /* and at most so much less probable than the best */
    int rule;                    /* cascade: EAD_CASCADE_... */
    double slack;                /* cascade, lenient, judge, ead+: 0 exact, 1 everything */
    int slack_by;                /* judge, ead+: EAD_SLACK_RATIO, ... */
    double mentor;  /* lenient: nats that the kept distribution may be from p; 0: slack counts */
    int fly_window; /* fly: tokens that must agree behind a refused one, */
    double fly_entropy;        /* where the large model doubts by so many nats */
    int divergence;            /* fsd: EAD_DIVERGENCE_... */
    double fsd_limit;          /* fsd */
    double fallback, rollback; /* bild: probability; nats */
    double uncertainty;        /* rstitch: entropy, relative to that of all tokens alike */
    double critical;           /* r2r: nats */
    double step_entropy;       /* step: nats */
    int step_end;              /* step: EAD_STEP_LINE, ... */
    double risk, risk_sum; /* judge: of a token, and of all drafts together: a probability with a
                            * table, bits without */
    bool tail;             /* judge, ead+: drafts at a text's end are judged whatever their risk */
    int unjudged;          /* judge, ead+: so many drafts are judged, too; 0: never for that */
    int agree; /* ead+: drafts in a row that must agree before the small model is free */
    const ead_risk *table; /* judge, survival: borrowed; NULL: the entropy itself counts; checked
                            * whatever the policy */
    uint64_t seed;         /* of `chance`; independent of the sampler's, also where equal */
    /* EAD_POLICY_REPLAY: what stands at each place, borrowed; behind the last one its writer goes
     * on. */
    const ead_replay *replay;
    size_t n_replay;
    ead_decide decide; /* EAD_POLICY_CUSTOM; */
    ead_judge judge;   /* NULL: as exact speculation does */
    ead_weigh weigh; /* NULL: without `judge` as exact speculation does, max(0, p - q); with it the
                      * large model's own draw stands, ead_opinion.own */
    void *context;   /* handed to them; borrowed */
} ead_policy_options;

typedef struct {
    const char *name, *help;
    bool needs[EAD_WRITERS]; /* without that model the other writes everything */
    bool needs_data;         /* more than numbers: a recording, a function */
    bool judges;             /* the large model must tell what it thinks of given tokens */
} ead_policy_info;

/* EAD_OPTION_INT may have words: -1 is the first, -2 the second. EAD_OPTION_WORD has: 0 is the
 * first. */
typedef enum { EAD_OPTION_REAL, EAD_OPTION_INT, EAD_OPTION_FLAG, EAD_OPTION_WORD } ead_option;

/* A number among ead_policy_options, so that a program can offer all of them: at `offset` stands a
 * double, an int, a bool or, of a word, an int or enum. */
typedef struct {
    const char *name;
    char letter; /* of a short option, or 0 */
    ead_option type;
    size_t offset;
    unsigned policies;          /* bit k: the policy of kind k looks at it */
    double low, high, standard; /* its range, and ead_duo_defaults */
    const char *const *words;   /* ending with NULL, or NULL */
    const char *value, *help;   /* what to call a value: "N", "BITS"; NULL of a flag */
} ead_policy_option;

/* The policy of a kind; NULL when there is none. */
EAD_API const ead_policy_info *ead_policy_describe(ead_policy_kind kind);
/* The kind of a name; -1 when there is none. */
EAD_API int ead_policy_parse(const char *name);
/* Option i; NULL after the last. */
EAD_API const ead_policy_option *ead_policy_option_at(size_t i);
/* The value of an option. */
EAD_API double ead_policy_value(const ead_policy_options *options, const ead_policy_option *option);

#ifdef __cplusplus
}
#endif

#endif
