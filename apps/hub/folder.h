/*
 * Where fetched models are kept: one folder for each revision of a repository, with the files as
 * the repository names them and listing.json, the hub's last answer about it.
 */
#ifndef EAD_HUB_FOLDER_H
#define EAD_HUB_FOLDER_H

#include "base/buf.h"
#include "hub/part.h"
#include "hub/wish.h"

struct folder {
    char *path; /* CACHE/hf/OWNER/REPO/REVISION */
    int lock;   /* while it is held; -1 */
};

MUST_USE enum status folder_init(struct folder *f, const char *cache, const struct wish *wish,
                                 struct err *err);
void folder_deinit(struct folder *f);

/* The path of a file of the repository, to be freed. NULL without memory. */
char *folder_file(const struct folder *f, const char *name);
/* Make the folders that it is in. */
MUST_USE enum status folder_make(const char *path, struct err *err);

/* Keep other pulls out of the folder, which is made. Where one is at work, it is waited for. */
MUST_USE enum status folder_lock(struct folder *f, const struct watch *watch, struct err *err);

/* The hub's last answer; ST_IO where there is none. */
MUST_USE enum status folder_listing(const struct folder *f, struct listing *out, struct err *err);
MUST_USE enum status folder_keep_listing(const struct folder *f, const char *text, size_t n,
                                         struct err *err);

/* ST_IO where the disk has no room for so many bytes. */
MUST_USE enum status folder_has_room(const struct folder *f, int64_t bytes, struct err *err);

#endif
