#include "cli/report.h"

#include "cli/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* null stands for what this run did not measure. */
static json_t *measured(double x)
{
    return x > 0 ? json_number(x) : json_null();
}

/* A model behind an API does not say how large it is. */
static json_t *parameters(uint64_t n)
{
    return n ? json_integer((json_int_t)n) : json_null();
}

/* What went to and fro with a model behind an API. */
static int add_wire(json_t *to, const ead_wire *w)
{
    json_t *wire = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "requests",
        (json_int_t)w->requests, "connections", (json_int_t)w->connections, "retries",
        (json_int_t)w->retries, "bytes_out", (json_int_t)w->bytes_out, "bytes_in",
        (json_int_t)w->bytes_in, "tokens_received", (json_int_t)w->received, "tokens_discarded",
        (json_int_t)w->discarded, "tokens_judged", (json_int_t)w->judged, "server_prompt_tokens",
        (json_int_t)w->prompt_tokens, "server_cached_tokens", (json_int_t)w->cached_tokens,
        "waiting_seconds", json_number(w->waiting_seconds), "writing_seconds",
        json_number(w->writing_seconds));
    const int bad = json_object_update(to, wire);
    json_decref(wire);
    return bad;
}

static json_t *model_report(const struct pair *p, const ead_summary *s, const ead_model *model,
                            const char *path, ead_writer w)
{
    const ead_work *k = &s->work[w];
    if (!model) return json_null();
    const ead_model_info info = ead_model_describe(model);
    json_t *out = json_pack(
        "{s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "file",
        json_text(path, strlen(path)), "parameters", parameters(info.n_params), "active_parameters",
        parameters(info.n_active), "tokens", (json_int_t)k->tokens, "share",
        json_number(s->tokens ? (double)k->tokens / (double)s->tokens : 0), "prompt_rows",
        (json_int_t)k->prompt_rows, "decode_rows", (json_int_t)k->decode_rows, "catchup_rows",
        (json_int_t)k->catchup_rows, "catchup_passes", (json_int_t)k->catchup_passes, "step_ms",
        measured(1e3 * k->step_seconds), "prompt_seconds", json_number(k->prompt_seconds),
        "decode_seconds", json_number(k->decode_seconds), "catchup_seconds",
        json_number(k->catchup_seconds));
    const ead_wire wire = ead_duo_wire(p->duo, w);
    if (!out || !ead_model_is_remote(model) || !add_wire(out, &wire)) return out;
    json_decref(out);
    return NULL;
}

static double peak_memory_mib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (double)usage.ru_maxrss / 1024;
}

/* ---- what was decided by ----------------------------------------------------------------- */

/* The policy and those of its options that it looks at: with a trace, all that its decisions follow
 * from, but for a table of risks. */
static json_t *policy_json(const struct pair *p)
{
    const ead_policy_options policy = pair_policy(p);
    const ead_policy_option *option;
    json_t *out = json_pack(
        "{s:s, s:i, s:o, s:I, s:b}", "name", ead_policy_describe(policy.kind)->name, "vocabulary",
        ead_model_describe(pair_speaker(p)).n_vocab, "temperature", json_number(pair_options.temp),
        "seed", (json_int_t)policy.seed, "table", policy.table != NULL);
    for (size_t i = 0; out && (option = ead_policy_option_at(i)); i++)
        if (option->policies & 1u << policy.kind)
            json_object_set_new(out, option->name, json_option(&policy, option));
    return out;
}

/* What came of judgements; nothing where nobody judged. */
static int add_judgements(const ead_summary *s, json_t *to)
{
    const ead_work *large = &s->work[EAD_LARGE];
    const double standing = (double)(s->tokens - s->taken_back);
    const double rows = (double)(large->decode_rows + large->catchup_rows);
    if (!s->judgements) return 0;
    return json_object_set_new(to, "judgements", json_integer((json_int_t)s->judgements)) |
           json_object_set_new(to, "judged", json_integer((json_int_t)s->judged)) |
           json_object_set_new(to, "refused", json_integer((json_int_t)s->refused)) |
           json_object_set_new(to, "kept_rate",
                               json_number((double)s->kept / (double)(s->judged ? s->judged : 1))) |
           json_object_set_new(to, "large_rows_per_100",
                               standing > 0 ? json_number(100 * rows / standing) : json_null());
}

/* What was written, and how fast. */
static json_t *begin(const ead_summary *s, const char *stop)
{
    double writing = 0, rows = 0; /* decode and catch-up: what tokens per second are counted over */
    for (int w = 0; w < EAD_WRITERS; w++) {
        writing += s->work[w].decode_seconds + s->work[w].catchup_seconds;
        rows += (double)s->work[w].decode_rows;
    }
    json_t *out =
        json_pack("{s:s, s:I, s:f, s:o, s:I, s:o*}", "stop", stop, "tokens", (json_int_t)s->tokens,
                  "seconds", s->seconds, "tokens_per_second",
                  measured(writing > 0 ? rows / writing : 0), "switches", (json_int_t)s->switches,
                  "taken_back", s->taken_back > 0 ? json_integer((json_int_t)s->taken_back) : NULL);
    if (out && !add_judgements(s, out)) return out;
    json_decref(out);
    return NULL;
}

/* What it would have taken otherwise, and where that was. */
static json_t *end(const struct pair *p, const ead_summary *s)
{
    double writing = 0;
    for (int w = 0; w < EAD_WRITERS; w++)
        writing += s->work[w].decode_seconds + s->work[w].catchup_seconds;
    const double relative = s->large_seconds > 0 ? s->seconds / s->large_seconds : 0;
    const double overhead = s->ideal_seconds > 0 ? writing / s->ideal_seconds - 1 : 0;
    return json_pack(
        "{s:o*, s:o*, s:o*, s:o*, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:s, s:s, s:i}",
        "entropies_bounded", s->bounded ? json_integer((json_int_t)s->bounded) : NULL,
        "decisions_open", s->bounded ? json_integer((json_int_t)s->open_decisions) : NULL,
        "large_failure", ead_duo_loss(p->duo) ? json_string(ead_duo_loss(p->duo)) : NULL, "policy",
        policy_json(p), "small", model_report(p, s, p->small, p->small_path, EAD_SMALL), "large",
        model_report(p, s, p->large, p->large_path, EAD_LARGE), "parameter_cost",
        json_number(s->parameter_cost), "large_alone_seconds", measured(s->large_seconds),
        "time_vs_large_alone", measured(relative), "ideal_seconds", measured(s->ideal_seconds),
        "overhead_over_ideal", s->ideal_seconds > 0 ? json_number(overhead) : json_null(),
        "peak_memory_mib", peak_memory_mib(), "cpu", ead_duo_cpu(p->duo), "cache_type",
        pair_caches[pair_options.cache], "threads", ead_duo_threads(p->duo));
}

json_t *report_build(const struct pair *p, const char *stop)
{
    const ead_summary s = ead_duo_summarise(p->duo);
    json_t *out = begin(&s, stop), *rest = end(p, &s);
    const int bad = !out || !rest || json_object_update(out, rest);
    json_decref(rest);
    if (!bad) return out;
    json_decref(out);
    return NULL;
}

/* ---- for people -------------------------------------------------------------------------- */

static void print_number(const json_t *value)
{
    if (json_is_string(value))
        fprintf(stderr, " %16s", json_string_value(value));
    else if (json_is_integer(value))
        fprintf(stderr, " %16lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        fprintf(stderr, " %16.3f", json_real_value(value));
    else
        fprintf(stderr, " %16s", "-");
}

/* The names of one model that another (may be NULL) has not, with the values of both. */
static void print_values(const json_t *names, const json_t *without, const json_t *small,
                         const json_t *large)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)names, name, value)
    {
        if (!strcmp(name, "file") || json_object_get(without, name)) continue;
        fprintf(stderr, "  %-22s", name);
        print_number(json_object_get(small, name));
        print_number(json_object_get(large, name));
        fputc('\n', stderr);
    }
}

/* Values of both models side by side under their common name. */
static void print_models(const json_t *small, const json_t *large)
{
    fprintf(stderr, "  %-22s %16s %16s\n", "", "small", "large");
    print_values(small, NULL, small, large);
    print_values(large, small, small, large);
}

void report_print(const json_t *report)
{
    const char *name;
    json_t *value;
    fputc('\n', stderr);
    json_object_foreach((json_t *)report, name, value)
    {
        if (!strcmp(name, "small")) {
            print_models(value, json_object_get(report, "large"));
        } else if (!strcmp(name, "policy")) {
            fprintf(stderr, "  %-22s", name);
            print_number(json_object_get(value, "name"));
            fputc('\n', stderr);
        } else if (strcmp(name, "large")) {
            fprintf(stderr, "  %-22s", name);
            print_number(value);
            fputc('\n', stderr);
        }
    }
}

/* ---- warnings ---------------------------------------------------------------------------- */

static void warn_of_open_decisions(const ead_summary *s)
{
    if (!s->bounded || (double)s->open_decisions <= 0.01 * (double)s->bounded) return;
    fprintf(stderr,
            "ead: %lld of %lld decisions would be others somewhere within the bounds of their "
            "entropies; more --top-logprobs narrow them\n",
            (long long)s->open_decisions, (long long)s->bounded);
}

/* A few requests in, a cache of prefixes has had its chance, whatever the size of its blocks. */
static void warn_of_cold_cache(const struct pair *p, ead_writer w, const char *address)
{
    enum { REQUESTS = 5, BLOCK = 256 };
    const ead_wire wire = ead_duo_wire(p->duo, w);
    if (wire.prompt_tokens < (int64_t)REQUESTS * BLOCK || wire.cached_tokens) return;
    fprintf(stderr,
            "ead: %s read all %lld tokens of its requests anew: it caches no prefixes, or does not "
            "tell\n",
            address, (long long)wire.prompt_tokens);
}

void report_warn(const struct pair *p)
{
    const ead_summary s = ead_duo_summarise(p->duo);
    warn_of_open_decisions(&s);
    warn_of_cold_cache(p, EAD_SMALL, p->small_path);
    warn_of_cold_cache(p, EAD_LARGE, p->large_path);
}
