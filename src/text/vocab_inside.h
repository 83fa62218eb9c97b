/* The inside of a vocabulary, for the files vocab*.c alone. */
#ifndef EAD_TEXT_VOCAB_INSIDE_H
#define EAD_TEXT_VOCAB_INSIDE_H

#include "text/bpe.h"
#include "text/lexicon.h"
#include "text/notes.h"
#include "text/pretok.h"
#include "text/special.h"
#include "text/spm.h"
#include "text/vocab.h"

struct vocab {
    int32_t n, real;
    struct gguf_str *texts; /* owned array [n]; the bytes are the file's */
    uint8_t *kinds;         /* owned [n]; enum vocab_kind, with VOCAB_EOG_BIT */
    char *pieces;           /* owned; all pieces, one after the other */
    uint32_t *piece_at;     /* owned [n + 1]; where they begin */
    struct lexicon lex;
    struct special special;
    struct vocab_specials specials;
    struct pretok *pretok; /* NULL for SentencePiece; bpe is set with it, spm without it */
    struct bpe bpe;
    struct spm spm;
    struct notes notes;
    bool pre_absent; /* the file names no pre-tokenizer; the default one serves */
};

enum { VOCAB_EOG_BIT = 0x80, VOCAB_KIND_BITS = 0x7f };

/* Read the ids that keys name, and find those known by their text; texts, kinds and the index of
 * texts must be there. */
MUST_USE enum status vocab_read_specials(struct vocab *v, const struct gguf *g, struct err *err);

#endif
