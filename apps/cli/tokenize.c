#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/opening.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    const char *model;
    bool bos, eos, special, decode;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "model",
     .letter = 'm',
     .value = "FILE",
     .out = &options.model,
     .help = "GGUF file with the vocabulary, " FETCH_HELP ";\nweights are not needed"},
    {.kind = ARG_FLAG,
     .name = "bos",
     .out = &options.bos,
     .help = "begin with the token for that, if the vocabulary's rule says so"},
    {.kind = ARG_FLAG,
     .name = "eos",
     .out = &options.eos,
     .help = "end with the token for that, if the vocabulary's rule says so"},
    {.kind = ARG_FLAG,
     .name = "special",
     .out = &options.special,
     .help = "read control tokens such as <|im_start|> as such; with --decode, show them"},
    {.kind = ARG_FLAG,
     .name = "decode",
     .out = &options.decode,
     .help = "the other way: ids on standard input, text out"},
};
static const struct args usage = {
    .command = "tokenize",
    .synopsis = "-m FILE [--bos] [--eos] [--special] [--decode] < TEXT",
    .description = "Token ids of the text on standard input, on one line.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

static int encode(const ead_model *model, const char *text, size_t bytes)
{
    const unsigned flags = (options.bos ? EAD_ADD_BOS : 0) | (options.eos ? EAD_ADD_EOS : 0) |
                           (options.special ? EAD_PARSE_SPECIAL : 0);
    size_t n;
    int32_t *ids;
    if (source_tokenize(model, text, bytes, flags, &ids, &n)) return EXIT_FAIL;
    for (size_t i = 0; i < n; i++) printf(i ? " %d" : "%d", ids[i]);
    printf("\n");
    ead_free(ids);
    return EXIT_OK;
}

static int decode_ids(const ead_model *model, const int32_t *ids, size_t n)
{
    ead_error error;
    ead_detok *detok;
    const unsigned flags = EAD_TEXT_START | (options.special ? EAD_SHOW_SPECIAL : 0);
    const int n_vocab = ead_model_describe(model).n_vocab;
    if (ead_detok_open(model, flags, &detok, &error)) return fail_error(&error);
    int status = EXIT_OK;
    for (size_t i = 0; i <= n && !status; i++) {
        const char *text;
        size_t bytes;
        if (i < n && ids[i] >= n_vocab)
            status = fail("token id %zu: expected 0 to %d, found %d", i, n_vocab - 1, ids[i]);
        else if (ead_detok_add(detok, i < n ? ids[i] : -1, &text, &bytes, &error))
            status = fail_error(&error);
        else
            fwrite(text, 1, bytes, stdout);
    }
    ead_detok_close(detok);
    return status;
}

static int decode(const ead_model *model, const char *text)
{
    int32_t *ids;
    size_t n;
    if (source_ids("token id", text, &ids, &n)) return EXIT_FAIL;
    int status = decode_ids(model, ids, n);
    free(ids);
    return status;
}

static int command(int argc, char **argv)
{
    ead_model *model;
    char *text;
    size_t bytes;
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (!options.model) return args_fault(&usage, "-m FILE is missing");
    if (fetch_in_place(&options.model) || opening_vocab(options.model, &model)) return EXIT_FAIL;
    int status = source_read("-", &text, &bytes);
    if (!status) {
        status = options.decode ? decode(model, text) : encode(model, text, bytes);
        free(text);
    }
    ead_model_close(model);
    return status;
}

const struct command command_tokenize = {"text to token ids, or back", &usage, command};
