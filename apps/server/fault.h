/* What a model or a batch failed with, as a refusal. */
#ifndef EAD_SERVER_FAULT_H
#define EAD_SERVER_FAULT_H

#include "ead.h"
#include "server/refusal.h"

/* The message of a fault may name one of these files (an entry may be NULL) with its folder, which
 * is not the client's to know. */
void refuse_fault(const char *const names[EAD_WRITERS], ead_status fault, const char *message,
                  struct refusal *out);

#endif
