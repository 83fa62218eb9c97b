/* Files and folders that a command will write at its end: what cannot be written is said at its
 * start. */
#ifndef EAD_CLI_OUTPUT_H
#define EAD_CLI_OUTPUT_H

#include <stdbool.h>

/* Can a file be written under `path`? NULL and "-" (standard output) can. Leaves everything as it
 * is. EXIT_FAIL after saying why not. */
int output_check_file(const char *path);

/* Is it one file, of which each would write over the other? Pipes and devices are not. Both may be
 * NULL; neither has to be there. */
bool output_same(const char *a, const char *b);

/* Can files be made in the folder `path`, which may have to be made itself? */
int output_check_folder(const char *path);

#endif
