#include "cli/remote.h"

#include "base/clock.h"
#include "cli/screen.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 512 };

struct remote {
    struct transport *transport;
    char url[URL_MAX];
    int patience;
    double progress; /* when it was made last */
    bool streams;    /* of the request under way */
    int64_t came;    /* bytes, at the last look */
};

/* ---- the address ------------------------------------------------------------------------- */

static bool has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    const bool has = !curl_url_get(u, part, &text, 0);
    curl_free(text);
    return has;
}

static bool is_http(CURLU *u)
{
    char *scheme = NULL;
    const bool is = !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
                    (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
    curl_free(scheme);
    return is;
}

/* The path without slashes at its end; /v1 where there is none. */
static bool settle_path(CURLU *u)
{
    char *path = NULL;
    if (curl_url_get(u, CURLUPART_PATH, &path, 0)) return false;
    size_t n = strlen(path);
    while (n && path[n - 1] == '/') path[--n] = 0;
    const bool ok = !curl_url_set(u, CURLUPART_PATH, n ? path : "/v1", 0);
    curl_free(path);
    return ok;
}

static enum status settle_url(CURLU *u, const char *given, char out[URL_MAX], struct err *err)
{
    char *text = NULL;
    const bool parsed = !curl_url_set(u, CURLUPART_URL, given, 0);
    if (parsed && (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD)))
        return err_set(err, ST_ARG,
                       "a name and a password in an address would be seen; --api-key-env gives a "
                       "key");
    if (!parsed || !is_http(u) || has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT))
        return err_set(err, ST_ARG,
                       "expected http://host:port, https:// or one of them with a path, found "
                       "\"%.200s\"",
                       given);
    if (!settle_path(u) || curl_url_get(u, CURLUPART_URL, &text, 0))
        return err_memory(err, "the address");
    const int n = snprintf(out, URL_MAX, "%s", text);
    curl_free(text);
    return n < URL_MAX ? ST_OK
                       : err_set(err, ST_ARG, "expected an address of at most %d bytes, found %d",
                                 URL_MAX - 1, n);
}

/* ---- opening ----------------------------------------------------------------------------- */

static enum status start(struct remote *r, const struct remote_options *o, struct err *err)
{
    CURLU *u = curl_url();
    if (!u) return err_memory(err, "the address");
    const enum status st = settle_url(u, o->url, r->url, err);
    curl_url_cleanup(u);
    TRY(st);
    r->patience = o->patience;
    return transport_open(&(struct transport_options){.key = o->key, .ca_file = o->ca_file},
                          &r->transport, err);
}

enum status remote_open(const struct remote_options *o, struct remote **out, struct err *err)
{
    struct remote *r = calloc(1, sizeof *r);
    const enum status st = r ? start(r, o, err) : err_memory(err, "the connection");
    if (st)
        remote_close(r);
    else
        *out = r;
    return st;
}

void remote_close(struct remote *r)
{
    if (!r) return;
    transport_close(r->transport);
    free(r);
}

const char *remote_url(const struct remote *r)
{
    return r->url;
}

/* ---- asking ------------------------------------------------------------------------------ */

void remote_progress(struct remote *r)
{
    r->progress = clock_seconds();
}

/* Of what is no stream every byte is progress. */
static bool be_patient(void *context)
{
    struct remote *r = context;
    const int64_t came = transport_account(r->transport).bytes_in;
    if (!r->streams && came != r->came) remote_progress(r);
    r->came = came;
    return !screen_interrupted && clock_seconds() - r->progress <= r->patience;
}

static enum status ask(struct remote *r, const char *path, struct request *q,
                       const struct receiver *receiver, struct answer *a, struct err *err)
{
    char url[URL_MAX + 64];
    snprintf(url, sizeof url, "%s%s", r->url, path);
    q->url = url;
    r->streams = q->streams;
    remote_progress(r);
    enum status st = transport_wait(r->transport, q, receiver, be_patient, r, a, err);
    if (st == ST_CANCELLED && screen_interrupted) return err_set(err, st, "interrupted");
    if (st == ST_CANCELLED)
        return err_set(err, ST_IO, "%s: nothing came for %d s; --patience lets it take longer",
                       r->url, r->patience);
    if (a->untrusted) return err_set(err, st, "%s; --ca-cert names one to trust", a->why);
    return st;
}

enum status remote_get(struct remote *r, const char *path, struct answer *a, struct err *err)
{
    return ask(r, path, &(struct request){0}, NULL, a, err);
}

enum status remote_stream(struct remote *r, const char *path, const char *body, remote_take *take,
                          void *context, struct answer *a, struct err *err)
{
    struct request q = {.body = body, .bytes = strlen(body), .streams = true};
    return ask(r, path, &q, &(struct receiver){.context = context, .take = take}, a, err);
}

/* Which option may help; "": none. A page is a proxy's, which knows none. */
static const char *hint(const struct answer *a)
{
    if (strcasestr(a->type, "html")) return "";
    if (a->status == 401 || a->status == 403)
        return "; --api-key-env names the variable that holds the key";
    return a->status == 404 ? "; is the path right, and is there such a --model?" : "";
}

enum status remote_check(const struct remote *r, const char *path, const struct answer *a,
                         const char *wanted, struct err *err)
{
    char where[URL_MAX + 64];
    struct err found;
    snprintf(where, sizeof where, "%s%s", r->url, path);
    const enum status st = answer_check(a, where, wanted, &found);
    return st ? err_set(err, st, "%.900s%s", found.message, hint(a)) : ST_OK;
}
