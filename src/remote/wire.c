#include "remote/wire.h"

#include "base/clock.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The whole address of a path. Those that begin with two slashes stand beside /v1. */
static void make_url(const struct address *a, const char *path, char *out, size_t room)
{
    const bool beside = path[0] == '/' && path[1] == '/';
    snprintf(out, room, "%s%s", beside ? a->root : a->url, beside ? path + 1 : path);
}

enum status wire_request(struct wire *w, struct post *post, char url[WIRE_URL_MAX], char **body,
                         struct request *out, struct err *err)
{
    const bool posts = post->body != NULL;
    make_url(w->address, post->path, url, WIRE_URL_MAX);
    *body = posts ? json_dumps(post->body, JSON_COMPACT) : NULL;
    json_decref(post->body);
    post->body = NULL;
    if (posts && !*body) return err_memory(err, "a request");
    *out = (struct request){.url = url, .body = *body, .bytes = *body ? strlen(*body) : 0};
    return ST_OK;
}

enum status wire_start(struct wire *w, struct post *post, const struct wire_manner *how,
                       const struct receiver *r, char **body, struct transfer **out,
                       struct err *err)
{
    char url[WIRE_URL_MAX];
    struct request q;
    TRY(wire_request(w, post, url, body, &q, err));
    q.streams = how->streams;
    q.seconds = how->seconds;
    q.body_max = how->body_max;
    const enum status st = transport_start(w->transport, &q, r, out, err);
    if (st == ST_OK) return ST_OK;
    free(*body);
    *body = NULL;
    return st;
}

/* ---- trying again ------------------------------------------------------------------------ */

bool wire_may_pass(const struct answer *a)
{
    if (a->code != ST_OK) return a->code == ST_IO && !a->untrusted;
    return a->status == 408 || a->status == 425 || a->status == 429 || a->status >= 500;
}

double wire_pause(const struct wire *w, int attempts, long after_ms)
{
    const struct patience *p = &w->patience;
    const double told = (double)after_ms / 1e3;
    if (attempts >= p->retries || told > p->first) return -1;
    const double jitter = 0.75 + 0.5 * rng_at(w->serial, 1, (uint64_t)attempts);
    return fmax(told, fmin(p->pause * ldexp(jitter, attempts), WIRE_PAUSE_MAX));
}

void wire_name(struct wire *w, char id[WIRE_ID_MAX])
{
    if (!w->nonce && getrandom(&w->nonce, sizeof w->nonce, GRND_NONBLOCK) != sizeof w->nonce)
        w->nonce = (uint64_t)(clock_read(CLOCK_REALTIME) * 1e9) ^ (uintptr_t)w;
    snprintf(id, WIRE_ID_MAX, "ead-%016llx-%08llx-", (unsigned long long)w->nonce,
             (unsigned long long)++w->serial);
}

/* ---- requests that nobody waits for ------------------------------------------------------ */

struct parting {
    struct parting *next;
    struct wire *wire;
    char *body;
    bool warms;
};

static void is_over(void *context, const struct answer *a)
{
    struct parting *p = context, **at = &p->wire->partings;
    (void)a;
    while (*at != p) at = &(*at)->next;
    *at = p->next;
    if (p->warms) p->wire->warming = false;
    free(p->body);
    free(p);
}

/* Whether it can be sent or not: nothing depends on it. */
static bool send_off(struct wire *w, struct post *post, bool warms)
{
    const struct wire_manner briefly = {.seconds = 15};
    struct transfer *x;
    struct parting *p = malloc(sizeof *p);
    if (!p) {
        json_decref(post->body);
        return false;
    }
    *p = (struct parting){.wire = w, .warms = warms};
    const struct receiver r = {.context = p, .over = is_over};
    if (wire_start(w, post, &briefly, &r, &p->body, &x, NULL) != ST_OK) {
        free(p);
        return false;
    }
    p->next = w->partings;
    w->partings = p;
    return true;
}

void wire_abort(struct wire *w, const char *request_id)
{
    struct post post = {0};
    const struct dialect *d = w->address->dialect;
    if (d->abort && d->abort(request_id, &post, NULL) == ST_OK) (void)send_off(w, &post, false);
}

void wire_warm(struct wire *w)
{
    struct post post = {.path = w->address->dialect->models};
    if (!w->bounded && !w->warming && post.path) w->warming = send_off(w, &post, true);
}

void wire_deinit(struct wire *w)
{
    /* What tells servers to stop goes out, if it can. */
    const double until = clock_seconds() + 0.2;
    while (w->partings && clock_seconds() < until) (void)transport_turn(w->transport, 20);
    transport_close(w->transport);
    while (w->partings) {
        struct parting *p = w->partings;
        w->partings = p->next;
        free(p->body);
        free(p);
    }
}

ead_wire wire_account(const struct wire *w)
{
    ead_wire a = w->account;
    const struct transport_account t = transport_account(w->transport), *before = &w->before;
    a.requests = t.requests - before->requests;
    a.connections = t.connections - before->connections;
    a.bytes_out = t.bytes_out - before->bytes_out;
    a.bytes_in = t.bytes_in - before->bytes_in;
    return a;
}
