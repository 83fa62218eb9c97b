#include "remote/remote.h"

#include "remote/probe.h"

#include <stdlib.h>
#include <string.h>

static enum status keep_string(const char *from, const char **out, struct err *err)
{
    *out = from ? strdup(from) : NULL;
    return !from || *out ? ST_OK : err_memory(err, "the description of a server");
}

static enum status settle(struct remote *r, const struct remote_options *o, struct err *err)
{
    r->options = *o;
    r->options.key = r->options.ca_file = NULL;
    if (o->top < 0 || o->top > REMOTE_TOP_MAX)
        return err_set(err, ST_ARG, "log-probabilities of a token: expected 0 to %d, found %d",
                       REMOTE_TOP_MAX, o->top);
    struct patience *p = &r->options.patience;
    if (p->first <= 0) p->first = REMOTE_FIRST;
    if (p->between <= 0) p->between = REMOTE_BETWEEN;
    if (p->pause <= 0) p->pause = REMOTE_PAUSE;
    if (p->retries <= 0) p->retries = p->retries < 0 ? 0 : REMOTE_RETRIES;
    r->transport_options =
        (struct transport_options){.connect_ms = o->connect_ms, .connections = o->connections};
    TRY(keep_string(o->key, &r->transport_options.key, err));
    return keep_string(o->ca_file, &r->transport_options.ca_file, err);
}

enum status remote_open(const char *address, const struct vocab *vocab, int n_vocab,
                        const struct remote_options *options, struct remote **out, struct err *err)
{
    struct remote *r = calloc(1, sizeof *r);
    if (!r) return err_memory(err, "the description of a server");
    r->vocab = vocab;
    r->n_vocab = n_vocab;
    enum status st = address_parse(address, &r->address, err);
    if (st == ST_OK) st = settle(r, options, err);
    if (st == ST_OK && !r->address.dialect->ids) st = pieces_open(vocab, &r->pieces, err);
    if (st == ST_OK) st = probe_server(r, err);
    if (st == ST_OK)
        *out = r;
    else
        remote_close(r);
    return st;
}

void remote_close(struct remote *r)
{
    if (!r) return;
    pieces_close(r->pieces);
    transport_close(r->probed);
    free((char *)r->transport_options.key);
    free((char *)r->transport_options.ca_file);
    free(r);
}

int remote_context(const struct remote *r)
{
    return r->limit ? r->limit - 1 : 0;
}

const struct vocab *remote_vocab(const struct remote *r)
{
    return r->vocab;
}

int remote_n_vocab(const struct remote *r)
{
    return r->n_vocab;
}

uint64_t remote_n_active(const struct remote *r)
{
    return r->options.n_active;
}

const char *remote_note(const struct remote *r, size_t i)
{
    return i < (size_t)r->n_notes ? r->notes[i] : NULL;
}
