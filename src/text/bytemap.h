/*
 * The alphabet of byte-level vocabularies. Their token texts are letters: each byte has one, a
 * printable character for itself where it is one, else the next character from U+0100 on. So a
 * space is U+0120, a line feed U+010A.
 */
#ifndef EAD_TEXT_BYTEMAP_H
#define EAD_TEXT_BYTEMAP_H

#include <stddef.h>
#include <stdint.h>

/* The letter of a byte as UTF-8, one or two bytes into out; returns how many. */
size_t bytemap_letter(uint8_t byte, char out[2]);

/* Turn the letters of a token's text back into bytes; out has room for n. A character that is no
 * letter stays as it is: files carry added tokens whose text is plain. Returns the bytes written,
 * never more than n. */
size_t bytemap_decode(const char *text, size_t n, char *out);

#endif
