#include "server/choice.h"

#include "server/stop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool choice_init(struct choice *c, const struct ask *ask, const ead_model *model, int index)
{
    ead_error error;
    *c = (struct choice){.ask = ask, .model = model, .index = index};
    c->prompt = &ask->prompts[index / ask->n];
    /* A continuation keeps the space that begins its first word. */
    const unsigned flags = ask->kind == ASK_CHAT ? EAD_TEXT_START : 0;
    return ead_detok_open(model, flags, &c->detok, &error) == EAD_OK;
}

void choice_deinit(struct choice *c)
{
    ead_detok_close(c->detok);
    buf_deinit(&c->text);
    free(c->records);
    free(c->lost_tokens);
    *c = (struct choice){0};
}

bool choice_keeps_records(const struct choice *c)
{
    return c->ask->logprobs >= 0 || c->ask->trace || c->ask->given;
}

static struct choice_record *add_record(struct choice *c, const ead_alternative *best, int n_best)
{
    if (c->n_records == c->room) {
        const int room = c->room ? c->room * 2 : 16;
        void *more = realloc(c->records, (size_t)room * sizeof *c->records);
        if (!more) return NULL;
        c->records = more;
        c->room = room;
    }
    struct choice_record *r = &c->records[c->n_records++];
    *r = (struct choice_record){.n_best = n_best < ASK_LOGPROBS_MAX ? n_best : ASK_LOGPROBS_MAX};
    if (r->n_best) memcpy(r->best, best, (size_t)r->n_best * sizeof *best);
    return r;
}

/* ---- echo -------------------------------------------------------------------------------- */

bool choice_add_given(struct choice *c, const ead_scored *token)
{
    struct choice_record *r = add_record(c, token->best, token->n_best);
    if (!r) return false;
    r->given = true;
    r->rank = token->rank;
    r->token = (ead_token){.id = token->id, .log_prob = token->log_prob, .stats = token->stats};
    return true;
}

/* The characters of each token of the prompt, one after the other, and where they stand. */
static bool echo_ids(struct choice *c)
{
    ead_error error;
    ead_detok *detok;
    bool ok = true;
    if (ead_detok_open(c->model, EAD_TEXT_START | EAD_SHOW_SPECIAL, &detok, &error)) return false;
    for (size_t i = 0; i <= c->prompt->n && ok; i++) {
        const char *text;
        size_t n;
        const size_t begin = c->text.len;
        const int32_t id = i < c->prompt->n ? c->prompt->ids[i] : -1;
        ok = !ead_detok_add(detok, id, &text, &n, &error) && buf_add(&c->text, text, n) == ST_OK;
        if (!ok || (int)i >= c->n_records) continue;
        c->records[i].begin = begin;
        c->records[i].end = c->text.len;
    }
    ead_detok_close(detok);
    return ok;
}

static size_t moved(size_t at, size_t back, size_t end)
{
    const size_t to = at > back ? at - back : 0;
    return to < end ? to : end;
}

/* The prompt as it was given, not as tokens would say it: what they begin with beside it, as BOS
 * is, takes none of its characters. */
static bool echo_text(struct choice *c)
{
    const size_t n = c->prompt->bytes, more = c->text.len > n ? c->text.len - n : 0;
    buf_clear(&c->text);
    if (buf_add(&c->text, c->prompt->text, n) != ST_OK) return false;
    for (int i = 0; i < c->n_records; i++) {
        c->records[i].begin = moved(c->records[i].begin, more, n);
        c->records[i].end = moved(c->records[i].end, more, n);
    }
    return true;
}

bool choice_echo(struct choice *c)
{
    if (!echo_ids(c) || (c->prompt->text && !echo_text(c))) return false;
    c->shown = c->echoed = c->text.len;
    return true;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static bool ends_by_id(const struct choice *c, const ead_token *token)
{
    for (int i = 0; i < c->ask->n_stop_ids; i++)
        if (c->ask->stop_ids[i] == token->id) return true;
    return token->end == EAD_END_TOKEN;
}

/* Add the characters that the token (or -1, the end) completes. */
static bool add_text(struct choice *c, int32_t id, size_t *fresh)
{
    ead_error error;
    const char *text;
    if (ead_detok_add(c->detok, id, &text, fresh, &error)) return false;
    return buf_add(&c->text, text, *fresh) == ST_OK;
}

static void look_for_stop(struct choice *c, size_t fresh)
{
    const size_t echo = c->echoed; /* no string that the prompt begins ends the answer */
    const struct stop_found found =
        stop_find(c->ask, c->text.data + echo, c->text.len - echo, fresh);
    const size_t shown = echo + found.shown;
    if (shown > c->shown) c->shown = shown;
    if (!found.stopped) return;
    c->finish = "stop";
    c->text.len = shown;
    c->text.data[shown] = 0;
}

/* Nothing follows: what is held back belongs to the text. */
static bool end_text(struct choice *c, const char *why)
{
    size_t fresh;
    if (!add_text(c, -1, &fresh)) return false;
    if (fresh && c->n_records > c->n_sent) c->records[c->n_records - 1].end = c->text.len;
    if (fresh) look_for_stop(c, fresh);
    if (!c->finish) c->finish = why;
    c->shown = c->text.len;
    return true;
}

/* Tokens behind a stop string are none of the answer's. */
static void drop_records(struct choice *c)
{
    while (c->n_records > c->n_sent && c->records[c->n_records - 1].begin >= c->text.len &&
           c->records[c->n_records - 1].end > c->text.len)
        c->n_records--;
    for (int i = c->n_sent; i < c->n_records; i++)
        if (c->records[i].end > c->text.len) c->records[i].end = c->text.len;
}

/* The record of a token whose characters are the text's from `begin` on. */
static bool add_written(struct choice *c, const ead_token *token, size_t begin,
                        const ead_alternative *best, int n_best)
{
    if (!choice_keeps_records(c)) return true;
    struct choice_record *r = add_record(c, best, n_best);
    if (!r) return false;
    r->token = *token;
    r->begin = begin;
    r->end = c->text.len;
    const struct choice_record *last = c->n_records > 1 ? r - 1 : NULL;
    r->first_lost = last ? last->first_lost + last->n_lost : 0;
    r->n_lost = c->n_lost - r->first_lost;
    return true;
}

/* The token that ends a text has no characters in it. OpenAI's chat does not list it; a completion
 * does, and a trace tells of all that was written. */
static bool end_by_token(struct choice *c, const ead_token *token, const ead_alternative *best,
                         int n_best)
{
    if (!end_text(c, "stop")) return false;
    if (c->ask->kind == ASK_CHAT && !c->ask->trace) return true;
    if (!add_written(c, token, c->text.len, best, n_best)) return false;
    if (choice_keeps_records(c)) c->records[c->n_records - 1].silent = true;
    return true;
}

bool choice_add(struct choice *c, const ead_token *token, const ead_alternative *best, int n_best)
{
    const size_t begin = c->text.len;
    size_t fresh;
    if (c->ask->max_tokens == 0) { /* it was only to be read */
        c->finish = "length";
        return true;
    }
    c->n_tokens++;
    if (ends_by_id(c, token)) return end_by_token(c, token, best, n_best);
    if (!add_text(c, token->id, &fresh) || !add_written(c, token, begin, best, n_best))
        return false;
    if (fresh) look_for_stop(c, fresh);
    if (c->finish) drop_records(c);
    if (c->finish) return true;
    if (token->end || (c->ask->max_tokens >= 0 && c->n_tokens >= c->ask->max_tokens))
        return end_text(c, "length");
    return true;
}

bool choice_lose(struct choice *c, const ead_token *token)
{
    if (!c->ask->trace || c->finish || c->n_lost == CHOICE_LOST_MAX) return true;
    if (c->n_lost == c->lost_room) {
        const int room = c->lost_room ? c->lost_room * 2 : 16;
        ead_token *more = realloc(c->lost_tokens, (size_t)room * sizeof *more);
        if (!more) return false;
        c->lost_tokens = more;
        c->lost_room = room;
    }
    c->lost_tokens[c->n_lost++] = *token;
    return true;
}

int choice_ready(const struct choice *c)
{
    int n = c->n_sent;
    while (n < c->n_records && c->records[n].end <= c->shown) n++;
    return n;
}
