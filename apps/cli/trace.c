#include "cli/trace.h"

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/source.h"
#include "json/jsonio.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

FILE *trace_create(const char *path)
{
    FILE *to = fopen(path, "w");
    if (!to)
        fail("%s: cannot create: %s", path, strerror(errno));
    else
        setvbuf(to, NULL, _IOLBF, 1 << 16);
    return to;
}

/* A number as JSON has it; null where there is none. */
static const char *digits(double x, char out[32])
{
    return isfinite(x) ? json_digits(x, out) : "null";
}

/* `"name": X, `, or nothing where there is no number. */
static void put(FILE *to, const char *name, float x)
{
    char text[32];
    if (isfinite(x)) fprintf(to, "\"%s\": %s, ", name, json_digits((double)x, text));
}

static void put_bounds(FILE *to, const ead_stats *s)
{
    char low[32], high[32];
    if (s->exact) return;
    fprintf(to, "\"entropy_lo\": %s, \"entropy_hi\": %s, \"exact\": false, ",
            digits((double)s->entropy_lo, low), digits((double)s->entropy_hi, high));
}

static void put_opinion(FILE *to, const ead_opinion *o)
{
    fputs("\"judged\": {", to);
    put(to, "p", o->p);
    put(to, "max_p", o->max_p);
    put(to, "entropy_p", o->entropy_p);
    put(to, "top_entropy", o->top_entropy);
    put(to, "measure", o->measure);
    put(to, "q", o->q);
    put(to, "max_q", o->max_q);
    put(to, "chance", o->chance);
    if (o->rank >= 0) fprintf(to, "\"rank\": %d, ", o->rank);
    fprintf(to, "\"argmax\": %d, \"own\": %d, \"native\": %s}, ", o->argmax, o->own,
            o->native ? "true" : "false");
}

/* What stands before a token. */
static void put_past(FILE *to, const ead_token *t)
{
    if (t->lost) fputs("\"lost\": true, ", to);
    if (t->taken_back > 0) fprintf(to, "\"taken_back\": %d, ", t->taken_back);
    if (t->judgement.n)
        fprintf(to, "\"judgement\": {\"judged\": %d, \"kept\": %d}, ", t->judgement.n,
                t->judgement.kept);
    if (t->alone) fputs("\"alone\": true, ", to);
}

static void put_line(FILE *to, const ead_token *t, const char *quoted)
{
    char log_prob[32], entropy[32], rolling[32];
    fprintf(to, "{\"i\": %lld, ", (long long)t->index);
    put_past(to, t);
    fprintf(to, "\"id\": %d, \"text\": %s, \"model\": \"%s\", \"log_prob\": %s, \"entropy\": %s, ",
            t->id, quoted, t->writer == EAD_LARGE ? "large" : "small",
            digits((double)t->log_prob, log_prob), digits((double)t->entropy, entropy));
    put_bounds(to, &t->stats);
    put(to, "max_prob", t->stats.max_prob);
    put(to, "margin", t->stats.margin);
    fprintf(to, "\"argmax\": %d, ", t->stats.argmax);
    put(to, "top_entropy", t->top_entropy);
    fprintf(to, "\"rolling\": %s, ", digits(t->rolling, rolling));
    if (t->judged) put_opinion(to, &t->opinion);
    if (t->end) fputs("\"end\": true, ", to);
    fprintf(to, "\"ms\": %.3f, \"switched\": %s}\n", 1e3 * t->seconds,
            t->switched ? "true" : "false");
}

int trace_write(FILE *to, const char *path, const ead_token *token, const char *text, size_t bytes)
{
    json_t *string = json_text(text, bytes);
    char *quoted = string ? jsonio_text(string, JSON_ENCODE_ANY) : NULL;
    if (quoted) put_line(to, token, quoted);
    const bool bad = !quoted || ferror(to);
    free(quoted);
    json_decref(string);
    return bad ? fail("%s: cannot write: %s", path, strerror(errno)) : EXIT_OK;
}

int trace_close(FILE *to, const char *path, int status)
{
    int bad = ferror(to);
    bad |= fclose(to);
    if (status) return status;
    return bad ? fail("%s: cannot write: %s", path, strerror(errno)) : EXIT_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct line {
    int writer;            /* -1: it names none */
    bool lost, judged;     /* judged: it tells what the large model thought of it */
    json_int_t taken_back; /* -1, here and below: that is no number */
    json_int_t drafts, kept;
};

/* An integer of an object; 0 where there is none. */
static json_int_t count_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return !value ? 0 : json_is_integer(value) ? json_integer_value(value) : -1;
}

static struct line parse_line(const char *text, size_t n)
{
    json_t *object = json_loadb(text, n, 0, NULL);
    const char *model = json_string_value(json_object_get(object, "model"));
    const json_t *judgement = json_object_get(object, "judgement");
    const struct line line = {.writer = !model                    ? -1
                                        : !strcmp(model, "large") ? EAD_LARGE
                                        : !strcmp(model, "small") ? EAD_SMALL
                                                                  : -1,
                              .lost = json_is_true(json_object_get(object, "lost")),
                              .judged = json_is_object(json_object_get(object, "judged")),
                              .taken_back = count_of(object, "taken_back"),
                              .drafts = count_of(judgement, "judged"),
                              .kept = count_of(judgement, "kept")};
    json_decref(object);
    return line;
}

/* What has been read: the places of the text so far, and the lost tokens behind them. */
struct reading {
    const char *path;
    size_t number;      /* of the line */
    ead_replay *places; /* [n] */
    size_t n;
    size_t lost, dropped; /* dropped: of those, at the end, what was not judged */
    bool other;           /* among them are some that no recording repeats */
    size_t drafts;        /* places at the end that may have been judged */
};

static int add_lost(struct reading *r, const struct line *line)
{
    r->lost++;
    r->dropped += !line->judged;
    r->other |= line->writer == EAD_LARGE;
    if (line->judged && r->dropped)
        return fail("%s: line %zu: judged: expected none behind a lost token that was not judged",
                    r->path, r->number);
    if (r->lost - r->dropped <= EAD_DRAFT_MAX && r->dropped <= EAD_DRAFT_MAX) return EXIT_OK;
    return fail("%s: line %zu: lost: expected at most %d tokens in a row", r->path, r->number,
                EAD_DRAFT_MAX);
}

/* A judgement in front of a token or, of the small model's, which is the text's last, behind it. */
static int check_judgement(const struct reading *r, const struct line *line)
{
    const bool ends = line->writer == EAD_SMALL;
    const size_t refused = r->lost - r->dropped, standing = r->drafts + ends;
    const size_t most = standing < EAD_DRAFT_MAX ? standing : EAD_DRAFT_MAX;
    if (line->kept < 0 || (size_t)line->kept > most)
        return fail("%s: line %zu: judgement.kept: expected a number from 0 to %zu, the drafts "
                    "before it",
                    r->path, r->number, most);
    if (line->drafts == line->kept + (json_int_t)refused && line->drafts <= EAD_DRAFT_MAX)
        return EXIT_OK;
    return fail("%s: line %zu: judgement.judged: expected the kept and the lost, %lld and %zu, and "
                "%d at most",
                r->path, r->number, (long long)line->kept, refused, EAD_DRAFT_MAX);
}

/* Of a place where told tokens were taken back, what happened before that is not repeated; nor is
 * what was lost behind them, nor are losses of the large model's tokens. */
static int add_place(struct reading *r, const struct line *line)
{
    ead_replay place = {.writer = (uint8_t)line->writer};
    const bool plain = !line->taken_back && !r->other;
    if (line->taken_back < 0 || (size_t)line->taken_back > r->n)
        return fail("%s: line %zu: taken_back: expected a number from 0 to %zu, the tokens before "
                    "it",
                    r->path, r->number, r->n);
    r->n -= (size_t)line->taken_back;
    if (plain && check_judgement(r, line)) return EXIT_FAIL;
    if (plain) place.judged = (uint8_t)line->drafts;
    if (plain && line->writer == EAD_LARGE) {
        place.lost = (uint8_t)r->lost;
        place.dropped = (uint8_t)r->dropped;
    }
    r->places[r->n++] = place;
    r->drafts = line->writer == EAD_LARGE || line->taken_back ? 0 : r->drafts + 1;
    r->lost = r->dropped = 0;
    r->other = line->taken_back > 0;
    return EXIT_OK;
}

static int read_line(struct reading *r, const char *text, size_t length)
{
    const struct line line = parse_line(text, length);
    if (line.writer < 0)
        return fail("%s: line %zu: expected a JSON object with \"model\": \"small\" or \"large\"",
                    r->path, r->number);
    return line.lost ? add_lost(r, &line) : add_place(r, &line);
}

static int read_lines(struct reading *r, const char *text)
{
    for (const char *at = text; *at; r->number++) {
        const size_t length = strcspn(at, "\n");
        if (length && read_line(r, at, length)) return EXIT_FAIL;
        at += length + (at[length] == '\n');
    }
    return r->n ? EXIT_OK : fail("%s: expected a trace of at least one token, found none", r->path);
}

int trace_read(const char *path, ead_replay **places, size_t *n)
{
    char *text;
    size_t bytes;
    if (source_read(path, &text, &bytes)) return EXIT_FAIL;
    source_unmark(text, &bytes);
    *places = malloc(bytes + sizeof **places); /* a line is longer than the place it becomes */
    struct reading r = {.path = path, .number = 1, .places = *places};
    int status = *places ? read_lines(&r, text) : fail("%s: no memory for it", path);
    *n = r.n;
    free(text);
    if (status) {
        free(*places);
        *places = NULL;
    }
    return status;
}
