#include "server/metrics.h"

#include "server/work.h"

#include <stddef.h>
#include <string.h>

static const double bounds[METRICS_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                               0.5,   1,      2.5,   5,    10,    30,   60};
static const char *const endpoints[METRICS_ENDPOINTS] = {"chat", "completions", "tokenize",
                                                         "other"};
static const char *const writers[EAD_WRITERS] = {[EAD_SMALL] = "small", [EAD_LARGE] = "large"};

void metrics_init(struct metrics *m)
{
    *m = (struct metrics){0};
    pthread_mutex_init(&m->lock, NULL);
}

void metrics_deinit(struct metrics *m)
{
    pthread_mutex_destroy(&m->lock);
}

void metrics_request(struct metrics *m, enum metrics_endpoint endpoint, int status)
{
    const int kind = status / 100 - 1;
    if (kind < 0 || kind >= METRICS_STATUSES) return;
    metrics_count(m, &m->requests[endpoint][kind], 1);
}

void metrics_count(struct metrics *m, uint64_t *counter, uint64_t n)
{
    pthread_mutex_lock(&m->lock);
    *counter += n;
    pthread_mutex_unlock(&m->lock);
}

void metrics_observe(struct metrics *m, struct metrics_histogram *h, double seconds)
{
    int i = 0;
    pthread_mutex_lock(&m->lock);
    while (i < METRICS_BUCKETS && seconds > bounds[i]) i++;
    if (i < METRICS_BUCKETS) h->bucket[i]++;
    h->count++;
    h->sum += seconds;
    pthread_mutex_unlock(&m->lock);
}

void metrics_slots(struct metrics *m, int slots)
{
    pthread_mutex_lock(&m->lock);
    m->slots = slots;
    pthread_mutex_unlock(&m->lock);
}

void metrics_text(struct metrics *m, const ead_summary *s, uint64_t prompt, uint64_t cached)
{
    pthread_mutex_lock(&m->lock);
    m->texts++;
    m->prompt_tokens += prompt;
    m->cached_tokens += cached;
    m->switches += (uint64_t)s->switches;
    for (int w = 0; w < EAD_WRITERS; w++) work_add(&m->work[w], &s->work[w]);
    pthread_mutex_unlock(&m->lock);
}

void metrics_step(struct metrics *m, double seconds, int live, int waiting, int kept, size_t memory)
{
    pthread_mutex_lock(&m->lock);
    m->steps += seconds > 0;
    m->step_seconds += seconds;
    m->live = live;
    m->waiting = waiting;
    m->kept = kept;
    m->memory = memory;
    pthread_mutex_unlock(&m->lock);
}

/* ---- writing ----------------------------------------------------------------------------- */

static enum status head(struct buf *out, const char *name, const char *type, const char *help)
{
    return buf_printf(out, "# HELP ead_%s %s\n# TYPE ead_%s %s\n", name, help, name, type);
}

static enum status counter(struct buf *out, const char *name, const char *help, uint64_t n)
{
    TRY(head(out, name, "counter", help));
    return buf_printf(out, "ead_%s %llu\n", name, (unsigned long long)n);
}

static enum status gauge(struct buf *out, const char *name, const char *help, double x)
{
    TRY(head(out, name, "gauge", help));
    return buf_printf(out, "ead_%s %.17g\n", name, x);
}

static enum status histogram(struct buf *out, const char *name, const char *help,
                             const struct metrics_histogram *h)
{
    uint64_t sum = 0;
    TRY(head(out, name, "histogram", help));
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        sum += h->bucket[i];
        TRY(buf_printf(out, "ead_%s_bucket{le=\"%g\"} %llu\n", name, bounds[i],
                       (unsigned long long)sum));
    }
    return buf_printf(out, "ead_%s_bucket{le=\"+Inf\"} %llu\nead_%s_sum %.9g\nead_%s_count %llu\n",
                      name, (unsigned long long)h->count, name, h->sum, name,
                      (unsigned long long)h->count);
}

static enum status write_requests(const struct metrics *m, struct buf *out)
{
    TRY(head(out, "requests_total", "counter", "Requests answered, by endpoint and status."));
    for (int e = 0; e < METRICS_ENDPOINTS; e++)
        for (int s = 1; s < METRICS_STATUSES; s++)
            TRY(buf_printf(out, "ead_requests_total{endpoint=\"%s\",status=\"%dxx\"} %llu\n",
                           endpoints[e], s + 1, (unsigned long long)m->requests[e][s]));
    TRY(counter(out, "requests_cancelled_total", "Requests whose client left before the end.",
                m->cancelled));
    return counter(out, "requests_refused_total", "Requests refused because the queue was full.",
                   m->refused_full);
}

static enum status write_work(const struct metrics *m, struct buf *out)
{
    TRY(head(out, "tokens_total", "counter", "Tokens written, by model."));
    for (int w = 0; w < EAD_WRITERS; w++)
        TRY(buf_printf(out, "ead_tokens_total{model=\"%s\"} %lld\n", writers[w],
                       (long long)m->work[w].tokens));
    TRY(head(out, "rows_total", "counter", "Rows evaluated, by model and kind."));
    for (int w = 0; w < EAD_WRITERS; w++)
        TRY(buf_printf(out,
                       "ead_rows_total{model=\"%s\",kind=\"prompt\"} %lld\n"
                       "ead_rows_total{model=\"%s\",kind=\"decode\"} %lld\n"
                       "ead_rows_total{model=\"%s\",kind=\"catchup\"} %lld\n",
                       writers[w], (long long)m->work[w].prompt_rows, writers[w],
                       (long long)m->work[w].decode_rows, writers[w],
                       (long long)m->work[w].catchup_rows));
    TRY(head(out, "model_seconds_total", "counter", "Time in passes, by model."));
    for (int w = 0; w < EAD_WRITERS; w++)
        TRY(buf_printf(out, "ead_model_seconds_total{model=\"%s\"} %.9g\n", writers[w],
                       work_seconds(&m->work[w])));
    return ST_OK;
}

/* A family of counters of models behind an API, with a label beside the model's. */
struct family {
    const char *name, *help, *label;
    struct {
        const char *value;
        size_t offset; /* of an int64_t in ead_wire */
    } of[2];
};

static const struct family families[] = {
    {"api_requests_total",
     "Requests to models behind an API; retries are among them.",
     "kind",
     {{"all", offsetof(ead_wire, requests)}, {"retry", offsetof(ead_wire, retries)}}},
    {"api_bytes_total",
     "Bytes to and from them, with heads.",
     "way",
     {{"out", offsetof(ead_wire, bytes_out)}, {"in", offsetof(ead_wire, bytes_in)}}},
    {"api_tokens_total",
     "Tokens that they sent, and those that nobody wanted.",
     "kind",
     {{"received", offsetof(ead_wire, received)}, {"discarded", offsetof(ead_wire, discarded)}}},
    {"api_prompt_tokens_total",
     "Tokens of prefixes sent, and those that they had cached.",
     "kind",
     {{"sent", offsetof(ead_wire, prompt_tokens)}, {"cached", offsetof(ead_wire, cached_tokens)}}},
};

static enum status write_family(const struct metrics *m, const struct family *f, struct buf *out)
{
    TRY(head(out, f->name, "counter", f->help));
    for (int w = 0; w < EAD_WRITERS; w++)
        for (int i = 0; i < 2 && m->wire[w].requests; i++) {
            int64_t value;
            memcpy(&value, (const char *)&m->wire[w] + f->of[i].offset, sizeof value);
            TRY(buf_printf(out, "ead_%s{model=\"%s\",%s=\"%s\"} %lld\n", f->name, writers[w],
                           f->label, f->of[i].value, (long long)value));
        }
    return ST_OK;
}

/* Where no model is behind an API there is nothing to tell. */
static enum status write_wire(const struct metrics *m, struct buf *out)
{
    if (!m->wire[EAD_SMALL].requests && !m->wire[EAD_LARGE].requests) return ST_OK;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        TRY(write_family(m, &families[i], out));
    return ST_OK;
}

static enum status write_all(const struct metrics *m, struct buf *out)
{
    TRY(write_requests(m, out));
    TRY(counter(out, "texts_total", "Texts that ended.", m->texts));
    TRY(counter(out, "prompt_tokens_total", "Tokens of prompts.", m->prompt_tokens));
    TRY(counter(out, "cached_tokens_total", "Of these, tokens found in the prefix cache.",
                m->cached_tokens));
    TRY(counter(out, "switches_total", "Changes of the writing model.", m->switches));
    TRY(write_work(m, out));
    TRY(write_wire(m, out));
    TRY(counter(out, "steps_total", "Steps of the scheduler.", m->steps));
    TRY(head(out, "step_seconds_total", "counter", "Time in these steps."));
    TRY(buf_printf(out, "ead_step_seconds_total %.9g\n", m->step_seconds));
    TRY(gauge(out, "texts_live", "Texts being read or written.", m->live));
    TRY(gauge(out, "texts_waiting", "Texts in the queue.", m->waiting));
    TRY(gauge(out, "texts_kept", "Texts kept for their prefixes.", m->kept));
    TRY(gauge(out, "slots", "Texts that can be live at once.", m->slots));
    TRY(gauge(out, "cache_bytes", "Memory of KV caches and scratch.", (double)m->memory));
    TRY(histogram(out, "queue_seconds", "From a request's arrival to its first step.", &m->queued));
    TRY(histogram(out, "first_token_seconds", "From a request's arrival to its first token.",
                  &m->first_token));
    return histogram(out, "between_tokens_seconds", "From one token of a text to the next.",
                     &m->between_tokens);
}

void metrics_wire(struct metrics *m, const ead_duo *duo)
{
    const ead_wire small = ead_duo_wire(duo, EAD_SMALL), large = ead_duo_wire(duo, EAD_LARGE);
    pthread_mutex_lock(&m->lock);
    m->wire[EAD_SMALL] = small;
    m->wire[EAD_LARGE] = large;
    pthread_mutex_unlock(&m->lock);
}

enum status metrics_write(struct metrics *m, struct buf *out)
{
    pthread_mutex_lock(&m->lock);
    const struct metrics now = *m;
    pthread_mutex_unlock(&m->lock);
    return write_all(&now, out);
}
