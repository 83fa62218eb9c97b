#include "server/http.h"

#include "server/page.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- routes ------------------------------------------------------------------------------ */

enum answer { ANSWER_HEALTH, ANSWER_METRICS, ANSWER_MODELS, ANSWER_MODEL, ANSWER_PAGE, ANSWER_JOB };

struct route {
    const char *path;
    enum answer answer;
    enum job_kind job;
    enum metrics_endpoint endpoint;
    bool open; /* asks for no key */
};

static const struct route routes[] = {
    {"/", ANSWER_PAGE, 0, METRICS_OTHER, true},
    {"/health", ANSWER_HEALTH, 0, METRICS_OTHER, true},
    {"/metrics", ANSWER_METRICS, 0, METRICS_OTHER, false},
    {"/v1/models", ANSWER_MODELS, 0, METRICS_OTHER, false},
    {"/models", ANSWER_MODELS, 0, METRICS_OTHER, false},
    {"/v1/models/", ANSWER_MODEL, 0, METRICS_OTHER, false},
    {"/v1/chat/completions", ANSWER_JOB, JOB_CHAT, METRICS_CHAT, false},
    {"/chat/completions", ANSWER_JOB, JOB_CHAT, METRICS_CHAT, false},
    {"/v1/completions", ANSWER_JOB, JOB_COMPLETION, METRICS_COMPLETIONS, false},
    {"/completions", ANSWER_JOB, JOB_COMPLETION, METRICS_COMPLETIONS, false},
    {"/tokenize", ANSWER_JOB, JOB_TOKENIZE, METRICS_TOKENIZE, false},
    {"/detokenize", ANSWER_JOB, JOB_DETOKENIZE, METRICS_TOKENIZE, false},
    {"/tokenizer_info", ANSWER_JOB, JOB_TOKENIZER_INFO, METRICS_TOKENIZE, false},
};

/* A path that ends with a slash stands for what follows it. */
static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const size_t n = strlen(routes[i].path);
        if (!strcmp(path, routes[i].path)) return &routes[i];
        if (n > 1 && routes[i].path[n - 1] == '/' && !strncmp(path, routes[i].path, n))
            return &routes[i];
    }
    return NULL;
}

/* Does it carry a body? */
static bool takes_body(const struct route *route)
{
    return route->answer == ANSWER_JOB && route->job != JOB_TOKENIZER_INFO;
}

static const char *methods_of(const struct route *route)
{
    return takes_body(route) ? "POST" : "GET, HEAD";
}

static bool takes_method(const struct route *route, const char *method)
{
    if (takes_body(route)) return !strcmp(method, "POST");
    return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

/* A body that is too long is read up to here, since a client that is cut off while it sends hears
 * no answer. */
enum { SWALLOWED_MAX = 4 * SERVER_BODY_MAX };

/* ---- a visit ----------------------------------------------------------------------------- */

/* One request of a connection. */
struct visit {
    struct server *server;
    struct watched *line;      /* its connection */
    const struct route *route; /* NULL: none of ours */
    struct job *job;           /* what takes work; NULL: nothing does */
    char *origin;              /* that may read the answer, or NULL */
    size_t received;           /* bytes of the body */
    bool refused;              /* the body is not kept: `why` */
    struct refusal why;
    bool arriving; /* is counted so: its body is to come */
    bool given;    /* the job went to the workers */
};

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static struct watched *line_of(struct MHD_Connection *c)
{
    return MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void end_arrival(struct visit *v)
{
    if (v->arriving) atomic_fetch_sub(&v->server->arriving, 1);
    v->arriving = false;
}

static void visit_close(struct visit *v)
{
    end_arrival(v);
    if (v->job) {
        reply_close(&v->job->reply);
        if (v->given)
            atomic_fetch_sub(&v->server->visits, 1);
        else
            atomic_fetch_sub(&v->server->bodies, v->job->body.len);
        job_drop(v->job);
    }
    free(v->origin);
    free(v);
}

/* libmicrohttpd is done with a request, well or not. */
static void completed(void *context, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode how)
{
    (void)context, (void)how;
    if (*request) visit_close(*request);
    *request = NULL;
    if (line_of(c)) watch_idle(line_of(c));
}

/* ---- answers ----------------------------------------------------------------------------- */

static char nothing[1]; /* libmicrohttpd takes no constant */

static void add_headers(struct MHD_Response *response, const struct visit *v, int status)
{
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (v->origin) {
        MHD_add_response_header(response, "Access-Control-Allow-Origin", v->origin);
        MHD_add_response_header(response, "Vary", "Origin");
    }
    if (status == 503) {
        const int wait = v->job ? v->job->reply.retry_after : 0;
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", wait ? wait : 1);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    if (status == 401) MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (status == 405 && v->route) MHD_add_response_header(response, "Allow", methods_of(v->route));
}

/* An answer of n bytes, or a stream of pieces of that size. */
static enum MHD_Result queue(struct MHD_Connection *c, const struct visit *v, int status,
                             const char *type, size_t n, struct MHD_Response *response)
{
    if (!response) return MHD_NO;
    add_headers(response, v, status);
    if (type) MHD_add_response_header(response, "Content-Type", type);
    metrics_request(&v->server->metrics, v->route ? v->route->endpoint : METRICS_OTHER, status);
    watch_move(v->line, n);
    const enum MHD_Result result = MHD_queue_response(c, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, const struct visit *v, int status,
                                   const char *type, const char *text, size_t n)
{
    return queue(
        c, v, status, type, n,
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result answer_json(struct MHD_Connection *c, const struct visit *v, int status,
                                   json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    if (!text) return MHD_NO;
    const enum MHD_Result result =
        answer_text(c, v, status, "application/json", text, strlen(text));
    free(text);
    return result;
}

static enum MHD_Result answer_refusal(struct MHD_Connection *c, const struct visit *v,
                                      const struct refusal *why)
{
    return answer_json(c, v, why->status, refusal_json(why));
}

static enum MHD_Result answer_health(struct MHD_Connection *c, const struct visit *v)
{
    static const char *const words[] = {[SERVER_LOADING] = "loading",
                                        [SERVER_READY] = "ok",
                                        [SERVER_DRAINING] = "draining",
                                        [SERVER_STOPPING] = "stopping"};
    const int state = atomic_load(&v->server->state);
    return answer_json(c, v, state == SERVER_READY ? 200 : 503,
                       json_pack("{s:s}", "status", words[state]));
}

static enum MHD_Result answer_metrics(struct MHD_Connection *c, const struct visit *v)
{
    struct buf text = {0};
    enum MHD_Result result = MHD_NO;
    if (metrics_write(&v->server->metrics, &text) == ST_OK)
        result =
            answer_text(c, v, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
    buf_deinit(&text);
    return result;
}

static enum MHD_Result answer_page(struct MHD_Connection *c, const struct visit *v)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(page_text), (void *)(uintptr_t)page_text, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; script-src "
                            "'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; "
                            "form-action 'none'; frame-ancestors 'none'");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    return queue(c, v, 200, "text/html; charset=utf-8", strlen(page_text), response);
}

static bool is_ready(const struct server *s, struct refusal *why)
{
    const int state = atomic_load(&s->state);
    if (state == SERVER_LOADING)
        return refuse(why, 503, "loading", NULL, "the models are being loaded");
    if (state != SERVER_READY)
        return refuse(why, 503, "draining", NULL, "the server is about to stop");
    return true;
}

static enum MHD_Result answer_models(struct MHD_Connection *c, const struct visit *v,
                                     const char *id)
{
    struct refusal why;
    const struct server *s = v->server;
    if (atomic_load(&s->state) == SERVER_LOADING && !is_ready(s, &why))
        return answer_refusal(c, v, &why);
    if (!id) return answer_json(c, v, 200, json_incref(s->listing));
    const json_t *data = json_object_get(s->listing, "data");
    for (size_t i = 0; i < json_array_size(data); i++) {
        json_t *model = json_array_get(data, i);
        if (!strcmp(json_string_value(json_object_get(model, "id")), id))
            return answer_json(c, v, 200, json_incref(model));
    }
    refuse(&why, 404, "model_not_found", "model", "the model \"%.100s\" is not served here", id);
    return answer_refusal(c, v, &why);
}

/* ---- answers that take work -------------------------------------------------------------- */

enum { PIECE = 16 << 10 }; /* of a stream */

/* A piece is asked for when the one before it is taken. */
static ssize_t read_stream(void *context, uint64_t at, char *to, size_t room)
{
    (void)at;
    struct reply *r = &((struct job *)context)->reply;
    struct watched *line = line_of(r->connection);
    const ssize_t n = reply_read(r, to, room);
    if (n)
        watch_move(line, PIECE);
    else
        watch_rest(line);
    return n;
}

static void drop_job(void *context)
{
    job_drop(context);
}

/* An answer holds its job until it is sent. */
static enum MHD_Result queue_job(struct MHD_Connection *c, const struct visit *v, const char *type,
                                 size_t n, struct MHD_Response *response)
{
    if (response) return queue(c, v, v->job->reply.status, type, n, response);
    job_drop(v->job);
    return MHD_NO;
}

static enum MHD_Result answer_stream(struct MHD_Connection *c, const struct visit *v)
{
    job_hold(v->job);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_stream, v->job, drop_job);
    if (response) /* proxies pass on each event */
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return queue_job(c, v, "text/event-stream; charset=utf-8", PIECE, response);
}

/* It is finished: nobody changes it, and it may be sent from where it is. */
static enum MHD_Result answer_whole(struct MHD_Connection *c, const struct visit *v)
{
    const struct reply *r = &v->job->reply;
    job_hold(v->job);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        r->out.len, r->out.len ? r->out.data : nothing, drop_job, v->job);
    return queue_job(c, v, r->type, r->out.len, response);
}

static enum MHD_Result answer_job(struct MHD_Connection *c, struct visit *v)
{
    bool gone;
    if (!v->given) {
        v->given = true;
        atomic_fetch_add(&v->server->visits, 1);
        end_arrival(v);
        watch_rest(v->line);
        server_take(v->server, v->job);
    }
    if (!reply_ready(&v->job->reply, &gone)) return gone ? MHD_NO : MHD_YES;
    return v->job->reply.stream ? answer_stream(c, v) : answer_whole(c, v);
}

/* ---- a request's head -------------------------------------------------------------------- */

static enum MHD_Result answer_preflight(struct MHD_Connection *c, const struct visit *v)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    const char *wanted = header(c, "Access-Control-Request-Headers");
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Allow", v->route ? methods_of(v->route) : "OPTIONS");
    if (v->origin) {
        MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, HEAD, POST");
        MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                wanted ? wanted : "Authorization, Content-Type");
        MHD_add_response_header(response, "Access-Control-Max-Age", "600");
    }
    return queue(c, v, 204, NULL, 0, response);
}

/* Whether the request may be answered at all, before anything of its body is read. */
static bool check_head(struct visit *v, struct MHD_Connection *c, const char *path,
                       const char *method, struct refusal *why)
{
    const struct guard *guard = &v->server->options.guard;
    const char *host = header(c, "Host"), *length = header(c, "Content-Length");
    if (!guard_host(guard, host, why) || !guard_origin(guard, header(c, "Origin"), host, why))
        return false;
    if (!strcmp(method, "OPTIONS")) return true;
    if (!v->route)
        return refuse(why, 404, "not_found", NULL, "%.200s: there is no such thing here", path);
    if (!v->route->open &&
        !guard_key(guard, header(c, "Authorization"), header(c, "X-API-Key"), why))
        return false;
    if (!takes_method(v->route, method))
        return refuse(why, 405, "method_not_allowed", NULL, "%.100s: expected %s, found %.20s",
                      path, methods_of(v->route), method);
    if (!takes_body(v->route)) return true;
    if (!guard_type(header(c, "Content-Type"), why)) return false;
    if (length && strtoull(length, NULL, 10) > SWALLOWED_MAX) /* it will not hear the answer */
        return refuse(why, 413, "body_too_large", NULL,
                      "expected a body of at most %d bytes, found %.30s", SERVER_BODY_MAX, length);
    return true;
}

static struct visit *visit_open(struct server *s, struct MHD_Connection *c, const char *path)
{
    struct visit *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->server = s;
    v->line = line_of(c);
    v->route = find_route(path);
    const char *origin = header(c, "Origin");
    if (guard_shares(&s->options.guard, origin)) v->origin = strdup(origin);
    return v;
}

static enum MHD_Result begin(struct server *s, struct MHD_Connection *c, const char *path,
                             const char *method, void **request)
{
    struct refusal why;
    struct visit *v = line_of(c) ? visit_open(s, c, path) : NULL;
    if (!v) return MHD_NO;
    *request = v;
    watch_move(v->line, 0);
    if (!check_head(v, c, path, method, &why)) return answer_refusal(c, v, &why);
    if (!strcmp(method, "OPTIONS")) return answer_preflight(c, v);
    if (v->route->answer != ANSWER_JOB) return MHD_YES;
    v->arriving = true; /* before the state is asked for: who drains the server sees one of both */
    atomic_fetch_add(&s->arriving, 1);
    if (!is_ready(s, &why)) return answer_refusal(c, v, &why);
    v->job = job_open(c, v->route->job, SERVER_BODY_MAX);
    return v->job ? MHD_YES : MHD_NO;
}

/* ---- its body ---------------------------------------------------------------------------- */

/* What is not kept is read and dropped, so that the client hears why, but not without end. */
static enum MHD_Result receive(struct visit *v, const char *bytes, size_t n)
{
    v->received += n;
    if (v->received > SWALLOWED_MAX) return MHD_NO;
    if (v->refused || !v->job) return MHD_YES;
    if (v->received > SERVER_BODY_MAX) {
        v->refused = true;
        refuse(&v->why, 413, "body_too_large", NULL, "expected a body of at most %d bytes",
               SERVER_BODY_MAX);
    } else if (atomic_fetch_add(&v->server->bodies, n) + n > SERVER_BODIES_MAX) {
        atomic_fetch_sub(&v->server->bodies, n);
        v->refused = true;
        refuse(&v->why, 503, "busy", NULL, "too many requests are being received");
    } else if (buf_add(&v->job->body, bytes, n) != ST_OK) {
        atomic_fetch_sub(&v->server->bodies, n);
        v->refused = true;
        refuse_memory(&v->why);
    }
    return MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *n_upload, void **request)
{
    struct server *s = context;
    struct visit *v = *request;
    (void)version;
    if (!v) return begin(s, c, path, method, request);
    if (*n_upload) {
        const enum MHD_Result result = receive(v, upload, *n_upload);
        *n_upload = 0;
        return result;
    }
    if (v->refused) return answer_refusal(c, v, &v->why);
    switch (v->route->answer) {
    case ANSWER_HEALTH: return answer_health(c, v);
    case ANSWER_METRICS: return answer_metrics(c, v);
    case ANSWER_MODELS: return answer_models(c, v, NULL);
    case ANSWER_MODEL: return answer_models(c, v, path + strlen(v->route->path));
    case ANSWER_PAGE: return answer_page(c, v);
    case ANSWER_JOB: break;
    }
    return answer_job(c, v);
}

/* ---- listening --------------------------------------------------------------------------- */

static int listen_at(const struct addrinfo *a)
{
    const int on = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, SOMAXCONN)) return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    char port[16];
    if (getsockname(fd, (struct sockaddr *)&address, &n) ||
        getnameinfo((struct sockaddr *)&address, n, NULL, 0, port, sizeof port, NI_NUMERICSERV))
        return 0;
    return atoi(port);
}

static enum status open_socket(struct server *s, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char port[16];
    snprintf(port, sizeof port, "%d", s->options.port);
    const int failed = getaddrinfo(s->options.host, port, &hints, &found);
    if (failed) return err_set(err, ST_IO, "--host %s: %s", s->options.host, gai_strerror(failed));
    for (const struct addrinfo *a = found; a && s->socket < 0; a = a->ai_next)
        s->socket = listen_at(a);
    const int why = errno;
    freeaddrinfo(found);
    if (s->socket < 0)
        return err_set(err, ST_IO, "cannot listen on %s port %d: %s", s->options.host,
                       s->options.port, strerror(why));
    s->port = port_of(s->socket);
    return ST_OK;
}

/* What libmicrohttpd has to say of single connections is nobody's concern. */
static void say_nothing(void *context, const char *format, va_list args)
{
    (void)context, (void)format, (void)args;
}

/* Beyond the limit a connection is closed at once. libmicrohttpd's own, at which it accepts none
 * and leaves them waiting, is never reached. */
enum { MORE_CONNECTIONS = 16 };

static enum MHD_Result lets_in(void *context, const struct sockaddr *from, socklen_t n)
{
    struct server *s = context;
    (void)from, (void)n;
    return watch_count(&s->watch) < s->options.connections ? MHD_YES : MHD_NO;
}

static void connected(void *context, struct MHD_Connection *c, void **line,
                      enum MHD_ConnectionNotificationCode how)
{
    struct server *s = context;
    if (how == MHD_CONNECTION_NOTIFY_STARTED)
        *line = watch_add(
            &s->watch, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else if (*line)
        watch_drop(*line);
}

enum status http_open(struct server *s, struct err *err)
{
    const struct server_options *o = &s->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key},
        {MHD_OPTION_END, 0, NULL},
    };
    s->socket = -1;
    TRY(open_socket(s, err));
    if (o->tls_cert) flags |= MHD_USE_TLS;
    s->daemon = MHD_start_daemon(
        flags, 0, lets_in, s, handle, s, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->socket, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, connected, s, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->connections + MORE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)o->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_HEAD_MAX,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_STRICT_FOR_CLIENT,
        0 /* what it refuses it refuses in HTML */, MHD_OPTION_ARRAY, o->tls_cert ? tls : &tls[2],
        MHD_OPTION_END);
    if (s->daemon) return ST_OK;
    close(s->socket);
    s->socket = -1;
    return o->tls_cert ? err_set(err, ST_ARG,
                                 "the server cannot start; are --tls-cert and --tls-key a PEM "
                                 "certificate and its key?")
                       : err_set(err, ST_MEMORY, "the server cannot start");
}

void http_close(struct server *s)
{
    if (s->daemon) MHD_stop_daemon(s->daemon); /* closes the socket */
    s->daemon = NULL;
}
