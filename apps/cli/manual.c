/*
 * Man pages, written from what --help prints: one of the program and one of each command. The
 * language is roff with man(7)'s macros.
 */
#include "cli/args.h"
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *dir;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "out",
     .letter = 'o',
     .value = "DIR",
     .out = &options.dir,
     .help = "write every page into this folder: ead.1, ead-run.1 and so on"},
};
static const struct args usage = {
    .command = "manual",
    .synopsis = "[COMMAND] [-o DIR]",
    .word = "COMMAND",
    .description = "Print the man page of a command, or of the whole program, on standard output:\n"
                   "'ead manual run | man -l -' shows it where it is not installed.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

/* ---- text -------------------------------------------------------------------------------- */

static void put_char(FILE *to, char c, bool plain_dash)
{
    static const char special[] = "\\^`~'\"", *const names[] = {"rs", "ha", "ga", "ti", "aq", "dq"};
    const char *at = c ? strchr(special, c) : NULL;
    if (at)
        fprintf(to, "\\(%s", names[at - special]);
    else if (c == '-' && plain_dash)
        fputs("\\-", to); /* the one on the keyboard, not a hyphen */
    else
        fputc(c, to);
}

/* Is this the first character of an option, "-n" or "--predict"? */
static bool begins_option(const char *text, const char *at)
{
    if (*at != '-' || (at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '-')))
        return false;
    return isalpha((unsigned char)at[at[1] == '-' ? 2 : 1]);
}

/* A text that is filled: the ends of its lines mean nothing. Options are bold and, where `values`,
 * words that begin with a capital letter are values. */
static void put(FILE *to, const char *text, bool values)
{
    const char *at = text;
    while (*at) {
        const bool option = begins_option(text, at);
        const bool value = values && isupper((unsigned char)*at);
        if (!option && !value) {
            if ((*at == '.' || *at == '\'') && (at == text || at[-1] == '\n')) fputs("\\&", to);
            put_char(to, *at, !isalpha((unsigned char)at[1]));
            at++;
            continue;
        }
        fputs(option ? "\\fB" : "\\fI", to);
        do put_char(to, *at++, true);
        while (isalnum((unsigned char)*at) || *at == '-' || (value && *at == '.'));
        fputs("\\fR", to);
    }
}

/* ---- parts ------------------------------------------------------------------------------- */

static void section(FILE *to, const char *title)
{
    fprintf(to, ".SH %s\n", title);
}

static void put_option(FILE *to, const struct arg *arg)
{
    char text[ARGS_HELP_MAX];
    fputs(".TP\n", to);
    if (arg->letter) fprintf(to, "\\fB\\-%c\\fR, ", arg->letter);
    fputs("\\fB\\-\\-", to);
    for (const char *c = arg->name; *c; c++) put_char(to, *c, true);
    fputs("\\fR", to);
    if (arg->value) {
        fputs(" \\fI", to);
        for (const char *c = arg->value; *c; c++) put_char(to, *c, true);
        fputs("\\fR", to);
    }
    args_help(arg, text);
    fputc('\n', to);
    put(to, text, false);
    fputc('\n', to);
}

static void put_heading(FILE *to, const struct arg *arg)
{
    fprintf(to, ".SS %c", toupper((unsigned char)*arg->help));
    put(to, arg->help + 1, false);
    fputc('\n', to);
}

static void put_options(FILE *to, const struct args *a)
{
    const struct arg *arg;
    section(to, "OPTIONS");
    put_option(to, &args_ask); /* before the first heading, which it does not belong to */
    for (int i = 0; (arg = args_at(a, i)); i++)
        arg->kind == ARG_HEADING ? put_heading(to, arg) : put_option(to, arg);
}

static void put_statuses(FILE *to)
{
    section(to, "EXIT STATUS");
    for (int i = 0; cli_statuses[i]; i++) fprintf(to, ".TP\n%d\n%s\n", i, cli_statuses[i]);
}

/* NULL for `command`: the page of the program. */
static void put_title(FILE *to, const struct command *command, const char *summary)
{
    const char *name = command ? command->args->command : NULL;
    char title[32] = "EAD";
    for (size_t i = 0, n = name ? strlen(name) : 0; i < n && i < sizeof title - 6; i++) {
        title[3] = '-';
        title[4 + i] = (char)toupper((unsigned char)name[i]);
    }
    fprintf(to, ".\\\" Written by 'ead manual'.\n.TH %s 1 \"\" \"ead %s\" \"User Commands\"\n",
            title, ead_version());
    section(to, "NAME");
    fprintf(to, "ead%s%s \\- ", name ? "\\-" : "", name ? name : "");
    put(to, summary, false);
    fputc('\n', to);
    section(to, "SYNOPSIS");
    fprintf(to, "\\fBead%s%s\\fR ", name ? " " : "", name ? name : "");
    put(to, command ? command->args->synopsis : "COMMAND [OPTION ...]", true);
    fputc('\n', to);
    section(to, "DESCRIPTION");
    put(to, command ? command->args->description : cli_purpose, false);
    fputc('\n', to);
}

/* ---- pages ------------------------------------------------------------------------------- */

static void put_program(FILE *to)
{
    put_title(to, NULL, "entropy-adaptive decoding with two language models");
    section(to, "COMMANDS");
    for (int i = 0; cli_commands[i]; i++) {
        fprintf(to, ".TP\n\\fBead\\-%s\\fR(1)\n", cli_commands[i]->args->command);
        put(to, cli_commands[i]->summary, false);
        fputc('\n', to);
    }
    put_statuses(to);
    section(to, "ENVIRONMENT");
    fputs(
        ".TP\nEAD_MODELS\nThe folder of the pair that writes where no model is named: large.gguf,\n"
        "small.gguf and profile.json. Without it, the one that was installed with the program.\n"
        ".TP\nEAD_CACHE\nThe folder of models that were fetched. Without it, ead in XDG_CACHE_HOME "
        "or in\n"
        "\\(ti/.cache.\n"
        ".TP\nHF_TOKEN\nA token of Hugging Face, for models that are private or gated.\n"
        ".TP\nHF_ENDPOINT\nThe hub to fetch from, in place of https://huggingface.co.\n"
        ".TP\nNO_COLOR\nWhere it is set, text is not coloured unless an option says so.\n",
        to);
    section(to, "SEE ALSO");
    for (int i = 0; cli_commands[i]; i++)
        fprintf(to, ".BR ead\\-%s (1)%s\n", cli_commands[i]->args->command,
                cli_commands[i + 1] ? "," : "");
}

static void put_command(FILE *to, const struct command *command)
{
    put_title(to, command, command->summary);
    put_options(to, command->args);
    put_statuses(to);
    section(to, "SEE ALSO");
    fputs(".BR ead (1)\n", to);
}

static void put_page(FILE *to, const struct command *command)
{
    command ? put_command(to, command) : put_program(to);
}

static int save_page(const struct command *command)
{
    char *path;
    const char *name = command ? command->args->command : "";
    if (asprintf(&path, "%s/ead%s%s.1", options.dir, command ? "-" : "", name) < 0)
        return fail("out of memory");
    FILE *to = fopen(path, "w");
    if (to) put_page(to, command);
    const bool bad = !to || ferror(to);
    const int status = (to && fclose(to)) || bad ? fail("%s: %s", path, strerror(errno)) : EXIT_OK;
    free(path);
    return status;
}

static int command(int argc, char **argv)
{
    const char *name = NULL;
    int words = 0, i = 0;
    const int parsed = args_parse(&usage, argc, argv, &name, 1, &words);
    if (parsed != ARGS_GO) return parsed;
    if (options.dir && words) return args_fault(&usage, "--out writes the pages of all commands");
    if (options.dir) {
        int status = save_page(NULL);
        for (; !status && cli_commands[i]; i++) status = save_page(cli_commands[i]);
        return status;
    }
    while (words && cli_commands[i] && strcmp(cli_commands[i]->args->command, name)) i++;
    if (words && !cli_commands[i]) return args_fault(&usage, "\"%s\": no such command", name);
    put_page(stdout, words ? cli_commands[i] : NULL);
    return EXIT_OK;
}

const struct command command_manual = {"print man pages", &usage, command};
