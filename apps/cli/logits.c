#include "cli/advice.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/opening.h"
#include "cli/output.h"
#include "cli/pair.h"
#include "cli/source.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *model, *ids, *out;
    int threads, cpu, cache;
    struct opening opening;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "model",
     .letter = 'm',
     .value = "FILE",
     .out = &options.model,
     .help = "GGUF model, " FETCH_HELP},
    {.kind = ARG_TEXT,
     .name = "ids",
     .value = "LIST",
     .out = &options.ids,
     .help = "token ids, separated by commas or spaces; - reads standard input"},
    {.kind = ARG_TEXT,
     .name = "output",
     .letter = 'o',
     .value = "FILE",
     .out = &options.out,
     .help = "where the logits go; - is standard output"},
    PAIR_CPU_ARG(options.cpu, ""),
    PAIR_CACHE_ARG(options.cache, ""),
    OPENING_ARGS(options.opening),
    {.kind = ARG_INT,
     .name = "threads",
     .letter = 't',
     .value = "N",
     .out = &options.threads,
     .min = 1,
     .max = 256,
     .help = "threads (default: as many as the process may use)"},
};
static const struct args usage = {
    .command = "logits",
    .synopsis = "-m FILE --ids 1,2,3 -o OUT.f32",
    .description =
        "Evaluate tokens and write the logits of every position: little-endian float32,\n"
        "positions x vocabulary.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

enum { PASS_ROWS = 64 };

static int write_row(FILE *to, const float *logits, int n)
{
    if (__BYTE_ORDER == __LITTLE_ENDIAN) return fwrite(logits, 4, (size_t)n, to) != (size_t)n;
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &logits[i], sizeof bits);
        bits = htole32(bits);
        if (fwrite(&bits, sizeof bits, 1, to) != 1) return 1;
    }
    return 0;
}

static int evaluate(ead_session *s, const int32_t *ids, int n, int n_logits, FILE *to)
{
    ead_error error;
    for (int at = 0; at < n; at += PASS_ROWS) {
        ead_row rows[PASS_ROWS];
        int count = n - at < PASS_ROWS ? n - at : PASS_ROWS;
        for (int i = 0; i < count; i++)
            rows[i] = (ead_row){.pos = at + i, .token = ids[at + i], .wants_logits = true};
        if (ead_session_eval(s, rows, count, &error)) return fail_error(&error);
        for (int i = 0; i < count; i++)
            if (write_row(to, ead_session_logits(s, i), n_logits))
                return fail("%s: cannot write: %s", options.out, strerror(errno));
    }
    return EXIT_OK;
}

static int open_and_evaluate(const ead_model *model, const int32_t *ids, size_t n, FILE *to)
{
    ead_error error;
    ead_session *session;
    ead_session_options o = ead_session_defaults();
    o.cpu = options.cpu ? pair_cpus[options.cpu] : NULL;
    o.threads = options.threads;
    o.cache_type = pair_caches[options.cache];
    o.n_ctx = n < 1 << 24 ? (int)n : 1 << 24;
    o.max_rows = o.max_logits = PASS_ROWS;
    advice_give((const ead_model *[EAD_WRITERS]){[EAD_LARGE] = model},
                (const char *[EAD_WRITERS]){[EAD_LARGE] = options.model}, o.n_ctx);
    if (ead_session_open(model, &o, &session, &error)) return fail_error(&error);
    int status = evaluate(session, ids, (int)n, ead_model_describe(model).n_logits, to);
    ead_session_close(session);
    return status;
}

static int with_output(const ead_model *model, const int32_t *ids, size_t n)
{
    const bool standard = !strcmp(options.out, "-");
    FILE *to = standard ? stdout : fopen(options.out, "wb");
    if (!to) return fail("%s: cannot create: %s", options.out, strerror(errno));
    int status = open_and_evaluate(model, ids, n, to);
    if (!standard && fclose(to) && !status)
        status = fail("%s: cannot write: %s", options.out, strerror(errno));
    return status;
}

static int with_ids(const ead_model *model)
{
    char *text = NULL;
    size_t bytes, n;
    int32_t *ids;
    const char *list = options.ids;
    if (!strcmp(list, "-")) {
        if (source_read("-", &text, &bytes)) return EXIT_FAIL;
        list = text;
    }
    int status = source_ids("token id", list, &ids, &n);
    free(text);
    if (status) return status;
    if (!n) status = fail("--ids: expected at least one token id");
    const int n_logits = ead_model_describe(model).n_logits;
    for (size_t i = 0; i < n && !status; i++)
        if (ids[i] >= n_logits)
            status = fail("token id %zu: expected 0 to %d, found %d", i, n_logits - 1, ids[i]);
    if (!status) status = with_output(model, ids, n);
    free(ids);
    return status;
}

static int command(int argc, char **argv)
{
    ead_model *model;
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (!options.model) return args_fault(&usage, "-m FILE is missing");
    if (!options.ids) return args_fault(&usage, "--ids LIST is missing");
    if (!options.out) return args_fault(&usage, "-o FILE is missing");
    if (output_check_file(options.out)) return EXIT_FAIL;
    if (fetch_in_place(&options.model) || opening_model(&options.opening, options.model, &model))
        return EXIT_FAIL;
    int status = with_ids(model);
    ead_model_close(model);
    return status;
}

const struct command command_logits = {"write the logits of given tokens to a file", &usage,
                                       command};
