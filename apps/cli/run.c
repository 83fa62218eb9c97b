#include "cli/args.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/pair.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *prompt, *file, *trace, *json;
    bool chat, raw;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "prompt",
     .letter = 'p',
     .value = "TEXT",
     .out = &options.prompt,
     .help = "the prompt; - reads standard input"},
    {.kind = ARG_TEXT,
     .name = "file",
     .letter = 'f',
     .value = "FILE",
     .out = &options.file,
     .help = "read the prompt from a file"},
    {.kind = ARG_FLAG,
     .name = "chat",
     .out = &options.chat,
     .help = "put the prompt into the model's chat template (default if it has one)"},
    {.kind = ARG_FLAG,
     .name = "raw",
     .out = &options.raw,
     .help = "take the prompt as it is, a last line end included"},
    {.kind = ARG_FLAG,
     .name = "ignore-eos",
     .out = &pair_options.ignore_end,
     .help = "do not stop at a token that ends the text"},
    {.kind = ARG_HEADING, .help = "output"},
    {.kind = ARG_TEXT,
     .name = "trace",
     .value = "FILE",
     .out = &options.trace,
     .help = "write one JSON object per token: i, id, text, model, log_prob, entropy,\n"
             "max_prob, margin, argmax, rolling, ms, switched; lost (true) where it was taken\n"
             "back before it was told; judged, what the large model thought of a draft;\n"
             "judgement, of the drafts before it; taken_back where told tokens before it were;\n"
             "end (true) of the text; entropy_lo, entropy_hi and exact (false) where a server\n"
             "gives bounds; alone where the large model failed before it"},
    {.kind = ARG_TEXT,
     .name = "json",
     .value = "FILE",
     .out = &options.json,
     .help = "write the summary as JSON; - puts it behind the text on standard output"},
};
static const struct args usage = {
    .command = "run",
    .synopsis = "--large L.gguf --small S.gguf -p PROMPT [OPTION ...]",
    .description =
        "Write a text with two models of one vocabulary. The small one writes; while the rolling\n"
        "entropy of the active model's next-token distribution is above tau, the large one does.\n"
        "The text goes to standard output, a summary to standard error. Ctrl-C ends the text.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
    .more = pair_args,
    .n_more = &n_pair_args,
};

static int check_options(void)
{
    if (options.trace && !strcmp(options.trace, "-"))
        return args_fault(&usage, "--trace: expected a file; standard output carries the text");
    if (output_same(options.trace, options.json))
        return args_fault(&usage, "--trace and --json: expected two files, found one");
    if (options.chat && options.raw) return args_fault(&usage, "--chat contradicts --raw");
    if (options.raw && pair_options.system) return args_fault(&usage, "--raw contradicts --system");
    if (options.raw && form_given(&pair_options.form))
        return args_fault(&usage, "--raw contradicts --%s",
                          pair_options.form.template_name ? "chat-template"
                                                          : "template-arg, --thinking and --now");
    if (options.prompt && options.file) return args_fault(&usage, "-p contradicts -f");
    if (!options.prompt && !options.file)
        return args_fault(&usage, "-p PROMPT or -f FILE is missing");
    return pair_check(&usage);
}

/* ---- the prompt -------------------------------------------------------------------------- */

struct prompt {
    char *text; /* to be freed */
    size_t bytes;
    bool chat;
    int32_t *ids; /* ead_free */
    size_t n_ids;
};

static int prompt_load(struct prompt *prompt)
{
    const char *path = options.file ? options.file : !strcmp(options.prompt, "-") ? "-" : NULL;
    if (path) return source_read(path, &prompt->text, &prompt->bytes);
    prompt->bytes = strlen(options.prompt);
    prompt->text = strdup(options.prompt);
    return prompt->text ? EXIT_OK : fail("no memory for the prompt");
}

/* Put the text into the chat template. */
static int prompt_render(struct prompt *prompt, const ead_model *model, unsigned *flags)
{
    struct form form;
    ead_message messages[2];
    ead_conversation conversation = {.messages = messages};
    size_t bytes;
    char *text;
    if (strlen(prompt->text) != prompt->bytes)
        return fail("the prompt holds a NUL byte, which a chat template cannot carry; use --raw");
    if (options.file || !strcmp(options.prompt, "-")) {
        source_unmark(prompt->text, &prompt->bytes);
        source_chomp(prompt->text, &prompt->bytes);
    }
    if (pair_options.system)
        messages[conversation.n_messages++] = (ead_message){"system", pair_options.system};
    messages[conversation.n_messages++] = (ead_message){"user", prompt->text};
    if (form_open(&pair_options.form, model,
                  FORM_WAYS("chat-template") "; --raw continues plain text", &form))
        return EXIT_FAIL;
    const int status = form_render(&form, &conversation, &text, &bytes, flags);
    form_close(&form);
    if (status) return status;
    free(prompt->text);
    prompt->text = malloc(bytes + 1); /* it may hold a NUL */
    if (prompt->text) memcpy(prompt->text, text, bytes + 1);
    prompt->bytes = bytes;
    ead_free(text);
    return prompt->text ? EXIT_OK : fail("no memory for the prompt");
}

static int prompt_tokenize(struct prompt *prompt, const ead_model *model, unsigned flags)
{
    if (source_tokenize(model, prompt->text, prompt->bytes, flags, &prompt->ids, &prompt->n_ids))
        return EXIT_FAIL;
    if (!prompt->n_ids)
        return fail("the prompt is empty, and the vocabulary has no token to begin with");
    return EXIT_OK;
}

static int prompt_prepare(struct prompt *prompt, const ead_model *model)
{
    unsigned flags = EAD_ADD_BOS | EAD_PARSE_SPECIAL;
    if (prompt_load(prompt)) return EXIT_FAIL;
    prompt->chat = !options.raw && (options.chat || form_given(&pair_options.form) ||
                                    pair_options.system || ead_template_present(model));
    if (prompt->chat && prompt_render(prompt, model, &flags)) return EXIT_FAIL;
    if (!prompt->chat && pair_options.form.verbose) form_show(prompt->text, prompt->bytes);
    return prompt_tokenize(prompt, model, flags);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Write until something ends the text; *stop says what. EXIT_FAIL after saying why. */
static int write_text(struct pair *p, struct screen *screen, const char **stop)
{
    ead_error error;
    *stop = "length";
    for (int64_t written = 0; written != pair_options.n;) {
        ead_token token;
        if (screen_interrupted) {
            *stop = "interrupt";
            break;
        }
        ead_status st = ead_duo_step(p->duo, &token, &error);
        if (st == EAD_CANCELLED) continue; /* the flag that cancelled is looked at next */
        if (st) return fail_error(&error);
        if (token.alone) pair_tell_loss(p);
        if (screen_token(screen, &token)) return EXIT_FAIL;
        if (token.lost) continue;
        written = token.index + 1;
        if (token.end) {
            *stop = token.end == EAD_END_TOKEN ? "end of text" : "context full";
            break;
        }
    }
    return EXIT_OK;
}

static int write_report(const struct pair *p, const char *stop)
{
    json_t *report = report_build(p, stop);
    if (!report) return fail("no memory for the summary");
    int status = options.json ? json_write(options.json, report) : EXIT_OK;
    report_print(report);
    report_warn(p);
    json_decref(report);
    return status;
}

/* A text that was interrupted or could not be shown to its end still gets its account. */
static int write_all(struct pair *p, struct screen *screen, const struct prompt *prompt)
{
    ead_error error;
    const char *stop = "interrupt";
    ead_duo_watch(p->duo, screen_progress, screen);
    ead_status st = ead_duo_append(p->duo, prompt->ids, prompt->n_ids, &error);
    if (!st) st = ead_duo_read(p->duo, &error);
    if (st && st != EAD_CANCELLED) return fail_error(&error);
    int status = st ? EXIT_OK : write_text(p, screen, &stop);
    if (screen_end(screen)) status = EXIT_FAIL;
    if (status) stop = "error";
    int reported = write_report(p, stop);
    return status ? status : reported;
}

static int with_screen(struct pair *p, const struct prompt *prompt)
{
    const bool color = screen_wants_color((enum screen_color)pair_options.color, stdout);
    struct screen screen = {.color = color,
                            .lost = screen_wants_lost((enum screen_lost)pair_options.lost, color),
                            .endless = pair_options.ignore_end,
                            .trace_path = options.trace};
    /* A continuation keeps the space that begins its first word. */
    unsigned flags = prompt->chat || !prompt->bytes ? EAD_TEXT_START : 0;
    int status = screen_open(&screen, pair_speaker(p), flags);
    if (!status && options.trace && !(screen.trace = trace_create(options.trace)))
        status = EXIT_FAIL;
    if (!status) status = write_all(p, &screen, prompt);
    if (screen.trace) status = trace_close(screen.trace, options.trace, status);
    screen_close(&screen);
    return status;
}

static int command(int argc, char **argv)
{
    int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&pair_options.form)) return EXIT_OK;
    parsed = check_options();
    if (parsed) return parsed;
    if (output_check_file(options.trace) || output_check_file(options.json)) return EXIT_FAIL;
    struct pair pair = {0};
    struct prompt prompt = {0};
    int status = pair_open(&pair);
    if (!status) status = prompt_prepare(&prompt, pair_speaker(&pair));
    screen_catch_signals(); /* not before: an interrupt while the prompt is typed simply ends */
    if (!status) status = with_screen(&pair, &prompt);
    free(prompt.text);
    ead_free(prompt.ids);
    pair_close(&pair);
    return status;
}

const struct command command_run = {"write a text with two models (or one)", &usage, command};
