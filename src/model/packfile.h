/*
 * The packed form of a model's weights (repack.h), kept as a file in a folder, so that the next
 * opening maps it instead of packing: read-only, shared by all processes that have it open, without
 * memory of its own. It holds, in 64-bit words of this machine's byte order,
 *
 *   magic, byte order, PACK_LAYOUT, where the panels start, bytes of panels
 *   number of shards, number of matrices
 *   of each shard of the model: bytes, time of modification, hash of its head (struct gguf_shard)
 *   of each matrix, or stack of them: type, rows and cols of one, bytes and offset of all panels
 *
 * and the panels, from a multiple of 64 KiB on to its end.
 *
 * A file fits a model when it has the length, and begins with the very bytes, that it would have if
 * the model wrote it now. One that does not (another version's, another model's, out of date, cut
 * short, something else) counts as none, and is replaced. What identifies the model is taken as it
 * is opened, before its weights are read: one that is changed meanwhile does not fit afterwards.
 *
 * The weights of neither file are looked at, because reading all of them is what this avoids. So a
 * model that was changed without a change of size, names, metadata and time of modification passes
 * for what it was; and a damaged panel gives wrong numbers, as a damaged weight of a GGUF file
 * does, but no more than that: no code leads outside a table. Who can write to the folder decides
 * what the model says.
 *
 * A file is named for the model's name and path, NAME-<hash of the resolved path>.eadpack, so that
 * models of one name do not meet, and a model written anew replaces what is kept of its
 * predecessor. It comes into being under another name and is renamed when it is complete: whoever
 * has mapped the old one keeps it.
 */
#ifndef EAD_MODEL_PACKFILE_H
#define EAD_MODEL_PACKFILE_H

#include "format/gguf.h"
#include "model/weights.h"

struct packfile;

/* Where in `folder` the packed weights of this model are kept, and what the file begins with.
 * Nothing is opened yet. `w` is not changed. */
MUST_USE enum status packfile_open(const char *folder, const struct gguf *g, struct weights *w,
                                   struct packfile **out, struct err *err);
void packfile_close(struct packfile *f);

/* Map the file's panels as `w`'s if it is there and fits. */
bool packfile_map(const struct packfile *f, struct weights *w);

/* Write the file from the panels of `w`, or where they are not packed pack them into it, by one
 * thread in memory for one panel; a folder that is missing is made. The error names the file. On
 * failure nothing is left behind, and what was there stays. `w` is not changed. */
MUST_USE enum status packfile_write(const struct packfile *f, struct weights *w, struct err *err);

#endif
