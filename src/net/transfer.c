#include "net/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_MAX_DEFAULT = 1 << 20,
    HEAD_MAX = 256 << 10, /* libcurl keeps heads whole, and has no ceiling of its own */
    RETRY_MAX_S = 86400,
    KEY_SEEN_MIN = 8 /* a shorter one may stand anywhere by chance: stars would point at it */
};

/* ---- what comes -------------------------------------------------------------------------- */

static void describe(struct transfer *x)
{
    struct answer *a = &x->answer;
    const char *type = NULL, *link = NULL;
    curl_off_t after = 0, length = -1;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &a->status);
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &link);
    curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after);
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (!a->retry_after_ms && after > 0)
        a->retry_after_ms = 1000 * (long)(after < RETRY_MAX_S ? after : RETRY_MAX_S);
    snprintf(a->type, sizeof a->type, "%s", type ? type : "");
    snprintf(a->link, sizeof a->link, "%s", link && strlen(link) < sizeof a->link ? link : "");
    a->length = length;
}

/* Finer than Retry-After, which it may stand beside. */
static void read_retry_ms(struct transfer *x, const char *line, size_t n)
{
    static const char name[] = "retry-after-ms:";
    enum { N_NAME = sizeof name - 1 };
    char value[32];
    if (n <= N_NAME || strncasecmp(line, name, N_NAME) != 0) return;
    snprintf(value, sizeof value, "%.*s", (int)(n - N_NAME), line + N_NAME);
    const double ms = strtod(value, NULL);
    if (ms > 0) x->answer.retry_after_ms = lrint(fmin(ceil(ms), 1000.0 * RETRY_MAX_S));
}

static size_t on_head(char *line, size_t size, size_t n, void *context)
{
    struct transfer *x = context;
    n *= size;
    x->head += n;
    if (x->head > HEAD_MAX) {
        x->cause = CAUSE_HEAD;
        return 0;
    }
    read_retry_ms(x, line, n);
    return n;
}

static bool is_streamed(const struct transfer *x)
{
    static const char type[] = "text/event-stream";
    if (!x->streams || (x->answer.status != 200 && x->answer.status != 206)) return false;
    return x->ranged || !strncasecmp(x->answer.type, type, sizeof type - 1);
}

/* The head is whole: where does the body go? False: nobody wants it. */
static bool begin_body(struct transfer *x)
{
    const struct receiver *r = &x->receiver;
    x->begun = true;
    describe(x);
    x->taken = is_streamed(x);
    if (!x->taken || !r->begin) return true;
    x->transport->handed = true;
    return r->begin(r->context, &x->answer);
}

static bool keep(struct transfer *x, const char *bytes, size_t n)
{
    const size_t room = x->body_max - x->body.len;
    if (buf_add(&x->body, bytes, n < room ? n : room)) {
        x->cause = CAUSE_MEMORY;
        return false;
    }
    x->answer.cut = n > room;
    if (x->answer.cut) x->cause = CAUSE_ENOUGH;
    return !x->answer.cut;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    struct transfer *x = context;
    n *= size;
    bool more = !x->cancelled && (x->begun || begin_body(x)) && !x->cancelled;
    if (more && !x->taken) return keep(x, bytes, n) ? n : 0;
    if (more) {
        x->transport->handed = true;
        more = x->receiver.take(x->receiver.context, bytes, n);
    }
    if (!more) x->cause = CAUSE_ENOUGH;
    return more ? n : 0;
}

/* What libcurl would tell somebody who watches: as much as passes. */
static int on_wire(CURL *easy, curl_infotype kind, char *bytes, size_t n, void *context)
{
    struct transport_account *account = context;
    (void)easy, (void)bytes;
    if (kind == CURLINFO_HEADER_IN || kind == CURLINFO_DATA_IN) account->bytes_in += (int64_t)n;
    if (kind == CURLINFO_HEADER_OUT || kind == CURLINFO_DATA_OUT) account->bytes_out += (int64_t)n;
    return 0;
}

/* A connection stands, and the request is about to be sent. */
static int on_connected(void *context, char *theirs, char *ours, int their_port, int our_port)
{
    struct transfer *x = context;
    (void)theirs, (void)ours, (void)their_port, (void)our_port;
    x->answer.connected = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- beginning --------------------------------------------------------------------------- */

/* The part of an address that names the server, behind the scheme; NULL: it is none of HTTP. */
static const char *authority(const char *url)
{
    if (!strncasecmp(url, "http://", 7)) return url + 7;
    if (!strncasecmp(url, "https://", 8)) return url + 8;
    return NULL;
}

static enum status check_request(const struct request *q, struct err *err)
{
    const char *server = authority(q->url);
    if (!server)
        return err_set(err, ST_ARG, "expected an address of http:// or https://, found \"%.*s\"",
                       (int)strcspn(q->url, ":/?#@"), q->url); /* behind it a secret may stand */
    if (memchr(server, '@', strcspn(server, "/?#")))
        return err_set(err, ST_ARG, "a name and a password in an address would be seen");
    if (q->range && q->range[strspn(q->range, "0123456789-")])
        return err_set(err, ST_ARG, "expected a range of bytes as \"1024-\", found \"%.40s\"",
                       q->range);
    if (q->body_max > ANSWER_BODY_MAX)
        return err_set(err, ST_ARG, "expected an answer of at most %d bytes, found %zu",
                       ANSWER_BODY_MAX, q->body_max);
    return ST_OK;
}

static bool set_connection(struct transfer *x, const struct request *q)
{
    const struct transport *t = x->transport;
    CURL *e = x->easy;
    return !curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L) &&
           !curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_ms) &&
           !curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(q->seconds * 1e3)) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) &&
           !(t->ca_file && curl_easy_setopt(e, CURLOPT_CAINFO, t->ca_file));
}

static bool set_callbacks(struct transfer *x)
{
    CURL *e = x->easy;
    return !curl_easy_setopt(e, CURLOPT_PRIVATE, x) &&
           !curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->reason) &&
           !curl_easy_setopt(e, CURLOPT_VERBOSE, 1L) &&
           !curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_wire) &&
           !curl_easy_setopt(e, CURLOPT_DEBUGDATA, &x->transport->account) &&
           !curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected) &&
           !curl_easy_setopt(e, CURLOPT_PREREQDATA, x) &&
           !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head) &&
           !curl_easy_setopt(e, CURLOPT_HEADERDATA, x) &&
           !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) &&
           !curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
}

static bool set_request(struct transfer *x, const struct request *q)
{
    CURL *e = x->easy;
    if (curl_easy_setopt(e, CURLOPT_URL, q->url) ||
        curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->transport->headers))
        return false;
    if (q->range && curl_easy_setopt(e, CURLOPT_RANGE, q->range)) return false;
    if (!q->body) return !curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    return !curl_easy_setopt(e, CURLOPT_POST, 1L) &&
           !curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->bytes) &&
           !curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body);
}

void transfer_release(struct transfer *x)
{
    curl_easy_cleanup(x->easy);
    buf_deinit(&x->body);
    free(x);
}

enum status transfer_open(struct transport *t, const struct request *q, const struct receiver *r,
                          struct transfer **out, struct err *err)
{
    TRY(check_request(q, err));
    struct transfer *x = calloc(1, sizeof *x);
    if (!x) return err_memory(err, "a request");
    x->transport = t;
    x->receiver = *r;
    x->streams = q->streams;
    x->ranged = q->range != NULL;
    x->body_max = q->body_max ? q->body_max : BODY_MAX_DEFAULT;
    x->body.max = x->body_max + 1;
    x->answer.length = -1;
    x->answer.body = &x->body;
    snprintf(x->shown, sizeof x->shown, "%.*s", (int)strcspn(q->url, "?#"), q->url);
    x->easy = curl_easy_init();
    if (!x->easy || !set_connection(x, q) || !set_callbacks(x) || !set_request(x, q)) {
        transfer_release(x);
        return err_memory(err, "a request");
    }
    *out = x;
    return ST_OK;
}

/* ---- its end ----------------------------------------------------------------------------- */

static enum status explain(struct transfer *x, CURLcode code)
{
    struct err *err = &x->err;
    const char *why = x->reason[0] ? x->reason : curl_easy_strerror(code);
    switch (code) {
    case CURLE_OK: return ST_OK;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return err_set(err, ST_IO, "%s: cannot connect: %s", x->shown, why);
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ST_IO, "%s: no connection in %g s: %s", x->shown,
                       x->transport->connect_ms / 1000.0, why);
    case CURLE_PEER_FAILED_VERIFICATION:
        x->answer.untrusted = true;
        return err_set(err, ST_IO, "%s: its certificate is not trusted: %s", x->shown, why);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
        return err_set(err, ST_IO, "%s: the connection broke: %s", x->shown, why);
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, ST_MEMORY, "%s: no memory for the answer", x->shown);
    default: return err_set(err, ST_IO, "%s: %s", x->shown, why);
    }
}

static enum status judge(struct transfer *x, CURLcode code)
{
    switch (x->cause) {
    case CAUSE_ENOUGH: return ST_OK;
    case CAUSE_MEMORY: return explain(x, CURLE_OUT_OF_MEMORY);
    case CAUSE_HEAD:
        return err_set(&x->err, ST_IO, "%s: the head of the answer is longer than %d bytes",
                       x->shown, HEAD_MAX);
    case CAUSE_NONE: break;
    }
    return explain(x, code);
}

static void hide(char *text, size_t n, const char *key)
{
    const size_t length = strlen(key);
    char *end = text + n, *found;
    if (length < KEY_SEEN_MIN) return;
    while ((found = memmem(text, (size_t)(end - text), key, length))) {
        memset(found, '*', length);
        text = found + length;
    }
}

/* Where a server that refuses says the key back. */
static void hide_key(struct transfer *x)
{
    const char *key = x->transport->key;
    struct answer *a = &x->answer;
    if (!key || a->status == 200 || a->status == 206) return;
    if (x->body.data) hide(x->body.data, x->body.len, key);
    hide(a->link, strlen(a->link), key);
}

void transfer_judge(struct transfer *x, CURLcode code)
{
    struct answer *a = &x->answer;
    describe(x);
    a->code = judge(x, code);
    a->why = a->code ? x->err.message : NULL;
    hide_key(x);
}
