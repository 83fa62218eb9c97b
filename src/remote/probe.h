/*
 * Finds out what a server is, before any text depends on it: which models it has, how long a text
 * may be, whether its ids are those of the vocabulary at hand, how many log-probabilities it tells,
 * and whether these are the model's own at any temperature.
 */
#ifndef EAD_REMOTE_PROBE_H
#define EAD_REMOTE_PROBE_H

#include "remote/inside.h"

/* Fills in the rest of *r: address, options, transport_options, vocab and n_vocab must be set. */
MUST_USE enum status probe_server(struct remote *r, struct err *err);

#endif
