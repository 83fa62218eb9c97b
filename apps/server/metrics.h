/*
 * What the server counts, as Prometheus reads it. Labels are bounded: models, endpoints, kinds of
 * outcome; never what a client sent. Counters may be added to by any thread.
 */
#ifndef EAD_SERVER_METRICS_H
#define EAD_SERVER_METRICS_H

#include "base/buf.h"
#include "ead.h"

#include <pthread.h>
#include <stdint.h>

enum metrics_endpoint {
    METRICS_CHAT,
    METRICS_COMPLETIONS,
    METRICS_TOKENIZE,
    METRICS_OTHER,
    METRICS_ENDPOINTS
};

enum { METRICS_STATUSES = 5, METRICS_BUCKETS = 15 };

struct metrics_histogram {
    uint64_t bucket[METRICS_BUCKETS]; /* not above the bound of that number; none behind the last */
    uint64_t count;
    double sum;
};

struct metrics {
    pthread_mutex_t lock;
    uint64_t requests[METRICS_ENDPOINTS][METRICS_STATUSES]; /* by the first digit, from 1xx on */
    uint64_t cancelled, refused_full;
    uint64_t texts, prompt_tokens, cached_tokens, switches;
    ead_work work[EAD_WRITERS]; /* of texts that ended */
    ead_wire wire[EAD_WRITERS]; /* of models behind an API, when a text ended last */
    uint64_t steps;
    double step_seconds;
    struct metrics_histogram first_token, between_tokens, queued;
    /* As they are now. */
    int live, waiting, kept, slots;
    size_t memory;
};

void metrics_init(struct metrics *m);
void metrics_deinit(struct metrics *m);
void metrics_request(struct metrics *m, enum metrics_endpoint endpoint, int status);
void metrics_observe(struct metrics *m, struct metrics_histogram *h, double seconds);
void metrics_count(struct metrics *m, uint64_t *counter, uint64_t n);
void metrics_slots(struct metrics *m, int slots);
/* A text ended. */
void metrics_text(struct metrics *m, const ead_summary *s, uint64_t prompt, uint64_t cached);
/* What went to and fro with models behind an API, as any text of the batch tells. */
void metrics_wire(struct metrics *m, const ead_duo *duo);
void metrics_step(struct metrics *m, double seconds, int live, int waiting, int kept,
                  size_t memory);
/* The text format, version 0.0.4. */
MUST_USE enum status metrics_write(struct metrics *m, struct buf *out);

#endif
