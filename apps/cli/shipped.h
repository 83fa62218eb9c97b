/* The pair that comes with the program, where a user names no models: in $EAD_MODELS, in models/
 * beside the folder of the program (a build in the source tree), or in ../share/ead/models (an
 * installation). */
#ifndef EAD_CLI_SHIPPED_H
#define EAD_CLI_SHIPPED_H

/* The path of a file of it ("large.gguf"), to be freed; NULL when it is nowhere. */
char *shipped_path(const char *name);

#endif
