/* page.html with its style and its scripts, as cmake/embed.cmake puts them together. */
#ifndef EAD_SERVER_PAGE_H
#define EAD_SERVER_PAGE_H

extern const char page_text[]; /* NUL-terminated */

#endif
