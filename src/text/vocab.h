/*
 * A vocabulary: text to token ids and back, as the metadata of a GGUF file describes it.
 *
 * Two kinds are read. "llama" is SentencePiece: pieces merge in the order of their scores, a
 * character that is no piece becomes one token per byte. "gpt2" is byte-level BPE: the text is
 * split by the regular expressions that tokenizer.ggml.pre names, and the bytes of each word merge
 * in the order of tokenizer.ggml.merges.
 *
 * Invariants: ids run from 0 to vocab_size - 1. A vocabulary never changes after vocab_open, so any
 * number of threads may read it. Any bytes are a text: bytes that are not UTF-8 are kept, and where
 * the vocabulary has a token for every byte, decoding what was encoded gives the same bytes back;
 * characters that can be written in several ways come back composed where the tokenizer composes
 * them (nfc.h).
 *
 * Source of behaviour: the public tokenizers of llama.cpp; tests hold its ids. Meant differences:
 * - bytes that are not UTF-8 stay themselves; there they become U+FFFD (gpt2) or take the bytes
 *   behind them along (llama);
 * - Qwen's and a few other gpt2 vocabularies compose characters first, as their own tokenizers do;
 * - "</s>" stays what the file says where it is user-defined (a tag of HTML for Gemma); there it is
 *   a control token and an end;
 * - tekken and gpt-4o cut by the expressions of their own tokenizers, which know case and marks
 *   beyond ASCII;
 * - decoding removes no space before punctuation, and the space that encoding adds to a text or
 *   behind a special token is removed again everywhere, also after BOS;
 * - characters newer than the Unicode version of PCRE2 are cut as unassigned ones.
 * What cannot come back: U+2581 in a text for llama, which reads as a space; white space that a
 * phi-3 token swallows; bytes for which a gpt2 vocabulary has no token, which are left out.
 */
#ifndef EAD_TEXT_VOCAB_H
#define EAD_TEXT_VOCAB_H

#include "base/status.h"
#include "format/gguf.h"
#include "text/ids.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vocab; /* borrows token texts from the gguf it was opened from, which must outlive it */

enum {
    VOCAB_TEXT_MAX = 1 << 26, /* bytes of one text given to vocab_encode */
    VOCAB_SIZE_MAX = 1 << 23, /* tokens of one vocabulary */
    VOCAB_SPARE_MAX = 128     /* tokens that one of a pair may have beyond the other's last */
};

/* The numbers are those of tokenizer.ggml.token_type. */
enum vocab_kind {
    VOCAB_NORMAL = 1,
    VOCAB_UNKNOWN = 2,
    VOCAB_CONTROL = 3,      /* steers the model; plain text never becomes one */
    VOCAB_USER_DEFINED = 4, /* matched in any text before anything else */
    VOCAB_UNUSED = 5,
    VOCAB_BYTE = 6
};

enum vocab_flags {
    VOCAB_BOS = 1,     /* add BOS where the vocabulary's own rule says so and none is there yet */
    VOCAB_SPECIAL = 2, /* texts of control tokens in the input become those tokens */
    VOCAB_EOS = 4      /* add EOS by the same rule; not for a text that is to go on */
};

/* ids the file names for a purpose; VOCAB_NONE where it names none. */
enum { VOCAB_NONE = -1 };
struct vocab_specials {
    int32_t bos, eos, eot, eom, unk, pad, sep;
    bool add_bos, add_eos;
    bool space_prefix; /* SentencePiece puts a space before a text and after a special token */
};

/* Read the tokenizer.ggml.* keys. ST_FORMAT where a key is absent or malformed, ST_SUPPORT where
 * the kind of tokenizer or its pre-tokenizer is not known (the message lists the known ones),
 * ST_MEMORY. The error does not name the file. What can be done without is noted instead
 * (vocab_note): ids and types that are out of range, a BOS to be added that is not there. */
MUST_USE enum status vocab_open(const struct gguf *g, struct vocab **out, struct err *err);
void vocab_close(struct vocab *v); /* NULL is allowed */

/* Tokens in the file, padding included. */
int32_t vocab_size(const struct vocab *v);
/* Leading ids before the padding at the end: a token is padding when its kind is VOCAB_UNUSED or
 * its text is "[PAD" digits "]", and all tokens after it are. Logits at or beyond this are to be
 * masked: models of one family pad their tables to different sizes. */
int32_t vocab_real_size(const struct vocab *v);

/* "llama" or "gpt2"; and the pre-tokenizer's name ("" for llama). Borrowed, NUL-terminated. */
const char *vocab_model(const struct vocab *v);
const char *vocab_pre(const struct vocab *v);

/* The bytes that token `id` stands for in a text, *n of them, valid until vocab_close; no
 * NUL-terminator is promised. Control and unknown tokens give their text: whether to show it is the
 * caller's choice (see detok.h). Unused tokens, and ids out of range, give none. */
const char *vocab_piece(const struct vocab *v, int32_t id, size_t *n);
/* The token's text as the file has it: byte-level letters for gpt2, U+2581 for spaces in llama. */
struct gguf_str vocab_text(const struct vocab *v, int32_t id);
enum vocab_kind vocab_kind(const struct vocab *v, int32_t id); /* VOCAB_UNUSED out of range */
/* The id whose text (as in the file) is these bytes, or VOCAB_NONE. */
int32_t vocab_find(const struct vocab *v, const char *text, size_t n);

const struct vocab_specials *vocab_specials(const struct vocab *v);
/* Sentence i about what the file lacks or says wrongly, and what is done instead; NULL after the
 * last. */
const char *vocab_note(const struct vocab *v, size_t i);
/* Does this token end a generation: eos, eot, eom, or one of the well-known closing texts
 * ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", ...). A text that could be markup, such as "</s>",
 * counts only for a control token; "<|end|>" does not where it ends but a part of a message
 * (gpt-oss, Solar), and then not even when the file names it. */
bool vocab_is_eog(const struct vocab *v, int32_t id);

/* Append the tokens of a text of n bytes. ST_ARG when n > VOCAB_TEXT_MAX, ST_MEMORY; after an error
 * `out` holds what it held before. */
MUST_USE enum status vocab_encode(const struct vocab *v, const char *text, size_t n, unsigned flags,
                                  struct ids *out, struct err *err);

/* Does the text begin with the very BOS that these flags ask for? Then vocab_encode adds none.
 * False also where the answer would take memory that is not there. */
bool vocab_brings_bos(const struct vocab *v, const char *text, size_t n, unsigned flags);

/* Do two vocabularies mean the same by every id and make the same ids of a text, so that their
 * models can share one? *same gets the number of leading ids that agree. ST_OK when those are the
 * real tokens of both (padding may differ), or of one while the other has at most VOCAB_SPARE_MAX
 * more, and the pre-tokenizers and merges agree as well; otherwise ST_ARG, and the message names
 * what differs first. Not compared: scores of "llama", since converters disagree about those of
 * added tokens, and whether a word that is a token is taken whole, which makes other ids of few
 * words, and of which converters are not sure either. */
MUST_USE enum status vocab_compare(const struct vocab *a, const struct vocab *b, int32_t *same,
                                   struct err *err);

#endif
