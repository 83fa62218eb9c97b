/* report.html with its style and its script, as cmake/embed.cmake puts it together at build time.
 * The data of a run takes the place of PAGE_MARK. */
#ifndef EAD_EVAL_PAGE_H
#define EAD_EVAL_PAGE_H

#define PAGE_MARK "@DATA@"

extern const char page[]; /* NUL-terminated */

#endif
