/* Where in a model's output the answer stands. Each finder borrows: the part lies in the text. */
#ifndef EAD_GRADE_EXTRACT_H
#define EAD_GRADE_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>

struct part {
    const char *s;
    size_t n;
};

/* The content of the last balanced \boxed{}, or of "\boxed X$"; \fbox where there is no \boxed. */
bool extract_box(const char *text, struct part *out);
/* The rest of the line behind the last "####". */
bool extract_hashes(const char *text, struct part *out);
/* What follows the last "answer is" or "answer:", or the heading "Final Answer", to the end of its
 * sentence. */
bool extract_phrase(const char *text, struct part *out);
/* The last $...$, \(...\) or \[...\]. */
bool extract_math(const char *text, struct part *out);
/* The last line, where others with words stand before it. */
bool extract_last_line(const char *text, struct part *out);
/* The last number, with its sign, commas and denominator. */
bool extract_number(const char *text, struct part *out);

/* Without white space around it, and without a chat model's closing marks behind it. */
struct part extract_trim(struct part part);
/* Runs of two and more letters that begin the part or follow white space. */
size_t extract_count_words(struct part part);

#endif
