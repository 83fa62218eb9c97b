#include "cli/remote.h"

#include "base/clock.h"
#include "cli/screen.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_SECONDS = 10, POLL_MS = 100, URL_MAX = 512 };

struct remote {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers; /* owned; the key stands in one */
    char url[URL_MAX];
    int patience;
    double progress; /* when it was made last */
    char why[CURL_ERROR_SIZE];
    /* of the answer under way */
    struct remote_answer *answer;
    remote_take *take;
    void *context;
    bool enough; /* `take` wants no more */
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

static enum status add_header(struct remote *r, const char *line, struct err *err)
{
    struct curl_slist *more = curl_slist_append(r->headers, line);
    if (!more) return err_memory(err, "the request");
    r->headers = more;
    return ST_OK;
}

static enum status add_key(struct remote *r, const char *key, struct err *err)
{
    for (const char *c = key; *c; c++)
        if (*c <= ' ' || *c > '~')
            return err_set(err, ST_ARG, "the key holds a character that no header can");
    char *line = NULL;
    if (asprintf(&line, "Authorization: Bearer %s", key) < 0) return err_memory(err, "the key");
    const enum status st = add_header(r, line, err);
    free(line);
    return st;
}

static enum status prepare(struct remote *r, const struct remote_options *o, struct err *err)
{
    TRY(add_header(r, "Content-Type: application/json", err));
    TRY(add_header(r, "Expect:", err)); /* a body is sent at once */
    if (o->key) TRY(add_key(r, o->key, err));
    CURL *e = r->easy;
    if (curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers) ||
        curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) ||
        curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->why) ||
        (o->ca_file && curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file)))
        return err_memory(err, "the connection");
    return ST_OK;
}

static enum status start(struct remote *r, const struct remote_options *o, struct err *err)
{
    CURLU *u = curl_url();
    if (!u) return err_memory(err, "the address");
    const enum status st = settle_url(u, o->url, r->url, err);
    curl_url_cleanup(u);
    TRY(st);
    r->patience = o->patience;
    r->easy = curl_easy_init();
    r->multi = curl_multi_init();
    if (!r->easy || !r->multi) return err_memory(err, "the connection");
    return prepare(r, o, err);
}

enum status remote_open(const struct remote_options *o, struct remote **out, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) return err_memory(err, "the connection");
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
    curl_easy_cleanup(r->easy);
    curl_multi_cleanup(r->multi);
    curl_slist_free_all(r->headers);
    free(r);
}

const char *remote_url(const struct remote *r)
{
    return r->url;
}

void remote_answer_deinit(struct remote_answer *a)
{
    buf_deinit(&a->body);
    *a = (struct remote_answer){0};
}

void remote_progress(struct remote *r)
{
    r->progress = clock_seconds();
}

/* ---- what comes -------------------------------------------------------------------------- */

static bool is_stream(const struct remote *r)
{
    static const char type[] = "text/event-stream";
    long status = 0;
    const char *found = NULL;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &found);
    return r->take && status == 200 && found && !strncasecmp(found, type, sizeof type - 1);
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *context)
{
    struct remote *r = context;
    n *= size;
    if (is_stream(r)) {
        r->enough = !r->take(r->context, bytes, n);
        return r->enough ? 0 : n;
    }
    remote_progress(r);
    struct buf *body = &r->answer->body;
    const size_t room = REMOTE_BODY_MAX - body->len;
    return buf_add(body, bytes, n < room ? n : room) ? 0 : n;
}

static void describe(struct remote *r)
{
    struct remote_answer *a = r->answer;
    const char *type = NULL, *link = NULL;
    curl_off_t after = 0;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &a->status);
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(r->easy, CURLINFO_REDIRECT_URL, &link);
    curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
    a->retry_after = (long)after;
    snprintf(a->type, sizeof a->type, "%s", type ? type : "");
    snprintf(a->link, sizeof a->link, "%s", link ? link : "");
}

/* ---- the transfer ------------------------------------------------------------------------ */

static const char *reason(const struct remote *r, CURLcode code)
{
    return r->why[0] ? r->why : curl_easy_strerror(code);
}

static enum status explain(const struct remote *r, CURLcode code, struct err *err)
{
    switch (code) {
    case CURLE_OK: return ST_OK;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(err, ST_IO, "%s: cannot connect: %s", r->url, reason(r, code));
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ST_IO, "%s: no connection in %d s: %s", r->url, CONNECT_SECONDS,
                       reason(r, code));
    case CURLE_PEER_FAILED_VERIFICATION:
        return err_set(err, ST_IO,
                       "%s: its certificate is not trusted: %s; --ca-cert names one to "
                       "trust",
                       r->url, reason(r, code));
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return err_set(err, ST_IO, "%s: the connection broke: %s", r->url, reason(r, code));
    case CURLE_OUT_OF_MEMORY: return err_memory(err, "the answer of %s", r->url);
    default: return err_set(err, ST_IO, "%s: %s", r->url, reason(r, code));
    }
}

static CURLcode result(struct remote *r)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(r->multi, &left));)
        if (m->msg == CURLMSG_DONE) return m->data.result;
    return CURLE_FAILED_INIT;
}

/* Until the answer is whole or nobody wants to wait for it any longer. */
static enum status wait_for_it(struct remote *r, struct err *err)
{
    int running = 1;
    for (;;) {
        if (curl_multi_perform(r->multi, &running)) return explain(r, CURLE_OUT_OF_MEMORY, err);
        if (r->enough) return ST_OK;
        if (!running) return explain(r, result(r), err);
        if (screen_interrupted) return err_set(err, ST_CANCELLED, "interrupted");
        if (clock_seconds() - r->progress > r->patience)
            return err_set(err, ST_IO, "%s: nothing came for %d s; --patience lets it take longer",
                           r->url, r->patience);
        curl_multi_poll(r->multi, NULL, 0, POLL_MS, NULL);
    }
}

static enum status transfer(struct remote *r, const char *path, struct err *err)
{
    char url[URL_MAX + 64];
    snprintf(url, sizeof url, "%s%s", r->url, path);
    r->enough = false;
    r->why[0] = 0;
    remote_progress(r);
    if (curl_easy_setopt(r->easy, CURLOPT_URL, url) ||
        curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_bytes) ||
        curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r) || curl_multi_add_handle(r->multi, r->easy))
        return err_memory(err, "the request");
    const enum status st = wait_for_it(r, err);
    describe(r);
    curl_multi_remove_handle(r->multi, r->easy); /* closes what is not whole */
    return st;
}

enum status remote_get(struct remote *r, const char *path, struct remote_answer *a, struct err *err)
{
    *a = (struct remote_answer){0};
    r->answer = a;
    r->take = NULL;
    if (curl_easy_setopt(r->easy, CURLOPT_HTTPGET, 1L)) return err_memory(err, "the request");
    return transfer(r, path, err);
}

enum status remote_stream(struct remote *r, const char *path, const char *body, remote_take *take,
                          void *context, struct remote_answer *a, struct err *err)
{
    *a = (struct remote_answer){0};
    r->answer = a;
    r->take = take;
    r->context = context;
    if (curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body)) ||
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, body))
        return err_memory(err, "the request");
    return transfer(r, path, err);
}
