/* What to say of an answer that is not the one that was wanted. */
#include "cli/remote.h"

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
static void take_words(const struct remote_answer *a, char out[SAID_MAX])
{
    char words[SAID_MAX] = "";
    const char *body = a->body.data ? a->body.data : "";
    json_t *json = json_loadb(body, a->body.len, 0, NULL);
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

static enum status refuse_status(const char *where, const struct remote_answer *a,
                                 const char *words, struct err *err)
{
    char hint[96] = "";
    if (a->status == 401 || a->status == 403)
        snprintf(hint, sizeof hint, "; --api-key-env names the variable that holds the key");
    else if (a->status == 404)
        snprintf(hint, sizeof hint, "; is the path right, and is there such a --model?");
    else if ((a->status == 429 || a->status == 503) && a->retry_after > 0)
        snprintf(hint, sizeof hint, "; try again in %ld s", a->retry_after);
    else if (a->status == 429 || a->status == 503)
        snprintf(hint, sizeof hint, "; try again later");
    return err_set(err, a->status == 400 || a->status == 413 ? ST_ARG : ST_IO, "%s: status %ld%s%s",
                   where, a->status, words, hint);
}

enum status remote_check(const struct remote *r, const char *path, const struct remote_answer *a,
                         const char *wanted, struct err *err)
{
    char where[512], words[SAID_MAX];
    if (a->status == 200 && !strncasecmp(a->type, wanted, strlen(wanted))) return ST_OK;
    snprintf(where, sizeof where, "%.400s%s", remote_url(r), path);
    take_words(a, words);
    if (a->status >= 300 && a->status < 400)
        return err_set(err, ST_IO, "%s: status %ld: it has moved%s%s, and that is not followed",
                       where, a->status, a->link[0] ? " to " : "", a->link);
    if (strcasestr(a->type, "html"))
        return err_set(err, ST_IO, "%s: status %ld, and a page in place of an answer%s; a proxy?",
                       where, a->status, words);
    if (a->status != 200) return refuse_status(where, a, words, err);
    return err_set(err, ST_IO, "%s: expected %s, found %s%s", where, wanted,
                   a->type[0] ? a->type : "no type", words);
}
