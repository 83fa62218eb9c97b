#include "hub/hub.h"

#include "base/clock.h"
#include "net/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { HOPS_MAX = 5, TRIES = 4, STALL_SECONDS = 60, WAIT_MS_MAX = 60000, URL_MAX = 4096 };

struct hub {
    char *endpoint;                /* without a slash at its end */
    struct transport *home, *away; /* with the token, and without */
    bool has_token;
    bool reached; /* some server was: one that never was is not tried again */
    const struct watch *watch;
};

/* One thing that is asked for, over all its redirections and tries. */
struct errand {
    struct hub *hub;
    const struct wish *wish;
    char url[URL_MAX];
    struct part *part;    /* NULL: what comes is small, and stays in the answer */
    struct answer answer; /* the last one */
    double heard;         /* when something came */
    bool stalled;
    struct err fault; /* of what came, for which another try is no remedy */
};

/* ---- opening ----------------------------------------------------------------------------- */

static enum status start(struct hub *h, const struct hub_options *o, struct err *err)
{
    h->endpoint = strdup(o->endpoint);
    if (!h->endpoint) return err_memory(err, "an address");
    for (size_t n = strlen(h->endpoint); n && h->endpoint[n - 1] == '/';) h->endpoint[--n] = 0;
    h->watch = o->watch;
    h->has_token = o->token != NULL;
    struct transport_options options = {.ca_file = o->ca_file};
    TRY(transport_open(&options, &h->away, err));
    options.key = o->token;
    return transport_open(&options, &h->home, err);
}

enum status hub_open(const struct hub_options *o, struct hub **out, struct err *err)
{
    struct hub *h = calloc(1, sizeof *h);
    const enum status st = h ? start(h, o, err) : err_memory(err, "the hub");
    if (st)
        hub_close(h);
    else
        *out = h;
    return st;
}

void hub_close(struct hub *h)
{
    if (!h) return;
    transport_close(h->home);
    transport_close(h->away);
    free(h->endpoint);
    free(h);
}

/* ---- what comes -------------------------------------------------------------------------- */

/* A server that knows no ranges begins again, and so do we. */
static bool on_begin(void *context, const struct answer *head)
{
    struct errand *e = context;
    struct part *p = e->part;
    if (head->status == 200 && p->have && part_restart(p, &e->fault)) return false;
    if (head->length < 0 || head->length == p->file->size - p->have) return true;
    err_set(&e->fault, ST_FORMAT, "%s: expected %lld bytes, found %lld", p->file->path,
            (long long)(p->file->size - p->have), (long long)head->length);
    return false;
}

static bool on_take(void *context, const char *bytes, size_t n)
{
    struct errand *e = context;
    e->heard = clock_seconds();
    if (part_add(e->part, bytes, n)) return true;
    e->fault = e->part->fault;
    return false;
}

static void show(const struct errand *e)
{
    const struct watch *w = e->hub->watch;
    if (e->part) w->progress(w->context, e->part->file->path, e->part->have, e->part->file->size);
}

static bool is_patient(void *context)
{
    struct errand *e = context;
    show(e);
    e->stalled = clock_seconds() - e->heard > STALL_SECONDS;
    return !e->stalled && watch_goes_on(e->hub->watch);
}

/* ---- one way there ----------------------------------------------------------------------- */

/* Scheme, host and port are those of the hub, letter for letter. */
static bool is_home(const struct hub *h, const char *url)
{
    const char *host = strstr(h->endpoint, "://");
    if (!host) return true; /* which the transport refuses */
    const size_t n = (size_t)(host - h->endpoint) + 3 + strcspn(host + 3, "/?#");
    return !strncasecmp(url, h->endpoint, n) && (!url[n] || strchr("/?#", url[n]));
}

static bool is_tls(const char *url)
{
    return !strncasecmp(url, "https:", 6);
}

static enum status ask(struct errand *e, const char *url, struct err *err)
{
    struct hub *h = e->hub;
    const struct receiver receiver = {.context = e, .begin = on_begin, .take = on_take};
    char range[32];
    struct request q = {.url = url, .body_max = LISTING_BYTES_MAX};
    if (e->part) {
        snprintf(range, sizeof range, "%lld-", (long long)e->part->have);
        q.range = range;
        q.streams = true;
    }
    e->heard = clock_seconds();
    const enum status st =
        transport_wait(is_home(h, url) ? h->home : h->away, &q, e->part ? &receiver : NULL,
                       is_patient, e, &e->answer, err);
    h->reached |= e->answer.connected;
    return st;
}

static enum status follow(struct errand *e, struct err *err)
{
    char at[URL_MAX];
    snprintf(at, sizeof at, "%s", e->url);
    for (int hop = 0;; hop++) {
        TRY(ask(e, at, err));
        const bool moved = e->answer.status >= 300 && e->answer.status < 400 && *e->answer.link;
        if (!moved || hop == HOPS_MAX) return ST_OK; /* too far is no answer that is wanted */
        if (is_tls(at) && !is_tls(e->answer.link)) return ST_OK;
        snprintf(at, sizeof at, "%s", e->answer.link);
    }
}

/* ---- what it came to --------------------------------------------------------------------- */

static void hint(const struct errand *e, struct err *err)
{
    char why[ERR_MESSAGE_MAX];
    const struct hub *h = e->hub;
    const long status = e->answer.status;
    snprintf(why, sizeof why, "%.600s", err->message);
    if (status == 403)
        err_set(err, ST_IO, "%s; access is granted at %.200s/%s, to the account of %s", why,
                h->endpoint, e->wish->repo,
                h->has_token ? "the token in HF_TOKEN" : "a token to be given in HF_TOKEN");
    else if (status == 401 || status == 404)
        err_set(err, ST_IO, "%s; there is no such thing, or %s", why,
                h->has_token ? "HF_TOKEN does not open it"
                             : "it is private: HF_TOKEN takes a token that opens it");
}

static bool is_busy(long status)
{
    return status == 408 || status == 429 || status >= 500;
}

/* Is the answer what was asked for? */
static enum status judge(const struct errand *e, bool *again, struct err *err)
{
    char where[WISH_REPO_MAX + LISTING_PATH_MAX + 8];
    const struct part *p = e->part;
    if (e->fault.code) {
        *err = e->fault;
        return e->fault.code;
    }
    snprintf(where, sizeof where, "hf:%s%s%s", e->wish->repo, p ? "/" : "", p ? p->file->path : "");
    if (answer_check(&e->answer, where, NULL, err)) {
        hint(e, err);
        *again = is_busy(e->answer.status);
        return ST_IO;
    }
    if (!p || p->have == p->file->size) return ST_OK;
    *again = true;
    return err_set(err, ST_IO, "%s: expected %lld bytes, found %lld", where,
                   (long long)p->file->size, (long long)p->have);
}

static enum status try_once(struct errand *e, bool *again, struct err *err)
{
    e->fault = (struct err){0};
    e->stalled = *again = false;
    const enum status st = follow(e, err);
    if (st == ST_OK) return judge(e, again, err);
    *again = e->stalled || (st == ST_IO && e->hub->reached && !e->answer.untrusted);
    if (e->stalled)
        return err_set(err, ST_IO, "hf:%s: nothing came for %d s", e->wish->repo, STALL_SECONDS);
    return st;
}

/* ---- patience ---------------------------------------------------------------------------- */

static enum status pause(const struct watch *w, long ms, struct err *err)
{
    enum { STEP_MS = 100 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (; ms > 0; ms -= STEP_MS) {
        if (!watch_goes_on(w)) return err_set(err, ST_CANCELLED, "interrupted");
        nanosleep(&step, NULL);
    }
    return ST_OK;
}

/* Try until it is done, or has been in vain TRIES times running. */
static enum status persist(struct errand *e, struct err *err)
{
    const struct watch *w = e->hub->watch;
    char note[ERR_MESSAGE_MAX + 64];
    for (int tries = 1;; tries++) {
        bool again;
        const int64_t had = e->part ? e->part->have : 0;
        const enum status st = try_once(e, &again, err);
        show(e);
        if (!again) return st;
        if (e->part && e->part->have > had) tries = 1;
        if (tries == TRIES) return st;
        long ms = 1000L << (tries - 1);
        if (e->answer.retry_after_ms > ms) ms = e->answer.retry_after_ms;
        if (ms > WAIT_MS_MAX) return st;
        snprintf(note, sizeof note, "%s; trying again in %ld s", err->message, (ms + 999) / 1000);
        w->note(w->context, note);
        TRY(pause(w, ms, err));
    }
}

/* ---- the two questions ------------------------------------------------------------------- */

static enum status too_long(struct err *err)
{
    return err_set(err, ST_ARG, "expected an address of at most %d bytes, found a longer one",
                   URL_MAX - 1);
}

enum status hub_list(struct hub *h, const struct wish *wish, struct buf *out, struct err *err)
{
    struct errand e = {.hub = h, .wish = wish};
    const int n = snprintf(e.url, sizeof e.url, "%s/api/models/%s/revision/%s?blobs=true",
                           h->endpoint, wish->repo, wish->revision);
    if (n >= URL_MAX) return too_long(err);
    TRY(persist(&e, err));
    const struct buf *body = e.answer.body;
    if (!body->data) return err_set(err, ST_FORMAT, "hf:%s: the answer is empty", wish->repo);
    return buf_add(out, body->data, body->len) ? err_memory(err, "the list of files") : ST_OK;
}

/* A path as a URL has it. */
static bool add_path(char url[URL_MAX], size_t n, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/";
    for (; *path; path++) {
        if (n + 4 > URL_MAX) return false;
        const bool as_is = strchr(plain, *path);
        n += (size_t)snprintf(url + n, 4, as_is ? "%c" : "%%%02X", (unsigned char)*path);
    }
    return true;
}

enum status hub_fetch(struct hub *h, const struct wish *wish, const char *commit, struct part *part,
                      struct err *err)
{
    struct errand e = {.hub = h, .wish = wish, .part = part};
    const int n =
        snprintf(e.url, sizeof e.url, "%s/%s/resolve/%s/", h->endpoint, wish->repo, commit);
    if (n >= URL_MAX || !add_path(e.url, (size_t)n, part->file->path)) return too_long(err);
    return persist(&e, err);
}
