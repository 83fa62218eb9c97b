/*
 * A little server of HTTP for tests, with a thread for each connection: it reads requests, counts,
 * and leaves the answers to serve_request, which the program defines. For a program of one file.
 */
#ifndef EAD_TESTS_HTTP_SERVER_H
#define EAD_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, ASKED_MAX = 4 << 20 };

static struct {
    int socket, port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t left;
    int connections[CONNECTIONS_MAX];     /* of those that are open; -1: a free place */
    atomic_int accepted, open, most_open; /* connections */
    atomic_int asked, sent, received;     /* requests, and bytes */
    atomic_int gone;                      /* clients that left while we stalled */
} server;

/* Answer a request, whose head stands in `asked`; true where the connection stays. */
static bool serve_request(int fd, const char *asked, const char *body);

/* ---- for the answers ----------------------------------------------------------------------- */

/* False where the client has left. */
static inline bool say_bytes(int fd, const char *bytes, size_t n)
{
    while (n) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        atomic_fetch_add(&server.sent, (int)sent);
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline bool say(int fd, const char *text)
{
    return say_bytes(fd, text, strlen(text));
}

static inline void answer(int fd, const char *status, const char *head, const char *body)
{
    char text[1024];
    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), head);
    say(fd, text);
    say(fd, body);
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

/* Until the client leaves. */
static inline void stall(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0) continue;
    atomic_fetch_add(&server.gone, 1);
}

/* RST, and nothing in the place of the connection. */
static inline void reset(int fd)
{
    const int nothing = open("/dev/null", O_RDWR);
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    dup2(nothing, fd);
    close(nothing);
}

/* ---- connections --------------------------------------------------------------------------- */

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

static void leave(int place)
{
    pthread_mutex_lock(&server.lock);
    shutdown(server.connections[place], SHUT_RDWR);
    close(server.connections[place]);
    server.connections[place] = -1;
    atomic_fetch_sub(&server.open, 1);
    pthread_cond_signal(&server.left);
    pthread_mutex_unlock(&server.lock);
}

static void *serve_one(void *context)
{
    const int place = (int)(intptr_t)context, fd = server.connections[place];
    char *asked = malloc(ASKED_MAX);
    const char *body;
    while (asked && read_request(fd, asked, &body)) {
        atomic_fetch_add(&server.asked, 1);
        if (!serve_request(fd, asked, body)) break;
    }
    free(asked);
    leave(place);
    return NULL;
}

static void receive(int fd)
{
    pthread_t thread;
    int place = 0;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pthread_mutex_lock(&server.lock);
    while (place < CONNECTIONS_MAX && server.connections[place] >= 0) place++;
    if (place == CONNECTIONS_MAX) abort();
    server.connections[place] = fd;
    const int open = atomic_fetch_add(&server.open, 1) + 1;
    if (open > atomic_load(&server.most_open)) atomic_store(&server.most_open, open);
    if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)place)) abort();
    pthread_detach(thread);
    pthread_mutex_unlock(&server.lock);
}

static void *serve(void *context)
{
    (void)context;
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0;) {
        atomic_fetch_add(&server.accepted, 1);
        receive(fd);
    }
    return NULL;
}

/* ---- beginning and ending ------------------------------------------------------------------ */

static inline int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    (void)state;
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    pthread_cond_init(&server.left, NULL);
    for (int i = 0; i < CONNECTIONS_MAX; i++) server.connections[i] = -1;
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.socket, (struct sockaddr *)&address, n) || listen(server.socket, 64) ||
        getsockname(server.socket, (struct sockaddr *)&address, &n))
        return -1;
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

/* Also where a test failed, and clients stay. */
static inline int stop_server(void **state)
{
    (void)state;
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    pthread_mutex_lock(&server.lock);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        if (server.connections[i] >= 0) shutdown(server.connections[i], SHUT_RDWR);
    while (atomic_load(&server.open)) pthread_cond_wait(&server.left, &server.lock);
    pthread_mutex_unlock(&server.lock);
    close(server.socket);
    return 0;
}

#endif
