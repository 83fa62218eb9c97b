#include "cli/opening.h"

#include "cli/cli.h"

#include <stdio.h>

const char opening_no_repack_help[] =
    "multiply weights as they lie in the file: opens sooner and takes no memory of\n"
    "its own for them, but passes take twice as long";

const char opening_pack_cache_help[] =
    "keep the rearranged weights in this folder, in a file of about the model's size,\n"
    "and map them from there the next time (default: rearrange at every start)";

int opening_check(const struct opening *o, const struct args *usage)
{
    if (o->no_repack && o->pack_cache)
        return args_fault(usage, "--pack-cache contradicts --no-repack");
    return 0;
}

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
    options.no_repack = o->no_repack;
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
