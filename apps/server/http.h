/*
 * The HTTP thread: libmicrohttpd's epoll thread, in which each request is checked, routed and,
 * where it takes work, handed on. Nothing here takes long.
 */
#ifndef EAD_SERVER_HTTP_H
#define EAD_SERVER_HTTP_H

#include "server/inside.h"

/* Listen where the options say. */
MUST_USE enum status http_open(struct server *s, struct err *err);
/* All connections are closed; jobs that are waited for must have been answered or abandoned. */
void http_close(struct server *s);

#endif
