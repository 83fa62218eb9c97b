#include "hub/pull.h"

#include "hub/folder.h"
#include "hub/hub.h"

#include <stdio.h>
#include <stdlib.h>

struct pull {
    const struct pull_options *o;
    struct wish wish;
    struct folder folder;
    struct listing listing;
    const struct listed *files; /* the chosen ones, n of them */
    size_t n;
    struct pulled paths;
    bool *there; /* which of them are on the disk, whole and right */
};

void pulled_deinit(struct pulled *p)
{
    for (size_t i = 0; i < p->n; i++) free(p->paths[i]);
    free(p->paths);
    *p = (struct pulled){0};
}

static void forget_choice(struct pull *p)
{
    pulled_deinit(&p->paths);
    free(p->there);
    listing_deinit(&p->listing);
    p->there = NULL;
}

/* Of the list that was read: which files, where they are to be, and whether they are. */
static enum status choose(struct pull *p, struct err *err)
{
    const enum status st = listing_choose(&p->listing, p->wish.quant, &p->files, &p->n, err);
    if (st) return err_prefix(err, st, p->wish.repo);
    p->paths.paths = calloc(p->n, sizeof *p->paths.paths);
    p->there = calloc(p->n, sizeof *p->there);
    if (!p->paths.paths || !p->there) return err_memory(err, "the list of files");
    for (size_t i = 0; i < p->n; i++) {
        char *path = folder_file(&p->folder, p->files[i].path);
        if (!path) return err_memory(err, "a path");
        p->paths.paths[p->paths.n++] = path;
        TRY(part_is_there(path, &p->files[i], p->o->watch, &p->there[i], err));
    }
    return ST_OK;
}

/* By what the hub said last. A list or file that is not there, or cannot be read, is asked for
 * anew, and what is wrong with it is of no interest. */
static enum status look(struct pull *p, bool *all, struct err *err)
{
    struct err why;
    enum status st = folder_listing(&p->folder, &p->listing, &why);
    if (!st) st = choose(p, &why);
    *all = !st;
    for (size_t i = 0; *all && i < p->n; i++) *all = p->there[i];
    if (!*all) forget_choice(p);
    return st == ST_CANCELLED || st == ST_MEMORY ? err_set(err, st, "%s", why.message) : ST_OK;
}

/* ---- fetching ---------------------------------------------------------------------------- */

static enum status ask_for_list(struct pull *p, struct hub *hub, struct buf *text, struct err *err)
{
    TRY(hub_list(hub, &p->wish, text, err));
    const enum status st = listing_read(text->data, text->len, &p->listing, err);
    return st ? err_prefix(err, st, p->wish.repo) : ST_OK;
}

static void note_unchecked(const struct pull *p, const struct listed *file)
{
    char note[LISTING_PATH_MAX + 80];
    if (*file->sum) return;
    snprintf(note, sizeof note, "%s: the hub names no SHA-256, so that its size alone was checked",
             file->path);
    p->o->watch->note(p->o->watch->context, note);
}

/* What has come stays, whatever ends it: say so. */
static enum status add_rest(const struct part *part, enum status st, struct err *err)
{
    char why[ERR_MESSAGE_MAX];
    if (part->have <= 0 || !*part->file->sum) return st;
    snprintf(why, sizeof why, "%.700s", err->message);
    return err_set(err, st,
                   "%s; %.1f of %.1f MB of %.100s are kept, and the next pull goes on there", why,
                   1e-6 * (double)part->have, 1e-6 * (double)part->file->size, part->file->path);
}

static enum status fetch(struct pull *p, struct hub *hub, size_t i, struct err *err)
{
    struct part part;
    const struct watch *watch = p->o->watch;
    TRY(folder_make(p->paths.paths[i], err));
    TRY(part_open(p->paths.paths[i], &p->files[i], watch, &part, err));
    enum status st = folder_has_room(&p->folder, p->files[i].size - part.have, err);
    if (!st && part.have < p->files[i].size) {
        st = hub_fetch(hub, &p->wish, p->listing.commit, &part, err);
        if (st == ST_CANCELLED) err_set(err, st, "interrupted");
        if (st) st = add_rest(&part, st, err);
    }
    if (!st) st = part_finish(&part, err);
    part_close(&part);
    if (!st) note_unchecked(p, &p->files[i]);
    return st;
}

/* The list is kept once its files are there: until then the old one finds the old files. */
static enum status fetch_all(struct pull *p, struct hub *hub, struct buf *text, struct err *err)
{
    TRY(ask_for_list(p, hub, text, err));
    TRY(choose(p, err));
    for (size_t i = 0; i < p->n; i++)
        if (!p->there[i]) TRY(fetch(p, hub, i, err));
    return folder_keep_listing(&p->folder, text->data, text->len, err);
}

/* Another pull may have fetched it while we waited for the lock. */
static enum status go_there(struct pull *p, struct err *err)
{
    struct hub *hub = NULL;
    bool all = false;
    const struct hub_options options = {p->o->endpoint, p->o->token, p->o->ca_file, p->o->watch};
    TRY(folder_lock(&p->folder, p->o->watch, err));
    if (!p->o->refresh) TRY(look(p, &all, err));
    if (all) return ST_OK;
    TRY(hub_open(&options, &hub, err));
    struct buf text = {.max = LISTING_BYTES_MAX};
    const enum status st = fetch_all(p, hub, &text, err);
    buf_deinit(&text);
    hub_close(hub);
    return st;
}

static enum status pull(struct pull *p, struct err *err)
{
    bool all = false;
    TRY(folder_init(&p->folder, p->o->cache, &p->wish, err));
    if (!p->o->refresh) TRY(look(p, &all, err));
    return all ? ST_OK : go_there(p, err);
}

enum status pull_model(const struct pull_options *o, const char *name, struct pulled *out,
                       struct err *err)
{
    struct pull p = {.o = o, .folder = {.lock = -1}};
    TRY(wish_parse(name, &p.wish, err));
    enum status st = pull(&p, err);
    if (!st) {
        *out = p.paths;
        p.paths = (struct pulled){0};
    }
    forget_choice(&p);
    folder_deinit(&p.folder);
    return st;
}
