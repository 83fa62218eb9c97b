#include "cli/opening.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

const char opening_pack_cache_help[] =
    "keep the rearranged weights in this folder, in a file of about the model's size,\n"
    "and map them from there the next time (default: rearrange at every start)";

const char opening_address_help[] =
    "models behind an API: KIND+http://HOST:PORT/v1#NAME where a file could stand; KIND is one\n"
    "of vllm, sglang, llamacpp, ead and openai";
const char opening_vocab_help[] =
    "GGUF file of the vocabulary and chat template, where no model is at hand";
const char opening_top_help[] =
    "log-probabilities to ask for with each token, which bound its entropy (default: all of a\n"
    "vocabulary up to 256, else 20, or 5 of openai); of ead they are exact without";

static void tell_notes(const char *name, const ead_model *model)
{
    const char *note;
    for (size_t i = 0; (note = ead_model_note(model, i)); i++)
        fprintf(stderr, "ead: %s%s%s\n", name, *name ? ": " : "", note);
}

static int open_and_tell(const char *path, const ead_model_options *options, ead_model **out)
{
    ead_error error;
    if (ead_model_open(path, options, out, &error)) return fail_error(&error);
    tell_notes(path, *out);
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

/* ---- a pair ------------------------------------------------------------------------------ */

static int find_key(const char *option, const char *variable, const char **key)
{
    *key = variable ? getenv(variable) : NULL;
    if (variable && (!*key || !**key)) return fail("--%s: %s is not set", option, variable);
    return EXIT_OK;
}

static int open_remote(const struct opening *o, ead_writer w, const char *address,
                       const ead_model *vocab, ead_model **out)
{
    ead_error error;
    const bool large = w == EAD_LARGE;
    ead_remote_options options = {.ca_file = o->ca_file,
                                  .top = o->top,
                                  .connections = o->connections,
                                  .connect_seconds = o->connect,
                                  .first_seconds = o->first,
                                  .between_seconds = o->between,
                                  .retry_seconds = o->pause,
                                  .n_active =
                                      (uint64_t)(large ? o->large_params : o->small_params)};
    if (o->retries_given) options.retries = o->retries ? o->retries : -1;
    if (find_key(large ? "large-key-env" : "small-key-env", large ? o->large_key : o->small_key,
                 &options.key))
        return EXIT_FAIL;
    if (ead_remote_open(address, vocab, &options, out, &error)) return fail_error(&error);
    tell_notes("", *out);
    return EXIT_OK;
}

/* Whose vocabulary is asked for at servers: the file's that was named or the model's at hand. */
static int find_vocab(const struct opening *o, ead_model *const models[EAD_WRITERS],
                      ead_model **owned, const ead_model **out)
{
    *out = models[EAD_LARGE] ? models[EAD_LARGE] : models[EAD_SMALL];
    if (!*out && !o->vocab)
        return fail("--vocab FILE is missing: no model is at hand whose vocabulary is known");
    if (!o->vocab) return EXIT_OK;
    if (opening_vocab(o->vocab, owned)) return EXIT_FAIL;
    *out = *owned;
    return EXIT_OK;
}

int opening_pair(const struct opening *o, const char *const paths[EAD_WRITERS],
                 ead_model *models[EAD_WRITERS], ead_model **vocab)
{
    ead_error error;
    const ead_model *known = NULL;
    *vocab = NULL;
    for (int w = 0; w < EAD_WRITERS; w++)
        if (paths[w] && !ead_remote_is(paths[w]) && opening_model(o, paths[w], &models[w]))
            return EXIT_FAIL;
    for (int w = 0; w < EAD_WRITERS; w++) {
        if (!paths[w] || !ead_remote_is(paths[w])) continue;
        if (!known && find_vocab(o, models, vocab, &known)) return EXIT_FAIL;
        if (open_remote(o, (ead_writer)w, paths[w], known, &models[w])) return EXIT_FAIL;
    }
    if (models[EAD_LARGE] && models[EAD_SMALL] &&
        ead_model_compare(models[EAD_LARGE], models[EAD_SMALL], &error))
        return fail("%s and %s: %s", paths[EAD_LARGE], paths[EAD_SMALL], error.message);
    return EXIT_OK;
}
