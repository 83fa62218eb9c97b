#include "hub/wish.h"

#include <stdio.h>
#include <string.h>

static const char scheme[] = "hf:";
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool wish_is(const char *text)
{
    return !strncmp(text, scheme, sizeof scheme - 1);
}

/* Length of a name of the hub at `text`; 0 where there is none, or one that a path gives another
 * meaning. */
static size_t name_at(const char *text)
{
    return *text == '.' ? 0 : strspn(text, plain);
}

/* Take "@REVISION" at *at, if it is there. */
static bool take_revision(const char **at, char out[WISH_REVISION_MAX])
{
    size_t n = 0;
    if (**at != '@') return snprintf(out, WISH_REVISION_MAX, "main") > 0;
    const char *from = ++*at;
    for (; **at && (strchr(plain, **at) || **at == '/'); ++*at) {
        const bool slash = **at == '/';
        if (n + 4 > WISH_REVISION_MAX) return false;
        n += (size_t)snprintf(out + n, 4, slash ? "%%2F" : "%c", **at);
    }
    return n && *from != '.' && *from != '/';
}

static bool take_quant(const char **at, char out[WISH_QUANT_MAX])
{
    *out = 0;
    if (**at != ':') return true;
    const char *from = ++*at;
    while (**at && (strchr(plain, **at) || **at == '/')) ++*at;
    const size_t n = (size_t)(*at - from);
    if (!n || n >= WISH_QUANT_MAX) return false;
    memcpy(out, from, n + 1);
    out[n] = 0;
    return true;
}

enum status wish_parse(const char *text, struct wish *out, struct err *err)
{
    const char *at = text + (wish_is(text) ? sizeof scheme - 1 : 0);
    const size_t owner = name_at(at);
    const size_t repo = owner && at[owner] == '/' ? name_at(at + owner + 1) : 0;
    const size_t n = owner + 1 + repo;
    bool good = wish_is(text) && repo && n < WISH_REPO_MAX;
    if (good) {
        snprintf(out->repo, sizeof out->repo, "%.*s", (int)n, at);
        at += n;
        good = take_revision(&at, out->revision) && take_quant(&at, out->quant) && !*at;
    }
    if (good) return ST_OK;
    return err_set(err, ST_ARG,
                   "expected hf:OWNER/REPO, hf:OWNER/REPO:QUANT or "
                   "hf:OWNER/REPO@REVISION:QUANT, found \"%.200s\"",
                   text);
}
