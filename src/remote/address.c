#include "remote/address.h"

#include "remote/dialect.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the dialect's name in "NAME+http..."; 0: it is no such address. */
static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n])) n++;
    if (!n || text[n] != '+') return 0;
    const char *rest = text + n + 1;
    const bool http = !strncmp(rest, "http://", 7) || !strncmp(rest, "https://", 8);
    return http ? n : 0;
}

bool address_is(const char *text)
{
    return name_length(text) > 0;
}

static enum status unknown_dialect(const char *text, size_t n, struct err *err)
{
    char names[128] = "";
    for (size_t i = 0; dialect_at(i); i++) {
        const size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", dialect_at(i)->name);
    }
    return err_set(err, ST_ARG, "%.*s: no such kind of server; there are %s", (int)n, text, names);
}

/* The part of HTTP, of n bytes. Whoever puts a password here would see it in traces. */
static enum status check_url(const char *url, size_t n, struct err *err)
{
    const char *host = strstr(url, "://") + 3;
    const size_t begin = (size_t)(host - url), host_n = strcspn(host, "/?#");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)url[i] <= ' ' || (unsigned char)url[i] == 0x7f)
            return err_set(err, ST_ARG,
                           "the address of a server holds a blank or control character");
    if (memchr(host, '@', host_n))
        return err_set(err, ST_ARG,
                       "the address of a server: expected no user or password; keys are taken from "
                       "a variable that --large-key-env or --small-key-env names");
    if (begin + host_n > n || !host_n || *host == ':')
        return err_set(err, ST_ARG, "%.*s: expected a host behind ://", (int)n, url);
    if (memchr(url, '?', n)) return err_set(err, ST_ARG, "%.*s: expected no query", (int)n, url);
    return ST_OK;
}

static enum status copy(const char *what, const char *from, size_t n, char *to, size_t room,
                        struct err *err)
{
    if (n >= room)
        return err_set(err, ST_ARG, "%s: expected at most %zu bytes, found %zu", what, room - 1, n);
    memcpy(to, from, n);
    to[n] = 0;
    return ST_OK;
}

enum status address_parse(const char *text, struct address *out, struct err *err)
{
    const size_t n = name_length(text);
    if (!n) return err_set(err, ST_ARG, "%.100s: expected KIND+http://HOST...", text);
    *out = (struct address){.dialect = dialect_find(text, n)};
    if (!out->dialect) return unknown_dialect(text, n, err);
    const char *url = text + n + 1, *model = strchr(url, '#');
    size_t length = model ? (size_t)(model - url) : strlen(url);
    TRY(check_url(url, length, err));
    while (url[length - 1] == '/') length--;
    TRY(copy("the address of a server", url, length, out->url, sizeof out->url, err));
    const bool v1 = length > 3 && !memcmp(url + length - 3, "/v1", 3);
    TRY(copy("the address of a server", url, v1 ? length - 3 : length, out->root, sizeof out->root,
             err));
    if (!model) return ST_OK;
    return copy("a model's name", model + 1, strlen(model + 1), out->model, sizeof out->model, err);
}
