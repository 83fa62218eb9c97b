/*
 * A server for test_transport.c, which does by path whatever a server may do, and counts. A thread
 * for each connection.
 */
#ifndef EAD_TEST_TRANSPORT_SERVER_H
#define EAD_TEST_TRANSPORT_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 128, ASKED_MAX = 4 << 20, BIG = 3 << 20 };

static struct {
    int socket, port, connections[CONNECTIONS_MAX];
    pthread_t thread, threads[CONNECTIONS_MAX];
    atomic_int accepted, open, most_open; /* connections */
    atomic_int asked, sent, received;     /* requests, and bytes */
    atomic_int gone;                      /* clients that left while we stalled */
} server;

static void say(int fd, const char *text)
{
    for (size_t n = strlen(text); n;) {
        const ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0) return;
        atomic_fetch_add(&server.sent, (int)sent);
        text += sent;
        n -= (size_t)sent;
    }
}

static void answer(int fd, const char *status, const char *head, const char *body)
{
    char text[1024];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), head);
    say(fd, text);
    say(fd, body);
}

static void stall(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) continue;
    atomic_fetch_add(&server.gone, 1);
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
static const char stream_text[] = "data: one\n\ndata: caf\xc3\xa9\n\ndata: [DONE]\n\n";

/* In chunks of one byte, each by itself. */
static void stream_bytes(int fd)
{
    say(fd, STREAM_HEAD "Transfer-Encoding: chunked\r\n\r\n");
    for (const char *c = stream_text; *c; c++) {
        const char chunk[] = {'1', '\r', '\n', *c, '\r', '\n', 0};
        say(fd, chunk);
    }
    say(fd, "0\r\n\r\n");
}

static void give_date(int fd)
{
    char head[128];
    const time_t then = time(NULL) + 30;
    struct tm tm;
    strftime(head, sizeof head, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &tm));
    answer(fd, "503 Busy", head, "");
}

static void give_range(int fd, const char *asked)
{
    static const char file[] = "0123456789";
    const char *range = strstr(asked, "Range: bytes=");
    if (!range) {
        answer(fd, "200 OK", "Content-Type: application/octet-stream\r\n", file);
        return;
    }
    const int from = atoi(range + 13);
    if (from < 10)
        answer(fd, "206 Partial", "Content-Range: bytes 4-9/10\r\n", file + from);
    else
        answer(fd, "416 No", "", "");
}

static void give_big(int fd)
{
    char head[128];
    char *body = malloc(BIG + 1);
    memset(body, 'x', BIG);
    body[BIG] = 0;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG);
    say(fd, head);
    say(fd, body);
    free(body);
}

static void give_heads(int fd)
{
    char line[1024];
    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    say(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1024; i++) say(fd, line);
}

/* RST, and nothing in the place of the connection. */
static void reset(int fd)
{
    const int nothing = open("/dev/null", O_RDWR);
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    dup2(nothing, fd);
    close(nothing);
}

/* What the client sent of a key, said back. */
static void give_key(int fd, const char *asked)
{
    char head[512], body[512];
    const char *key = strstr(asked, "Authorization: Bearer ");
    const int n = key ? (int)strcspn(key + 22, "\r") : 0;
    snprintf(head, sizeof head, "Content-Type: application/json\r\nLocation: /%.*s\r\n", n,
             key ? key + 22 : "");
    snprintf(body, sizeof body, "{\"error\":{\"message\":\"who is %.*s?\"}}", n,
             key ? key + 22 : "");
    answer(fd, strstr(asked, "/moved_key") ? "302 Found" : "401 No", head, body);
}

static bool is(const char *asked, const char *path)
{
    const char *at = strchr(asked, ' ') + 1;
    return !strncmp(at, path, strlen(path)) && strchr(" ?", at[strlen(path)]);
}

/* True where the connection stays. */
static bool serve_plain(int fd, const char *asked, const char *body)
{
    if (is(asked, "/hello"))
        answer(fd, "200 OK", "Content-Type: text/plain\r\n", "hello");
    else if (is(asked, "/echo"))
        answer(fd, strstr(asked, "Expect:") ? "417 No" : "200 OK", "", body);
    else if (is(asked, "/late"))
        usleep(500000), answer(fd, "200 OK", "", "late");
    else if (is(asked, "/bytes"))
        stream_bytes(fd);
    else if (is(asked, "/seconds"))
        answer(fd, "429 Slow", "Retry-After: 7\r\n", "");
    else if (is(asked, "/milliseconds"))
        answer(fd, "429 Slow", "Retry-After: 2\r\nretry-after-ms: 1500\r\n", "");
    else if (is(asked, "/never"))
        answer(fd, "429 Slow", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "");
    else if (is(asked, "/date"))
        give_date(fd);
    else if (is(asked, "/file"))
        give_range(fd, asked);
    else if ((is(asked, "/key") || is(asked, "/moved_key")))
        give_key(fd, asked);
    else if (is(asked, "/page"))
        answer(fd, "502 Bad", "Content-Type: text/html\r\n", "<TITLE> Bad\nGateway</TITLE>");
    else if (is(asked, "/moved"))
        answer(fd, "302 Found", "Location: /there?secret=1\r\n", "");
    else
        return false;
    return true;
}

static void serve_badly(int fd, const char *asked)
{
    if (is(asked, "/stall")) {
        say(fd, STREAM_HEAD "\r\ndata: one\n\n");
        stall(fd);
    } else if (is(asked, "/nothing")) {
        stall(fd);
    } else if (is(asked, "/reset")) {
        say(fd, STREAM_HEAD "\r\ndata: one\n\n");
        usleep(50000);
        reset(fd);
    } else if (is(asked, "/half")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
    } else if (is(asked, "/big")) {
        give_big(fd);
    } else if (is(asked, "/heads")) {
        give_heads(fd);
    } else if (is(asked, "/garbage")) {
        say(fd, "\x16\x03\x01 what?\r\n\r\n");
    }
}

/* One request with its body; false where the client has left. */
static bool read_request(int fd, char *asked, const char **body)
{
    size_t n = 0;
    for (;;) {
        asked[n] = 0;
        const char *end = strstr(asked, "\r\n\r\n"), *length = strstr(asked, "Content-Length: ");
        *body = end ? end + 4 : NULL;
        if (end && strlen(*body) >= (size_t)(length ? atoi(length + 16) : 0)) return true;
        const ssize_t got = recv(fd, asked + n, ASKED_MAX - 1 - n, 0);
        if (got <= 0) return false;
        atomic_fetch_add(&server.received, (int)got);
        n += (size_t)got;
    }
}

static void *serve_one(void *context)
{
    const int fd = (int)(intptr_t)context;
    char *asked = malloc(ASKED_MAX);
    const char *body;
    const int open = atomic_fetch_add(&server.open, 1) + 1;
    if (open > atomic_load(&server.most_open)) atomic_store(&server.most_open, open);
    while (read_request(fd, asked, &body)) {
        atomic_fetch_add(&server.asked, 1);
        if (serve_plain(fd, asked, body)) continue;
        serve_badly(fd, asked);
        break;
    }
    shutdown(fd, SHUT_RDWR);
    atomic_fetch_sub(&server.open, 1);
    free(asked);
    return NULL;
}

static void *serve(void *context)
{
    (void)context;
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0;) {
        const int i = atomic_fetch_add(&server.accepted, 1);
        if (i == CONNECTIONS_MAX) abort();
        server.connections[i] = fd;
        pthread_create(&server.threads[i], NULL, serve_one, (void *)(intptr_t)fd);
    }
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    (void)state;
    memset(&server, 0, sizeof server);
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.socket, (struct sockaddr *)&address, n) || listen(server.socket, 64) ||
        getsockname(server.socket, (struct sockaddr *)&address, &n))
        return -1;
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

/* Also where a test failed, and clients stay. */
static int stop_server(void **state)
{
    (void)state;
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    for (int i = 0; i < server.accepted; i++) {
        shutdown(server.connections[i], SHUT_RDWR);
        pthread_join(server.threads[i], NULL);
        close(server.connections[i]);
    }
    close(server.socket);
    return 0;
}

#endif
