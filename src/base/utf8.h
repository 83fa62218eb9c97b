/* One question about UTF-8: where does the character end? */
#ifndef EAD_BASE_UTF8_H
#define EAD_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character that begins at s (n >= 1 bytes follow): 1 to 4 when it is whole and well
 * formed, 0 when these bytes cannot begin one, -1 when they are the beginning of one that is cut
 * off. Overlong forms, surrogates and code points beyond U+10FFFF are not well formed (RFC 3629).
 */
int utf8_char(const char *s, size_t n);

#endif
