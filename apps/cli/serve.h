/* `ead serve`: its table of options is made from the pair's. */
#ifndef EAD_CLI_SERVE_H
#define EAD_CLI_SERVE_H

/* After pair_prepare, before any options are parsed. */
void serve_prepare(void);

#endif
