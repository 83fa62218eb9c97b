/*
 * Unicode's Normalization Form C: of the ways to write a character, such as an accent by itself
 * behind its letter, the composed one. Some tokenizers take every text so.
 *
 * Bytes that are not UTF-8 stay as they are, and nothing composes across them. Time is n log n at
 * worst, whatever marks are piled up.
 */
#ifndef EAD_TEXT_NFC_H
#define EAD_TEXT_NFC_H

#include "base/buf.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Scratch that is reused; zero-initialise, nfc_deinit frees it. */
struct nfc {
    struct buf text;
    int32_t *points; /* owned: code points of the stretch at hand */
    size_t cap_points;
    uint64_t *marks; /* owned: a run of marks to be sorted */
    size_t cap_marks;
};

/* *out is the text in this form, *out_n bytes: the text itself where it is so already by its first
 * look, else bytes in nfc->text, valid until the next call. ST_MEMORY. */
MUST_USE enum status nfc_compose(struct nfc *nfc, const char *text, size_t n, const char **out,
                                 size_t *out_n);
void nfc_deinit(struct nfc *nfc);

#endif
