/* `ead chat`: its table of options is made from the pair's. */
#ifndef EAD_CLI_CHAT_H
#define EAD_CLI_CHAT_H

/* After pair_prepare, before any options are parsed. */
void chat_prepare(void);

#endif
