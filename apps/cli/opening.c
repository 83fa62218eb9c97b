#include "cli/opening.h"

#include "cli/cli.h"

const char opening_no_repack_help[] =
    "multiply weights as they lie in the file: opens sooner and takes no memory of\n"
    "its own for them, but passes take twice as long";

int opening_model(const struct opening *o, const char *path, ead_model **out)
{
    ead_error error;
    ead_model_options options = ead_model_defaults();
    options.no_repack = o->no_repack;
    return ead_model_open(path, &options, out, &error) ? fail_error(&error) : EXIT_OK;
}
