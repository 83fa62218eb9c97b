#include "cli/form.h"

#include "cli/cli.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const form_thinking[] = {"auto", "on", "off", NULL};
const char form_template_help[] =
    "a chat template in place of the model's own: a built-in one ('list' names them) or\n"
    "a file in Jinja";
const char form_variable_help[] = "give the chat template this variable; may be repeated";
const char form_thinking_help[] = "%s: whether a model that can do both thinks before it answers\n"
                                  "(default: auto, as its template has it)";

bool form_given(const struct form_options *o)
{
    return o->template_name || o->variables.n || o->thinking != FORM_THINKING_AUTO || o->now;
}

bool form_lists(const struct form_options *o)
{
    if (!o->template_name || strcmp(o->template_name, "list") != 0) return false;
    for (size_t i = 0; ead_template_name(i); i++) puts(ead_template_name(i));
    return true;
}

/* ---- the template ------------------------------------------------------------------------ */

static bool is_builtin(const char *name)
{
    for (size_t i = 0; ead_template_name(i); i++)
        if (!strcmp(ead_template_name(i), name)) return true;
    return false;
}

/* A word without a slash or a dot was meant as a name, and the list of names helps. */
static bool is_path(const char *name)
{
    return !is_builtin(name) && strpbrk(name, "/.") != NULL;
}

static int open_file(const char *path, const ead_model *model, ead_template **out)
{
    ead_error error;
    ead_template_options options = {0};
    char *text;
    if (source_read(path, &text, &options.bytes)) return EXIT_FAIL;
    source_unmark(text, &options.bytes);
    options.source = text;
    options.label = path;
    const ead_status st = ead_template_open(model, &options, out, &error);
    free(text);
    return st ? fail_error(&error) : EXIT_OK;
}

static int fail_template(const ead_error *error, const char *ways)
{
    const bool faulty = error->status == EAD_FORMAT || error->status == EAD_SUPPORT;
    return ways && faulty ? fail("%s; %s", error->message, ways) : fail_error(error);
}

static int open_template(const char *name, const ead_model *model, struct form *f)
{
    ead_error error;
    const ead_template_options options = {.name = name};
    if (name && is_path(name)) return open_file(name, model, &f->chat);
    if (!ead_template_open(model, &options, &f->chat, &error)) return EXIT_OK;
    return fail_template(&error, f->ways);
}

/* ---- variables --------------------------------------------------------------------------- */

/* "NAME=JSON" into the object. */
static int add_variable(json_t *all, const char *given)
{
    json_error_t fault;
    const char *equals = strchr(given, '=');
    if (!equals || equals == given)
        return fail("--template-arg: expected NAME=JSON, found \"%s\"", given);
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
    if (!value)
        return fail(
            "--template-arg %.*s: expected JSON (a text stands in double quotes), found %s: %s",
            (int)(equals - given), given, equals + 1, fault.text);
    char *name = strndup(given, (size_t)(equals - given));
    const bool set = name && !json_object_set_new(all, name, value);
    free(name);
    return set ? EXIT_OK : fail("--template-arg %s: no name of a variable, or no memory", given);
}

/* `chat` may be NULL: what it knows is a server's to say. */
static int add_thinking(const struct form_options *o, const ead_template *chat, json_t *all)
{
    if (o->thinking == FORM_THINKING_AUTO) return EXIT_OK;
    if (chat && !ead_template_mentions(chat, "enable_thinking"))
        return fail(
            "--thinking: the chat template knows no \"enable_thinking\"; what it knows can be "
            "given with --template-arg");
    const bool on = !strcmp(form_thinking[o->thinking], "on");
    return json_object_set_new(all, "enable_thinking", json_boolean(on))
               ? fail("no memory for the variables of the template")
               : EXIT_OK;
}

int form_variables(const struct form_options *o, const ead_template *chat, json_t **out)
{
    json_t *all = json_object();
    int status = all ? add_thinking(o, chat, all) : fail("no memory for the template");
    for (int i = 0; i < o->variables.n && !status; i++)
        status = add_variable(all, o->variables.text[i]);
    *out = status ? NULL : all;
    if (status) json_decref(all);
    return status;
}

static int gather(const struct form_options *o, struct form *f)
{
    json_t *all;
    if (form_variables(o, f->chat, &all)) return EXIT_FAIL;
    int status = EXIT_OK;
    if (json_object_size(all)) {
        f->variables = json_dumps(all, JSON_COMPACT);
        if (!f->variables) status = fail("no memory for the variables of the template");
    }
    json_decref(all);
    return status;
}

/* ---- all of it --------------------------------------------------------------------------- */

int form_open(const struct form_options *o, const ead_model *model, const char *ways,
              struct form *out)
{
    struct form f = {.ways = o->template_name ? NULL : ways, .now = o->now, .verbose = o->verbose};
    int status = open_template(o->template_name, model, &f);
    if (!status) status = gather(o, &f);
    if (status)
        form_close(&f);
    else
        *out = f;
    return status;
}

void form_close(struct form *f)
{
    ead_template_close(f->chat);
    free(f->variables);
    *f = (struct form){0};
}

void form_show(const char *text, size_t bytes)
{
    fflush(stdout);
    fputs("--- prompt ---\n", stderr);
    fwrite(text, 1, bytes, stderr);
    fputs("\n--- end of prompt ---\n", stderr);
}

int form_render(const struct form *f, ead_conversation *conversation, char **text, size_t *bytes,
                unsigned *flags)
{
    ead_error error;
    conversation->variables = f->variables;
    conversation->now = f->now;
    if (ead_template_render(f->chat, conversation, text, bytes, flags, &error))
        return fail_template(&error, f->ways);
    if (f->verbose) form_show(*text, *bytes);
    return EXIT_OK;
}
