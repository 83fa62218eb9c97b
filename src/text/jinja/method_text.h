/* Methods of texts by kind, for the table in method_text.c. */
#ifndef EAD_TEXT_JINJA_METHOD_TEXT_H
#define EAD_TEXT_JINJA_METHOD_TEXT_H

#include "text/jinja/run.h"

/* Case and questions: method_case.c. */
enum status text_capitalize(struct call *c, struct jv *out);
enum status text_isalnum(struct call *c, struct jv *out);
enum status text_isalpha(struct call *c, struct jv *out);
enum status text_isascii(struct call *c, struct jv *out);
enum status text_isdecimal(struct call *c, struct jv *out);
enum status text_isdigit(struct call *c, struct jv *out);
enum status text_islower(struct call *c, struct jv *out);
enum status text_isnumeric(struct call *c, struct jv *out);
enum status text_isprintable(struct call *c, struct jv *out);
enum status text_isspace(struct call *c, struct jv *out);
enum status text_istitle(struct call *c, struct jv *out);
enum status text_isupper(struct call *c, struct jv *out);
enum status text_lower(struct call *c, struct jv *out);
enum status text_swapcase(struct call *c, struct jv *out);
enum status text_title(struct call *c, struct jv *out);
enum status text_upper(struct call *c, struct jv *out);

/* The ends, and finding: method_find.c. */
enum status text_count(struct call *c, struct jv *out);
enum status text_endswith(struct call *c, struct jv *out);
enum status text_find(struct call *c, struct jv *out);
enum status text_index(struct call *c, struct jv *out);
enum status text_lstrip(struct call *c, struct jv *out);
enum status text_removeprefix(struct call *c, struct jv *out);
enum status text_removesuffix(struct call *c, struct jv *out);
enum status text_rfind(struct call *c, struct jv *out);
enum status text_rindex(struct call *c, struct jv *out);
enum status text_rstrip(struct call *c, struct jv *out);
enum status text_startswith(struct call *c, struct jv *out);
enum status text_strip(struct call *c, struct jv *out);

/* Cutting: method_cut.c. */
enum status text_partition(struct call *c, struct jv *out);
enum status text_rpartition(struct call *c, struct jv *out);
enum status text_rsplit(struct call *c, struct jv *out);
enum status text_split(struct call *c, struct jv *out);
enum status text_splitlines(struct call *c, struct jv *out);

/* The first or the last place of a word in the bytes [from, to) of the text at hand, or NULL. */
MUST_USE enum status text_find_word(struct call *c, size_t from, size_t to, struct jv word,
                                    bool last, const char **out);

#endif
