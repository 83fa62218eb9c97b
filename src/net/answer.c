/* What to say of an answer that is not the one that was wanted. */
#include "net/transport.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SAID_MAX = 320 };

/* ---- what the server says ---------------------------------------------------------------- */

/* "message" under "error" or at the top, or "detail", as servers have it; NULL: none of them. */
static const char *message_of(const json_t *body)
{
    const json_t *error = json_object_get(body, "error");
    const char *found = json_string_value(error);
    if (!found) found = json_string_value(json_object_get(error, "message"));
    if (!found) found = json_string_value(json_object_get(body, "message"));
    if (!found) found = json_string_value(json_object_get(body, "detail"));
    return found;
}

/* The title of a page, without markup. */
static void take_title(const char *page, char out[SAID_MAX])
{
    const char *begin = strcasestr(page, "<title>"), *end = begin ? strchr(begin + 7, '<') : NULL;
    out[0] = 0;
    if (!end) return;
    for (begin += 7; begin < end && isspace((unsigned char)*begin);) begin++;
    snprintf(out, SAID_MAX, "%.*s", (int)(end - begin), begin);
}

/* A few words of the body, behind a colon; empty where it says nothing that one could read. */
static void take_words(const struct answer *a, char out[SAID_MAX])
{
    char words[SAID_MAX] = "";
    const char *body = a->body && a->body->data ? a->body->data : "";
    json_t *json = json_loads(body, 0, NULL);
    const char *message = message_of(json);
    if (message)
        snprintf(words, sizeof words, "%s", message);
    else if (strcasestr(a->type, "html"))
        take_title(body, words);
    else if (!json)
        snprintf(words, sizeof words, "%.*s", (int)strcspn(body, "\r\n"), body);
    json_decref(json);
    snprintf(out, SAID_MAX, "%s%.300s", words[0] ? ": " : "", words);
}

/* ---- sentences --------------------------------------------------------------------------- */

/* Where it has moved to, without what behind a question mark may be a secret. */
static enum status refuse_moved(const struct answer *a, const char *where, struct err *err)
{
    return err_set(err, ST_IO, "%.400s: status %ld: it has moved%s%.*s, and that is not followed",
                   where, a->status, a->link[0] ? " to " : "", (int)strcspn(a->link, "?#"),
                   a->link);
}

static enum status refuse_status(const struct answer *a, const char *where, const char *words,
                                 struct err *err)
{
    char hint[64] = "";
    if ((a->status == 429 || a->status == 503) && a->retry_after_ms > 0)
        snprintf(hint, sizeof hint, "; try again in %ld s", (a->retry_after_ms + 999) / 1000);
    else if (a->status == 429 || a->status == 503)
        snprintf(hint, sizeof hint, "; try again later");
    return err_set(err, a->status == 400 || a->status == 413 ? ST_ARG : ST_IO,
                   "%.400s: status %ld%s%s", where, a->status, words, hint);
}

static bool is_wanted(const struct answer *a, const char *wanted)
{
    return (a->status == 200 || a->status == 206) &&
           (!wanted || !strncasecmp(a->type, wanted, strlen(wanted)));
}

enum status answer_check(const struct answer *a, const char *where, const char *wanted,
                         struct err *err)
{
    char words[SAID_MAX];
    if (a->code) return err_set(err, a->code, "%s", a->why);
    if (is_wanted(a, wanted) && !a->cut) return ST_OK;
    if (is_wanted(a, wanted))
        return err_set(err, ST_IO, "%.400s: the answer is longer than the %zu bytes that are taken",
                       where, a->body->len);
    take_words(a, words);
    if (a->status >= 300 && a->status < 400) return refuse_moved(a, where, err);
    if (strcasestr(a->type, "html"))
        return err_set(err, ST_IO,
                       "%.400s: status %ld, and a page in place of an answer%s; a proxy?", where,
                       a->status, words);
    if (a->status != 200 && a->status != 206) return refuse_status(a, where, words, err);
    return err_set(err, ST_IO, "%.400s: expected %s, found %s%s", where, wanted,
                   a->type[0] ? a->type : "no type", words);
}
