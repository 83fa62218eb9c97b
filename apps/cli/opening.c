#include "cli/opening.h"

#include "cli/cli.h"

#include <stdio.h>

const char opening_pack_cache_help[] =
    "keep the rearranged weights in this folder, in a file of about the model's size,\n"
    "and map them from there the next time (default: rearrange at every start)";

static int open_and_tell(const char *path, const ead_model_options *options, ead_model **out)
{
    ead_error error;
    if (ead_model_open(path, options, out, &error)) return fail_error(&error);
    const char *note;
    for (size_t i = 0; (note = ead_model_note(*out, i)); i++)
        fprintf(stderr, "ead: %s: %s\n", path, note);
    return EXIT_OK;
}

int opening_model(const struct opening *o, const char *path, ead_model **out)
{
    ead_model_options options = ead_model_defaults();
    options.pack_cache = o->pack_cache;
    if (open_and_tell(path, &options, out)) return EXIT_FAIL;
    const char *fault = ead_model_describe(*out).pack_fault;
    if (fault) fprintf(stderr, "ead: %s; the next start rearranges the weights again\n", fault);
    return EXIT_OK;
}

int opening_vocab(const char *path, ead_model **out)
{
    ead_model_options options = ead_model_defaults();
    options.vocab_only = true;
    return open_and_tell(path, &options, out);
}
