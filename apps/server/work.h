/* Sums over what models did, for accounts and metrics. */
#ifndef EAD_SERVER_WORK_H
#define EAD_SERVER_WORK_H

#include "ead.h"

void work_add(ead_work *to, const ead_work *from);
/* In passes of all kinds. */
double work_seconds(const ead_work *w);
int64_t work_rows(const ead_work *w);

#endif
