/* What is allowed and seldom meant: said once on standard error as models open. */
#ifndef EAD_CLI_ADVICE_H
#define EAD_CLI_ADVICE_H

#include "ead.h"

/* Either model may be NULL; n_ctx is the context as it was asked for, 0 where it was not. */
void advice_give(const ead_model *const models[EAD_WRITERS], const char *const paths[EAD_WRITERS],
                 int n_ctx);

#endif
