/* A server for test_transport.c, which does by path whatever a server may do. */
#ifndef EAD_TEST_TRANSPORT_SERVER_H
#define EAD_TEST_TRANSPORT_SERVER_H

#include "http_server.h"

#include <time.h>

enum { BIG = 3 << 20 };

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

static bool serve_request(int fd, const char *asked, const char *body)
{
    if (serve_plain(fd, asked, body)) return true;
    serve_badly(fd, asked);
    return false;
}

#endif
