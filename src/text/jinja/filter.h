/* Filters by kind, for the table in filter.c. */
#ifndef EAD_TEXT_JINJA_FILTER_H
#define EAD_TEXT_JINJA_FILTER_H

#include "text/jinja/run.h"

/* Over lists: filter_list.c, and filter_choose.c for those that apply others to each item. */
enum status filter_first(struct call *c, struct jv *out);
enum status filter_last(struct call *c, struct jv *out);
enum status filter_length(struct call *c, struct jv *out);
enum status filter_list(struct call *c, struct jv *out);
enum status filter_join(struct call *c, struct jv *out);
enum status filter_reverse(struct call *c, struct jv *out);
enum status filter_sort(struct call *c, struct jv *out);
enum status filter_unique(struct call *c, struct jv *out);
enum status filter_min(struct call *c, struct jv *out);
enum status filter_max(struct call *c, struct jv *out);
enum status filter_sum(struct call *c, struct jv *out);
enum status filter_batch(struct call *c, struct jv *out);
enum status filter_slice(struct call *c, struct jv *out);
enum status filter_groupby(struct call *c, struct jv *out);
enum status filter_dictsort(struct call *c, struct jv *out);
enum status filter_items(struct call *c, struct jv *out);
enum status filter_map(struct call *c, struct jv *out);
enum status filter_select(struct call *c, struct jv *out);
enum status filter_reject(struct call *c, struct jv *out);
enum status filter_selectattr(struct call *c, struct jv *out);
enum status filter_rejectattr(struct call *c, struct jv *out);

/* Over texts: filter_text.c. */
enum status filter_capitalize(struct call *c, struct jv *out);
enum status filter_center(struct call *c, struct jv *out);
enum status filter_indent(struct call *c, struct jv *out);
enum status filter_lower(struct call *c, struct jv *out);
enum status filter_replace(struct call *c, struct jv *out);
enum status filter_string(struct call *c, struct jv *out);
enum status filter_title(struct call *c, struct jv *out);
enum status filter_trim(struct call *c, struct jv *out);
enum status filter_truncate(struct call *c, struct jv *out);
enum status filter_upper(struct call *c, struct jv *out);
enum status filter_urlencode(struct call *c, struct jv *out);
enum status filter_wordcount(struct call *c, struct jv *out);

/* The value that a path of names and numbers leads to, "a.0.b"; a number is an item. A number
 * and, where `v` is absent, the value itself are paths too. */
MUST_USE enum status filter_path(struct jinja_run *run, struct jv v, struct jv path,
                                 struct jv *out);
/* Call a method of texts by its name, with what the filter was given. */
MUST_USE enum status filter_method(struct call *c, const char *name, const struct jv *args, int n,
                                   struct jv *out);

#endif
