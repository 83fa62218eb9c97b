#include "net/transport.h"

#include "base/check.h"
#include "base/clock.h"
#include "net/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 100 };

/* ---- opening ----------------------------------------------------------------------------- */

static enum status add_header(struct transport *t, const char *line, struct err *err)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (!more) return err_memory(err, "the head of requests");
    t->headers = more;
    return ST_OK;
}

static enum status add_key(struct transport *t, const char *key, struct err *err)
{
    for (const char *c = key; *c; c++)
        if (*c <= ' ' || *c > '~')
            return err_set(err, ST_ARG, "the key holds a character that no header can");
    char *line = NULL;
    t->key = strdup(key);
    if (!t->key || asprintf(&line, "Authorization: Bearer %s", key) < 0)
        return err_memory(err, "the key");
    const enum status st = add_header(t, line, err);
    free(line);
    return st;
}

static enum status prepare_transport(struct transport *t, const struct transport_options *o,
                                     struct err *err)
{
    t->connect_ms = o->connect_ms ? o->connect_ms : TRANSPORT_CONNECT_MS;
    t->connections = o->connections;
    TRY(add_header(t, "Content-Type: application/json", err));
    TRY(add_header(t, "Expect:", err)); /* a body is sent at once */
    if (o->key) TRY(add_key(t, o->key, err));
    if (o->ca_file && !(t->ca_file = strdup(o->ca_file))) return err_memory(err, "a path");
    t->multi = curl_multi_init();
    if (!t->multi ||
        (t->connections && curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)t->connections)))
        return err_memory(err, "connections");
    return ST_OK;
}

enum status transport_open(const struct transport_options *o, struct transport **out,
                           struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) return err_memory(err, "connections");
    struct transport *t = calloc(1, sizeof *t);
    if (!t) return err_memory(err, "connections");
    const enum status st = prepare_transport(t, o, err);
    if (st)
        transport_close(t);
    else
        *out = t;
    return st;
}

void transport_close(struct transport *t)
{
    if (!t) return;
    CHECK(!t->turning);
    while (t->first) transfer_cancel(t->first);
    curl_multi_cleanup(t->multi);
    curl_slist_free_all(t->headers);
    buf_deinit(&t->body);
    free(t->key);
    free(t->ca_file);
    free(t);
}

struct transport_account transport_account(const struct transport *t)
{
    return t->account;
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static void append(struct transport *t, struct transfer *x)
{
    x->before = t->last;
    *(t->last ? &t->last->after : &t->first) = x;
    t->last = x;
    t->n++;
}

enum status transport_start(struct transport *t, const struct request *q, const struct receiver *r,
                            struct transfer **out, struct err *err)
{
    TRY(transfer_open(t, q, r, out, err));
    append(t, *out);
    return ST_OK;
}

/* Out of libcurl, which closes the connection of what is not whole, and out of the list. */
static void detach(struct transfer *x)
{
    struct transport *t = x->transport;
    long connections = 0;
    CHECK(!t->inside);
    if (x->running) {
        curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connections);
        t->account.connections += connections;
        curl_multi_remove_handle(t->multi, x->easy);
        t->n_running--;
    }
    x->running = false;
    *(x->before ? &x->before->after : &t->first) = x->after;
    *(x->after ? &x->after->before : &t->last) = x->before;
    t->n--;
}

void transfer_cancel(struct transfer *x)
{
    if (!x) return;
    CHECK(!x->over);
    if (x->transport->inside) {
        x->cancelled = x->transport->cancelled = true;
        return;
    }
    detach(x);
    transfer_release(x);
}

static void end(struct transfer *x, CURLcode code)
{
    transfer_judge(x, code);
    detach(x);
    x->over = true;
    x->transport->handed = true;
    x->receiver.over(x->receiver.context, &x->answer);
    transfer_release(x);
}

/* ---- turning ----------------------------------------------------------------------------- */

static struct transfer *find_running(const struct transport *t, bool running)
{
    struct transfer *x = t->first;
    while (x && x->running != running) x = x->after;
    return x;
}

/* Those that wait, as far as there is a place for them. */
static void admit(struct transport *t)
{
    while (t->n_running < t->n && (!t->connections || t->n_running < t->connections)) {
        struct transfer *x = find_running(t, false);
        if (curl_multi_add_handle(t->multi, x->easy)) {
            end(x, CURLE_OUT_OF_MEMORY);
            break;
        }
        x->running = true;
        t->n_running++;
        t->account.requests++;
    }
}

static void release_cancelled(struct transport *t)
{
    if (!t->cancelled) return;
    t->cancelled = false;
    for (struct transfer *x = t->first, *after; x; x = after) {
        after = x->after;
        if (x->cancelled) transfer_cancel(x);
    }
}

/* Let libcurl go on, and hand out ends. */
static void go_on(struct transport *t)
{
    int n;
    t->inside = true;
    const CURLMcode bad = curl_multi_perform(t->multi, &n);
    t->inside = false;
    release_cancelled(t);
    for (CURLMsg *m; (m = curl_multi_info_read(t->multi, &n));) {
        struct transfer *x = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        const CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
        end(x, code);
    }
    for (struct transfer *x; bad && (x = find_running(t, true));) end(x, CURLE_OUT_OF_MEMORY);
}

bool transfer_is_sent(const struct transfer *x)
{
    return x->running;
}

int transport_turn(struct transport *t, int wait_ms)
{
    const double until = clock_seconds() + wait_ms / 1000.0;
    CHECK(!t->turning);
    t->turning = true;
    t->handed = false;
    for (;;) {
        admit(t);
        go_on(t);
        const double left = until - clock_seconds();
        if (t->handed || !t->n || left <= 0) break;
        if (curl_multi_poll(t->multi, NULL, 0, (int)ceil(1000 * left), NULL)) break;
    }
    t->turning = false;
    return t->n;
}

/* ---- one request, waited for ------------------------------------------------------------- */

struct waiter {
    const struct receiver *receiver;
    struct transfer *transfer;
    struct answer *out;
    bool over;
};

static bool pass_head(void *context, const struct answer *head)
{
    const struct receiver *r = ((struct waiter *)context)->receiver;
    return !r || !r->begin || r->begin(r->context, head);
}

static bool pass_piece(void *context, const char *bytes, size_t n)
{
    const struct receiver *r = ((struct waiter *)context)->receiver;
    return r && r->take(r->context, bytes, n);
}

static void keep_answer(void *context, const struct answer *a)
{
    struct waiter *w = context;
    struct transport *t = w->transfer->transport;
    *w->out = *a;
    t->body = w->transfer->body;
    w->transfer->body = (struct buf){0};
    t->err = w->transfer->err;
    w->out->body = &t->body;
    w->out->why = a->code ? t->err.message : NULL;
    w->over = true;
}

enum status transport_wait(struct transport *t, const struct request *q, const struct receiver *r,
                           transport_patience *patience, void *context, struct answer *out,
                           struct err *err)
{
    struct waiter w = {.receiver = r, .out = out};
    const struct receiver mine = {&w, pass_head, pass_piece, keep_answer};
    buf_deinit(&t->body);
    *out = (struct answer){.length = -1, .body = &t->body};
    TRY(transport_start(t, q, &mine, &w.transfer, err));
    for (;;) {
        transport_turn(t, PATIENCE_MS);
        if (w.over) return out->code ? err_set(err, out->code, "%s", out->why) : ST_OK;
        if (!patience || patience(context)) continue;
        transfer_cancel(w.transfer);
        return err_set(err, ST_CANCELLED, "%.*s: given up", (int)strcspn(q->url, "?#"), q->url);
    }
}
