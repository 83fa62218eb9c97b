#include "eval/transcript.h"

#include "eval/fault.h"
#include "json/unicode.h"

#include <math.h>
#include <stdlib.h>

static ead_status checked(const struct transcript *t, ead_error *error)
{
    return t->bad ? fault_memory(error, "an answer") : EAD_OK;
}

ead_status transcript_open(struct transcript *t, const ead_model *model, unsigned flags,
                           struct transcript_wish wish, ead_error *error)
{
    *t = (struct transcript){.runs = json_array(), .writer = EAD_SMALL, .model = model};
    t->to = open_memstream(&t->output, &t->bytes);
    if (wish.ids) t->ids = json_array();
    if (wish.trace) {
        t->pieces = json_array();
        t->entropy = json_array();
        t->lost = json_array();
    }
    t->bad = !t->runs || !t->to || (wish.ids && !t->ids) ||
             (wish.trace && (!t->pieces || !t->entropy || !t->lost));
    ead_status st = checked(t, error);
    return st ? st : ead_detok_open(model, flags, &t->detok, error);
}

void transcript_close(struct transcript *t)
{
    if (t->to) fclose(t->to);
    ead_detok_close(t->detok);
    json_decref(t->runs);
    json_decref(t->pieces);
    json_decref(t->entropy);
    json_decref(t->ids);
    json_decref(t->lost);
    free(t->writers);
    free(t->output);
    *t = (struct transcript){0};
}

static void end_turn(struct transcript *t)
{
    t->bad |= json_array_append_new(t->runs, json_integer(t->turn));
    t->turn = 0;
}

static void count_turn(struct transcript *t, ead_writer w)
{
    if (w != t->writer) end_turn(t); /* 0 when the large model began */
    t->writer = w;
    t->turn++;
}

/* With four digits behind the point, which is more than a picture shows. */
static json_t *rounded(float x)
{
    return json_real(round((double)x * 1e4) / 1e4);
}

static void trace(struct transcript *t, const ead_token *token, const char *text, size_t bytes)
{
    if ((size_t)t->n + 1 >= t->room) {
        const size_t room = t->room ? 2 * t->room : 256;
        char *more = realloc(t->writers, room);
        t->bad |= !more;
        if (!more) return;
        t->writers = more;
        t->room = room;
    }
    t->writers[t->n] = token->writer == EAD_LARGE ? 'L' : 'S';
    t->writers[t->n + 1] = 0;
    t->bad |= json_array_append_new(t->pieces, unicode_json(text, bytes));
    t->bad |= json_array_append_new(t->entropy, rounded(token->entropy));
}

static void trace_lost(struct transcript *t, const ead_token *token)
{
    size_t bytes = 0;
    const char *text = ead_token_text(t->model, token->id, &bytes);
    if (json_array_size(t->lost) == TRANSCRIPT_LOST_MAX) return;
    json_t *one =
        json_pack("{s:i, s:o, s:o}", "at", t->n, "text", unicode_json(text ? text : "", bytes),
                  "entropy", rounded(token->entropy));
    if (token->judged) {
        t->bad |= json_object_set_new(one, "p", rounded(token->opinion.p));
        t->bad |= json_object_set_new(one, "max_p", rounded(token->opinion.max_p));
    }
    t->bad |= json_array_append_new(t->lost, one);
}

ead_status transcript_add(struct transcript *t, const ead_token *token, ead_error *error)
{
    const char *text;
    size_t bytes;
    if (token->lost) {
        if (t->lost) trace_lost(t, token);
        t->seconds += token->seconds;
        return checked(t, error);
    }
    ead_status st = ead_detok_add(t->detok, token->id, &text, &bytes, error);
    if (st) return st;
    t->bad |= fwrite(text, 1, bytes, t->to) < bytes;
    count_turn(t, token->writer);
    if (t->pieces) trace(t, token, text, bytes);
    if (t->ids) t->bad |= json_array_append_new(t->ids, json_integer(token->id));
    t->seconds += token->seconds;
    t->end = token->end;
    t->n++;
    return checked(t, error);
}

ead_status transcript_end(struct transcript *t, ead_error *error)
{
    const char *text;
    size_t bytes;
    ead_status st = ead_detok_add(t->detok, -1, &text, &bytes, error);
    if (st) return st;
    t->bad |= fwrite(text, 1, bytes, t->to) < bytes;
    end_turn(t);
    t->bad |= fclose(t->to) || !t->output;
    t->to = NULL;
    return checked(t, error);
}
