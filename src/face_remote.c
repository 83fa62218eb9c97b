/* The public face: models behind an API. Contracts are in ead.h. */
#include "face.h"

#include "remote/dialect.h"

#include <stdlib.h>

bool ead_remote_is(const char *path)
{
    return address_is(path);
}

const char *ead_remote_kind(size_t i, const char **help)
{
    const struct dialect *d = dialect_at(i);
    if (d && help) *help = d->help;
    return d ? d->name : NULL;
}

ead_status ead_remote_open(const char *address, const ead_model *vocab,
                           const ead_remote_options *options, ead_model **out, ead_error *error)
{
    const ead_remote_options o = options ? *options : (ead_remote_options){0};
    const struct remote_options inner = {.key = o.key,
                                         .ca_file = o.ca_file,
                                         .top = o.top,
                                         .connections = o.connections,
                                         .connect_ms = (int)(o.connect_seconds * 1e3),
                                         .patience = {.first = o.first_seconds,
                                                      .between = o.between_seconds,
                                                      .retries = o.retries,
                                                      .pause = o.retry_seconds},
                                         .n_active = o.n_active};
    struct err err = {0};
    ead_model *model = calloc(1, sizeof *model);
    if (!model) return face_report(err_memory(&err, "the description of a server"), &err, error);
    model->model = vocab->model;
    const enum status st = remote_open(address, vocab->model->vocab, model_n_vocab(vocab->model),
                                       &inner, &model->remote, &err);
    if (st == ST_OK)
        *out = model;
    else
        free(model);
    return face_report(st, &err, error);
}

bool ead_model_is_remote(const ead_model *model)
{
    return model->remote != NULL;
}

ead_model_info face_describe_remote(const ead_model *model)
{
    const uint64_t n_active = remote_n_active(model->remote);
    return (ead_model_info){.n_ctx_train = remote_context(model->remote),
                            .n_vocab = model_n_vocab(model->model),
                            .n_logits = model_n_vocab(model->model),
                            .n_params = n_active,
                            .n_active = n_active};
}
