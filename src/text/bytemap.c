#include "text/bytemap.h"

enum {
    HIDDEN_LOW = 0x21,           /* bytes 00 to 20 have no printable form: 33 letters */
    HIDDEN_MIDDLE = 0xa1 - 0x7f, /* 7f to a0: 34 more */
    LETTERS = 0x100,
    LETTERS_END = LETTERS + HIDDEN_LOW + HIDDEN_MIDDLE + 1 /* and ad, the soft hyphen */
};

static unsigned letter_of(uint8_t byte)
{
    if (byte < 0x21) return LETTERS + byte;
    if (byte < 0x7f) return byte;
    if (byte < 0xa1) return LETTERS + HIDDEN_LOW + byte - 0x7f;
    return byte == 0xad ? LETTERS_END - 1 : byte;
}

/* The byte of a code point below 0x800, -1 when it is no letter. */
static int byte_of(unsigned letter)
{
    if (letter >= LETTERS_END) return -1;
    if (letter == LETTERS_END - 1) return 0xad;
    if (letter >= LETTERS + HIDDEN_LOW) return (int)(letter - LETTERS - HIDDEN_LOW + 0x7f);
    if (letter >= LETTERS) return (int)(letter - LETTERS);
    return letter_of((uint8_t)letter) == letter ? (int)letter : -1;
}

size_t bytemap_letter(uint8_t byte, char out[2])
{
    unsigned letter = letter_of(byte);
    if (letter < 0x80) {
        out[0] = (char)letter;
        return 1;
    }
    out[0] = (char)(0xc0 | letter >> 6);
    out[1] = (char)(0x80 | (letter & 0x3f));
    return 2;
}

size_t bytemap_decode(const char *text, size_t n, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t lead = (uint8_t)text[i];
        int byte = -1;
        if (lead < 0x80) {
            byte = lead; /* a control character or a space is no letter, and stays */
        } else if (lead >= 0xc2 && lead < 0xe0 && i + 1 < n && ((uint8_t)text[i + 1] >> 6) == 2) {
            byte = byte_of((lead & 0x1fu) << 6 | ((uint8_t)text[i + 1] & 0x3fu));
            if (byte >= 0) i++;
        }
        out[at++] = byte >= 0 ? (char)byte : text[i];
    }
    return at;
}
