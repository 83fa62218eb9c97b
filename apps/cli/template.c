#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/form.h"
#include "cli/opening.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *model, *messages;
    struct form_options form;
    bool finished;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "model",
     .letter = 'm',
     .value = "FILE",
     .out = &options.model,
     .help = "GGUF file with the template and the special tokens, " FETCH_HELP
             ";\nweights are not needed"},
    {.kind = ARG_TEXT,
     .name = "messages",
     .value = "FILE",
     .out = &options.messages,
     .help = "JSON: an array of messages, or an object with \"messages\" and whatever else the\n"
             "template is to see (tools, documents, bos_token, ...); - reads standard input\n"
             "(default: one message, \"Hello\")"},
    {.kind = ARG_FLAG,
     .name = "no-generation-prompt",
     .out = &options.finished,
     .help = "do not open the assistant's next message"},
    FORM_ARGS(options.form, "template", "the clock"),
};
static const struct args usage = {
    .command = "template",
    .synopsis = "-m FILE | --template NAME [--messages FILE] [OPTION ...]",
    .description = "Print a conversation as a chat template writes it, and nothing else.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

static int print(const struct form *form, ead_conversation *conversation)
{
    char *text;
    size_t bytes;
    unsigned flags;
    if (form_render(form, conversation, &text, &bytes, &flags)) return EXIT_FAIL;
    fwrite(text, 1, bytes, stdout);
    ead_free(text);
    return EXIT_OK;
}

static int with_form(const struct form *form)
{
    static const ead_message hello = {"user", "Hello"};
    ead_conversation conversation = {
        .messages = &hello, .n_messages = 1, .finished = options.finished};
    char *json = NULL;
    if (options.messages) {
        if (source_read(options.messages, &json, &conversation.json_bytes)) return EXIT_FAIL;
        source_unmark(json, &conversation.json_bytes);
        conversation.json = json;
        conversation.json_label = strcmp(options.messages, "-") ? options.messages : NULL;
    }
    const int status = print(form, &conversation);
    free(json);
    return status;
}

static int command(int argc, char **argv)
{
    struct form form;
    ead_model *model = NULL;
    const int parsed = args_parse(&usage, argc, argv, NULL, 0, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (form_lists(&options.form)) return EXIT_OK;
    if (!options.model && !options.form.template_name)
        return args_fault(&usage, "-m FILE or --template FILE is missing");
    if (fetch_in_place(&options.model) || (options.model && opening_vocab(options.model, &model)))
        return EXIT_FAIL;
    int status = form_open(&options.form, model, FORM_WAYS("template"), &form);
    if (!status) {
        status = with_form(&form);
        form_close(&form);
    }
    ead_model_close(model);
    return status;
}

const struct command command_template = {"a conversation as the chat template writes it", &usage,
                                         command};
