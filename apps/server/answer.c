#include "server/answer.h"

#include "server/work.h"
#include "json/jsonio.h"
#include "json/unicode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const writers[EAD_WRITERS] = {[EAD_SMALL] = "small", [EAD_LARGE] = "large"};

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* JSON has no infinity: a token that cannot be has vLLM's number. */
static json_t *log_prob_json(float x)
{
    enum { IMPOSSIBLE = -9999 };
    if (isnan(x)) return json_null();
    return json_real(x < IMPOSSIBLE ? IMPOSSIBLE : (double)x);
}

static json_t *slice(const struct choice *c, size_t begin, size_t end)
{
    return unicode_json(c->text.data ? c->text.data + begin : "", end - begin);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static json_t *token_text(const struct choice *c, int32_t id)
{
    size_t n = 0;
    char name[32];
    if (c->ask->tokens_as_ids)
        return json_stringn(name, (size_t)snprintf(name, sizeof name, "token_id:%d", id));
    const char *text = ead_token_text(c->model, id, &n);
    return unicode_json(text ? text : "", n);
}

static json_t *token_bytes(const struct choice *c, int32_t id)
{
    size_t n = 0;
    const char *text = ead_token_text(c->model, id, &n);
    json_t *bytes = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(bytes, json_integer((unsigned char)text[i]));
    return bytes;
}

/* `name` where there is such a number. */
static void set_known(json_t *out, const char *name, float x)
{
    if (isfinite(x)) json_object_set_new(out, name, json_real((double)x));
}

/* What the large model thought of a draft. */
static json_t *opinion_json(const ead_opinion *o)
{
    json_t *out =
        json_pack("{s:i,s:i,s:b}", "argmax", o->argmax, "own", o->own, "native", o->native);
    set_known(out, "p", o->p);
    set_known(out, "max_p", o->max_p);
    set_known(out, "entropy_p", o->entropy_p);
    set_known(out, "top_entropy", o->top_entropy);
    set_known(out, "measure", o->measure);
    set_known(out, "q", o->q);
    set_known(out, "max_q", o->max_q);
    set_known(out, "chance", o->chance);
    if (o->rank >= 0) json_object_set_new(out, "rank", json_integer(o->rank));
    return out;
}

static void add_bounds(json_t *out, const ead_stats *s)
{
    if (s->exact) return;
    json_object_set_new(out, "entropy_lo", number((double)s->entropy_lo));
    json_object_set_new(out, "entropy_hi", number((double)s->entropy_hi));
    json_object_set_new(out, "exact", json_false());
}

/* What was before a token, and what became of it. */
static void add_past(json_t *out, const ead_token *t)
{
    if (t->alone) json_object_set_new(out, "alone", json_true());
    if (t->taken_back) json_object_set_new(out, "taken_back", json_integer(t->taken_back));
    if (t->judgement.n)
        json_object_set_new(
            out, "judgement",
            json_pack("{s:i,s:i}", "judged", t->judgement.n, "kept", t->judgement.kept));
    if (t->judged) json_object_set_new(out, "judged", opinion_json(&t->opinion));
}

static json_t *token_json(const struct choice *c, const ead_token *t)
{
    size_t n = 0;
    const char *text = ead_token_text(c->model, t->id, &n);
    json_t *out = json_pack(
        "{s:I,s:i,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:i,s:o,s:b}", "i", (json_int_t)t->index, "id", t->id,
        "text", unicode_json(text ? text : "", n), "model", writers[t->writer], "entropy",
        number((double)t->entropy), "rolling", number(t->rolling), "log_prob",
        log_prob_json(t->log_prob), "max_prob", number((double)t->stats.max_prob), "margin",
        number((double)t->stats.margin), "argmax", t->stats.argmax, "ms", number(t->seconds * 1e3),
        "switched", t->switched);
    if (!out) return NULL;
    set_known(out, "top_entropy", t->top_entropy);
    add_bounds(out, &t->stats);
    add_past(out, t);
    return out;
}

static json_t *trace_json(const struct choice *c, const struct choice_record *r)
{
    json_t *out = token_json(c, &r->token), *lost = r->n_lost ? json_array() : NULL;
    for (int i = 0; i < r->n_lost; i++)
        json_array_append_new(lost, token_json(c, &c->lost_tokens[r->first_lost + i]));
    if (lost && out) json_object_set_new(out, "lost", lost);
    return out;
}

/* Those of records [first, last) that were written. */
static json_t *traces_json(const struct choice *c, int first, int last)
{
    json_t *all = json_array();
    for (int i = first; i < last; i++)
        if (!c->records[i].given) json_array_append_new(all, trace_json(c, &c->records[i]));
    return all;
}

/* What was thought of the prompt's last tokens. */
static json_t *given_json(const struct choice *c)
{
    json_t *all = json_array();
    for (int i = 0; i < c->n_records && c->records[i].given; i++) {
        const struct choice_record *r = &c->records[i];
        const ead_stats *s = &r->token.stats;
        json_array_append_new(all, json_pack("{s:i,s:o,s:i,s:o,s:o,s:o,s:i}", "id", r->token.id,
                                             "log_prob", log_prob_json(r->token.log_prob), "rank",
                                             r->rank, "entropy", number((double)s->entropy),
                                             "max_prob", number((double)s->max_prob), "margin",
                                             number((double)s->margin), "argmax", s->argmax));
    }
    return all;
}

/* ---- log-probabilities of a chat ---------------------------------------------------------- */

static json_t *entry_json(const struct choice *c, int32_t id, float log_prob)
{
    return json_pack("{s:o,s:o,s:o}", "token", token_text(c, id), "logprob",
                     log_prob_json(log_prob), "bytes", token_bytes(c, id));
}

static int alternatives(const struct choice *c, const struct choice_record *r)
{
    return r->n_best < c->ask->logprobs ? r->n_best : c->ask->logprobs;
}

static json_t *content_json(const struct choice *c, int first, int last)
{
    json_t *content = json_array();
    for (int i = first; i < last; i++) {
        const struct choice_record *r = &c->records[i];
        if (r->silent) continue;
        json_t *entry = entry_json(c, r->token.id, r->token.log_prob), *top = json_array();
        for (int k = 0; k < alternatives(c, r); k++)
            json_array_append_new(top, entry_json(c, r->best[k].id, r->best[k].log_prob));
        json_object_set_new(entry, "top_logprobs", top);
        json_array_append_new(content, entry);
    }
    return json_pack("{s:o,s:n}", "content", content, "refusal");
}

/* ---- log-probabilities of a completion ---------------------------------------------------- */

/* Characters among the first n bytes. */
static json_int_t characters(const char *text, size_t n)
{
    json_int_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* The alternatives of a token by their texts. Where two have one text the more probable one stays;
 * the token itself is among them. */
static json_t *top_json(const struct choice *c, const struct choice_record *r)
{
    json_t *top = json_object();
    for (int k = 0; k < alternatives(c, r); k++) {
        json_t *name = token_text(c, r->best[k].id);
        if (name && !json_object_get(top, json_string_value(name)))
            json_object_set_new(top, json_string_value(name), log_prob_json(r->best[k].log_prob));
        json_decref(name);
    }
    json_t *own = token_text(c, r->token.id);
    if (own && !json_object_get(top, json_string_value(own)))
        json_object_set_new(top, json_string_value(own), log_prob_json(r->token.log_prob));
    json_decref(own);
    return top;
}

static json_t *columns_json(const struct choice *c, int first, int last)
{
    json_t *tokens = json_array(), *log_probs = json_array(), *top = json_array(),
           *offsets = json_array();
    size_t counted = 0;
    json_int_t offset = 0;
    for (int i = first; i < last; i++) {
        const struct choice_record *r = &c->records[i];
        const size_t begin = r->begin < counted ? counted : r->begin;
        const bool unknown = isnan(r->token.log_prob); /* the first of a text */
        if (begin > counted) offset += characters(c->text.data + counted, begin - counted);
        counted = begin;
        json_array_append_new(tokens, token_text(c, r->token.id));
        json_array_append_new(log_probs, log_prob_json(r->token.log_prob));
        json_array_append_new(top, unknown ? json_null() : top_json(c, r));
        json_array_append_new(offsets, json_integer(offset));
    }
    return json_pack("{s:o,s:o,s:o,s:o}", "tokens", tokens, "token_logprobs", log_probs,
                     "top_logprobs", top, "text_offset", offsets);
}

static json_t *log_probs_json(const struct choice *c, int first, int last)
{
    if (c->ask->logprobs < 0) return json_null();
    return c->ask->kind == ASK_CHAT ? content_json(c, first, last) : columns_json(c, first, last);
}

/* ---- the account ------------------------------------------------------------------------- */

static json_t *rows_json(const ead_work *w)
{
    return json_pack("{s:I,s:I,s:I}", "prompt", (json_int_t)w->prompt_rows, "decode",
                     (json_int_t)w->decode_rows, "catchup", (json_int_t)w->catchup_rows);
}

/* All choices of a job together. */
struct sum {
    ead_work work[EAD_WRITERS];
    json_int_t prompt, cached, written, switches, taken_back;
    double cost;        /* per token, of all that were written */
    double first, last; /* when the first and the last token came */
};

static struct sum sum_up(const struct job *j)
{
    struct sum s = {0};
    double paid = 0, tokens = 0;
    for (int i = 0; i < j->ask.n_prompts; i++) s.prompt += (json_int_t)j->ask.prompts[i].n;
    for (int i = 0; i < j->n_choices; i++) {
        const struct choice *c = &j->choices[i];
        for (int w = 0; w < EAD_WRITERS; w++) work_add(&s.work[w], &c->summary.work[w]);
        s.written += c->n_tokens;
        s.switches += c->summary.switches;
        s.taken_back += c->summary.taken_back;
        if (i % j->ask.n == 0) s.cached += c->cached;
        paid += c->summary.parameter_cost * (double)c->summary.tokens;
        tokens += (double)c->summary.tokens;
        if (c->first_token > 0 && (s.first == 0 || c->first_token < s.first))
            s.first = c->first_token;
        if (c->last_token > s.last) s.last = c->last_token;
    }
    s.cost = tokens > 0 ? paid / tokens : 1;
    return s;
}

static json_t *ead_json(const struct job *j, const struct sum *s)
{
    const ead_work *small = &s->work[EAD_SMALL], *large = &s->work[EAD_LARGE];
    const double both = (double)(small->tokens + large->tokens);
    const double writing = s->last - s->first;
    const json_int_t between = s->written - j->n_choices; /* tokens behind the first ones */
    json_t *seconds = json_pack("{s:o,s:o,s:o,s:o,s:o}", "queue", number(j->began - j->arrived),
                                "first_token", number(s->first > 0 ? s->first - j->arrived : NAN),
                                "total", number(s->last > 0 ? s->last - j->arrived : NAN), "small",
                                number(work_seconds(small)), "large", number(work_seconds(large)));
    return json_pack("{s:{s:I,s:I},s:o,s:I,s:I,s:{s:o,s:o},s:o,s:o,s:o}", "tokens", "small",
                     (json_int_t)small->tokens, "large", (json_int_t)large->tokens, "share",
                     number(both > 0 ? (double)large->tokens / both : NAN), "switches", s->switches,
                     "taken_back", s->taken_back, "rows", "small", rows_json(small), "large",
                     rows_json(large), "parameter_cost", number(s->cost), "seconds", seconds,
                     "tokens_per_second",
                     number(writing > 0 && between > 0 ? (double)between / writing : NAN));
}

static json_t *usage_json(const struct job *j)
{
    const struct sum s = sum_up(j);
    return json_pack("{s:I,s:I,s:I,s:{s:I},s:o}", "prompt_tokens", s.prompt, "completion_tokens",
                     s.written, "total_tokens", s.prompt + s.written, "prompt_tokens_details",
                     "cached_tokens", s.cached, "ead", ead_json(j, &s));
}

/* ---- answers ----------------------------------------------------------------------------- */

static json_t *envelope(const struct job *j, bool chunk, json_t *choices)
{
    char version[48];
    const char *chat = chunk ? "chat.completion.chunk" : "chat.completion";
    snprintf(version, sizeof version, "ead-%s", ead_version());
    return json_pack("{s:s,s:s,s:I,s:s,s:s,s:o}", "id", j->id, "object",
                     j->ask.kind == ASK_CHAT ? chat : "text_completion", "created",
                     (json_int_t)j->created, "model", ask_targets[j->ask.target],
                     "system_fingerprint", version, "choices", choices);
}

static json_t *finish_json(const char *finish)
{
    return finish ? json_string(finish) : json_null();
}

static json_t *choice_json(const struct choice *c)
{
    json_t *text = slice(c, 0, c->text.len), *log_probs = log_probs_json(c, 0, c->n_records);
    json_t *out = c->ask->kind == ASK_CHAT
                      ? json_pack("{s:i,s:{s:s,s:o,s:n},s:o,s:o}", "index", c->index, "message",
                                  "role", "assistant", "content", text, "refusal", "logprobs",
                                  log_probs, "finish_reason", finish_json(c->finish))
                      : json_pack("{s:i,s:o,s:o,s:o}", "index", c->index, "text", text, "logprobs",
                                  log_probs, "finish_reason", finish_json(c->finish));
    json_t *story = c->ask->trace || c->ask->given ? json_object() : NULL;
    if (story && c->ask->given) json_object_set_new(story, "given", given_json(c));
    if (story && c->ask->trace)
        json_object_set_new(story, "trace", traces_json(c, 0, c->n_records));
    if (story) json_object_set_new(out, "ead", story);
    return out;
}

json_t *answer_whole(const struct job *j)
{
    jsonio_begin();
    json_t *choices = json_array();
    for (int i = 0; i < j->n_choices; i++)
        json_array_append_new(choices, choice_json(&j->choices[i]));
    json_t *out = envelope(j, false, choices);
    if (out) json_object_set_new(out, "usage", usage_json(j));
    return jsonio_whole(out);
}

size_t answer_entries(const struct job *j)
{
    enum { BYTES = 64 }; /* of text are as long in the making as an entry */
    size_t n = 0;
    for (int i = 0; i < j->n_choices; i++)
        n += (size_t)j->choices[i].n_records * (size_t)ask_entries(&j->ask) +
             j->choices[i].text.len / BYTES;
    return n;
}

/* A chunk of one choice; `what` is its delta, or its text. */
static json_t *chunk(const struct job *j, const struct choice *c, json_t *what, json_t *log_probs,
                     const char *finish, json_t *story)
{
    const char *name = c->ask->kind == ASK_CHAT ? "delta" : "text";
    json_t *out = json_pack("{s:i,s:o,s:o,s:o}", "index", c->index, name, what, "logprobs",
                            log_probs, "finish_reason", finish_json(finish));
    if (story) json_object_set_new(out, "ead", story);
    json_t *whole = envelope(j, true, json_pack("[o]", out));
    if (whole && j->ask.include_usage) json_object_set_new(whole, "usage", json_null());
    return jsonio_whole(whole);
}

json_t *answer_chunk(const struct job *j, const struct choice *c, size_t begin, size_t end,
                     int first, int last)
{
    jsonio_begin();
    json_t *text = slice(c, begin, end), *story = NULL;
    const bool one = last - first == 1 && !c->records[first].given;
    if (c->ask->trace && one) story = trace_json(c, &c->records[first]);
    if (c->ask->kind == ASK_CHAT) text = json_pack("{s:o}", "content", text);
    return chunk(j, c, text, log_probs_json(c, first, last), NULL, story);
}

json_t *answer_opening(const struct job *j, const struct choice *c)
{
    jsonio_begin();
    return chunk(j, c, json_pack("{s:s,s:s}", "role", "assistant", "content", ""), json_null(),
                 NULL, NULL);
}

json_t *answer_ending(const struct job *j, const struct choice *c)
{
    const bool chat = c->ask->kind == ASK_CHAT;
    jsonio_begin();
    return chunk(j, c, chat ? json_object() : json_string(""), json_null(), c->finish, NULL);
}

json_t *answer_account(const struct job *j)
{
    jsonio_begin();
    json_t *out = envelope(j, true, json_array());
    if (out) json_object_set_new(out, "usage", usage_json(j));
    return jsonio_whole(out);
}
