#include "server/guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 255 };

/* ---- Host -------------------------------------------------------------------------------- */

/* The name in "name:port" or "[address]:port"; false when it is neither. */
static bool split(const char *host, char name[NAME_MAX_BYTES + 1], bool *bracketed)
{
    const char *end;
    *bracketed = host[0] == '[';
    if (*bracketed) {
        end = strchr(++host, ']');
        if (!end) return false;
        if (end[1] && end[1] != ':') return false;
    } else {
        end = host + strcspn(host, ":");
    }
    const size_t n = (size_t)(end - host);
    const char *port = *bracketed ? end + 1 : end;
    if (!n || n > NAME_MAX_BYTES || (*port && strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    memcpy(name, host, n);
    name[n] = 0;
    return true;
}

static bool is_address(const char *name, bool bracketed)
{
    unsigned char bytes[16];
    return inet_pton(bracketed ? AF_INET6 : AF_INET, name, bytes) == 1;
}

static bool is_name(const struct guard *g, const char *name)
{
    const size_t n = strlen(name);
    if (!strcasecmp(name, "localhost")) return true;
    if (n > 10 && !strcasecmp(name + n - 10, ".localhost")) return true;
    for (size_t i = 0; i < g->n_names; i++)
        if (!strcasecmp(name, g->names[i])) return true;
    return false;
}

bool guard_host(const struct guard *g, const char *host, struct refusal *r)
{
    char name[NAME_MAX_BYTES + 1];
    bool bracketed;
    if (!host) return refuse(r, 400, "host", NULL, "Host: expected a header, found none");
    if (!split(host, name, &bracketed))
        return refuse(r, 400, "host", NULL, "Host: expected NAME or NAME:PORT, found \"%.100s\"",
                      host);
    if (is_address(name, bracketed) || (!bracketed && is_name(g, name))) return true;
    return refuse(r, 403, "host", NULL,
                  "Host: \"%.100s\" is no name of this server; --allow-host adds one", host);
}

/* ---- Origin ------------------------------------------------------------------------------ */

/* What stands behind http:// or https://, or NULL. */
static const char *behind_scheme(const char *origin)
{
    if (!strncasecmp(origin, "http://", 7)) return origin + 7;
    return strncasecmp(origin, "https://", 8) ? NULL : origin + 8;
}

/* Is it a page that this machine serves itself, at any port? */
static bool is_local(const char *origin)
{
    char name[NAME_MAX_BYTES + 1];
    bool bracketed;
    const char *host = behind_scheme(origin);
    if (!host || !split(host, name, &bracketed)) return false;
    return bracketed ? !strcmp(name, "::1")
                     : !strcasecmp(name, "localhost") || !strcmp(name, "127.0.0.1");
}

bool guard_shares(const struct guard *g, const char *origin)
{
    if (!g->cors || !origin) return false;
    if (!strcmp(g->cors, "localhost")) return is_local(origin);
    return !strcmp(g->cors, "*") || !strcasecmp(g->cors, origin);
}

bool guard_origin(const struct guard *g, const char *origin, const char *host, struct refusal *r)
{
    if (!origin || guard_shares(g, origin)) return true;
    const char *rest = behind_scheme(origin);
    if (rest && host && !strcasecmp(rest, host)) return true;
    return refuse(r, 403, "origin", NULL,
                  "Origin: pages of \"%.100s\" may not use this server; --cors ORIGIN lets them",
                  origin);
}

/* ---- keys -------------------------------------------------------------------------------- */

/* Every byte of both is looked at, whatever differs. */
static bool same(const char *key, const char *given, size_t n_given)
{
    const size_t n = strlen(key);
    volatile unsigned char differs = n != n_given;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)key[i] ^ (unsigned char)(n_given ? given[i % n_given] : 0);
    return !differs;
}

bool guard_key(const struct guard *g, const char *authorization, const char *bare,
               struct refusal *r)
{
    if (!g->n_keys) return true;
    const char *given = bare ? bare : "";
    if (authorization && !strncasecmp(authorization, "Bearer ", 7)) {
        given = authorization + 7;
        given += strspn(given, " ");
    }
    const size_t n = strlen(given);
    bool known = false;
    for (size_t i = 0; i < g->n_keys; i++) known |= same(g->keys[i], given, n);
    if (known && n) return true;
    return refuse(r, 401, "invalid_api_key", NULL, "%s",
                  n ? "the API key is not one of this server's"
                    : "expected an API key as \"Authorization: Bearer KEY\", found none");
}

/* ---- content ----------------------------------------------------------------------------- */

bool guard_type(const char *type, struct refusal *r)
{
    static const char json[] = "application/json";
    const size_t n = sizeof json - 1;
    if (type && !strncasecmp(type, json, n) && strchr("; \t", type[n])) return true;
    return refuse(r, 415, "content_type", NULL, "Content-Type: expected %s, found %s%.80s%s", json,
                  type ? "\"" : "none", type ? type : "", type ? "\"" : "");
}
