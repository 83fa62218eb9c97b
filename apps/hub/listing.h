/*
 * What a repository of the hub holds: its models in GGUF, of one file or of several parts, as the
 * hub's answer to /api/models/OWNER/REPO/revision/REVISION?blobs=true lists them, and which of them
 * is meant. Whatever else is in the repository, projectors of images included, is left out.
 */
#ifndef EAD_HUB_LISTING_H
#define EAD_HUB_LISTING_H

#include "base/status.h"
#include "hub/sha256.h"

#include <stddef.h>
#include <stdint.h>

enum { LISTING_COMMIT_MAX = 65, LISTING_PATH_MAX = 512, LISTING_BYTES_MAX = 32 << 20 };

struct listed {
    char *path; /* within the repository: no part of it is empty, "." or ".." */
    int64_t size;
    char sum[SHA256_HEX + 1]; /* SHA-256; "": the hub names none */
    int part, parts;          /* "NAME-00002-of-00003.gguf" is 2 of 3; any other 1 of 1 */
    size_t stem;              /* bytes of `path` before that */
};

struct listing {
    char commit[LISTING_COMMIT_MAX];
    struct listed *files; /* parts of a model follow each other */
    size_t n;
};

/* ST_FORMAT for what is no such answer. */
MUST_USE enum status listing_read(const char *text, size_t bytes, struct listing *out,
                                  struct err *err);
void listing_deinit(struct listing *l);

/* The files of the one model whose path holds `quant` as whole words, in whatever case: *n of them
 * from *first on. Where it is "", Q4_K_M, else Q8_0, else the only model. ST_ARG, with what there
 * is to choose from, where there is none or more than one. */
MUST_USE enum status listing_choose(const struct listing *l, const char *quant,
                                    const struct listed **first, size_t *n, struct err *err);

#endif
