/* What bash and zsh need to complete a command line, written from the tables of options. */
#include "cli/args.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct args usage = {
    .command = "completion",
    .synopsis = "bash | zsh",
    .word = "SHELL",
    .description =
        "Print what makes a shell complete commands, options and their values. For the running\n"
        "one: 'source <(ead completion bash)', and the same with zsh after its compinit. An\n"
        "installed ead has both in place.",
};

/* ---- what a value is --------------------------------------------------------------------- */

enum kind { KIND_FREE, KIND_WORDS, KIND_FILE, KIND_DIR, KIND_COMMAND, KIND_SHELL };

static enum kind kind_of_value(const char *value)
{
    static const struct {
        const char *value;
        enum kind kind;
    } kinds[] = {
        {"FILE", KIND_FILE},       {"DIR", KIND_DIR},     {"NAME", KIND_FILE}, /* or a built-in's */
        {"COMMAND", KIND_COMMAND}, {"SHELL", KIND_SHELL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(value, kinds[i].value)) return kinds[i].kind;
    return KIND_FREE;
}

static enum kind kind_of(const struct arg *arg)
{
    if (arg->kind == ARG_CHOICE) return KIND_WORDS;
    return arg->kind == ARG_TEXT || arg->kind == ARG_LIST ? kind_of_value(arg->value) : KIND_FREE;
}

static void put_words(enum kind kind, const char *const *choices)
{
    static const char *const shells[] = {"bash", "zsh", NULL};
    const char *gap = "";
    for (int i = 0; kind == KIND_COMMAND && cli_commands[i]; i++, gap = " ")
        printf("%s%s", gap, cli_commands[i]->args->command);
    if (kind == KIND_SHELL) choices = shells;
    for (int i = 0; choices && choices[i]; i++, gap = " ") printf("%s%s", gap, choices[i]);
}

/* ---- bash -------------------------------------------------------------------------------- */

/* Filled by the lines that follow, from the tables: `kind` of the value that is due and, of one
 * from a list, its `words`. readline itself completes files, and knows how to quote them. */
static const char bash_head[] =
    "# Completion of ead for bash, written by 'ead completion bash'.\n"
    "_ead()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command=${COMP_WORDS[1]} kind= words=\n"
    "    COMPREPLY=()\n"
    "    # \"--name=value\" comes as three words.\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    ((COMP_CWORD == 1)) && command= before=\n";

static const char bash_tail[] =
    "    case $kind in\n"
    "    file) compopt -o default ;;\n"
    "    dir) compopt -o dirnames ;;\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _ead ead\n";

static void bash_kind(enum kind kind, const char *const *choices)
{
    if (kind == KIND_FREE) {
        printf("kind=free");
    } else if (kind == KIND_FILE || kind == KIND_DIR) {
        printf("kind=%s", kind == KIND_DIR ? "dir" : "file");
    } else {
        printf("kind=words words=\"");
        put_words(kind, choices);
        printf("\"");
    }
    printf(" ;;\n");
}

/* The line that says what comes after an option. */
static void bash_value(const char *command, const struct arg *arg)
{
    if (arg->kind == ARG_FLAG || arg->kind == ARG_HEADING) return;
    printf("    '%s --%s'", command, arg->name);
    if (arg->letter) printf(" | '%s -%c'", command, arg->letter);
    printf(") ");
    bash_kind(kind_of(arg), arg->choices);
}

/* The lines that say what else there is: options, or what the command takes beside them. */
static void bash_rest(const struct args *a)
{
    const struct arg *arg;
    printf("        %s)\n            words=\"", a->command);
    for (int i = 0; (arg = args_at(a, i)); i++)
        if (arg->kind != ARG_HEADING) printf("--%s ", arg->name);
    printf("--%s\" kind=words\n            ", args_ask.name);
    if (!a->word) {
        printf(";;\n");
        return;
    }
    printf("[[ $word == -* ]] || ");
    bash_kind(kind_of_value(a->word), NULL);
}

static void print_bash(void)
{
    printf("%s    case \"$command $before\" in\n", bash_head);
    for (int i = 0; cli_commands[i]; i++) {
        const struct args *a = cli_commands[i]->args;
        const struct arg *arg;
        for (int k = 0; (arg = args_at(a, k)); k++) bash_value(a->command, arg);
    }
    printf("    esac\n    if [[ ! $kind ]]; then\n        case $command in\n");
    printf("        '') kind=words words=\"--help --version help ");
    put_words(KIND_COMMAND, NULL);
    printf("\" ;;\n        help) ");
    bash_kind(KIND_COMMAND, NULL);
    for (int i = 0; cli_commands[i]; i++) bash_rest(cli_commands[i]->args);
    printf("        esac\n    fi\n%s", bash_tail);
}

/* ---- zsh --------------------------------------------------------------------------------- */

static const char zsh_head[] =
    "#compdef ead\n"
    "# Completion of ead for zsh, written by 'ead completion zsh'.\n"
    "_ead()\n"
    "{\n"
    "    local context state state_descr line ret=1\n"
    "    typeset -A opt_args\n"
    "    _arguments -C '(- *)'{-h,--help}'[list the commands]' \\\n"
    "        '(- *)--version[print the version]' '1:command:->command' '*::option:->option' && "
    "ret=0\n";

/* Loaded as a file of that name, it is the function's first call; read by hand, a definition. */
static const char zsh_tail[] = "    return ret\n"
                               "}\n"
                               "if [[ ${funcstack[1]} == _ead ]]; then\n"
                               "    _ead \"$@\"\n"
                               "else\n"
                               "    compdef _ead ead\n"
                               "fi\n";

/* Text within single quotes, on one line; a backslash before what _arguments would read. */
static void zsh_text(const char *text, const char *escape)
{
    for (; *text; text++) {
        if (strchr(escape, *text)) putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text == '\n' ? ' ' : *text);
    }
}

/* The action of a value: ":NAME:ACTION". */
static void zsh_value(enum kind kind, const char *value, const char *const *choices)
{
    putchar(':');
    zsh_text(value, ":\\");
    putchar(':');
    if (kind == KIND_FREE) {
        putchar(' '); /* the name is shown, and nothing is offered */
    } else if (kind == KIND_FILE || kind == KIND_DIR) {
        fputs(kind == KIND_DIR ? "_files -/" : "_files", stdout);
    } else {
        putchar('(');
        put_words(kind, choices);
        putchar(')');
    }
}

static void zsh_option(const struct arg *arg)
{
    char help[ARGS_HELP_MAX];
    const bool flag = arg->kind == ARG_FLAG, list = arg->kind == ARG_LIST;
    if (arg->kind == ARG_HEADING) return;
    args_help(arg, help);
    printf(" \\\n            ");
    if (list)
        printf("'*'");
    else if (arg->letter)
        printf("'(-%c --%s)'", arg->letter, arg->name);
    if (arg->letter)
        printf("{-%c%s,--%s%s}", arg->letter, flag ? "" : "+", arg->name, flag ? "" : "=");
    else
        printf("--%s%s", arg->name, flag ? "" : "=");
    printf("'[");
    zsh_text(help, "[]\\");
    putchar(']');
    if (!flag) zsh_value(kind_of(arg), arg->value, arg->choices);
    putchar('\'');
}

static void zsh_command(const struct args *a)
{
    const struct arg *arg;
    printf("        %s)\n            _arguments -S", a->command);
    for (int i = 0; (arg = args_at(a, i)); i++) zsh_option(arg);
    zsh_option(&args_ask);
    if (a->word) {
        printf(" \\\n            '1");
        zsh_value(kind_of_value(a->word), a->word, NULL);
        putchar('\'');
    }
    printf(" && ret=0\n            ;;\n");
}

static void print_zsh(void)
{
    printf("%s    case $state in\n    command)\n        local -a commands=(", zsh_head);
    for (int i = 0; cli_commands[i]; i++) {
        printf("\n            '%s:", cli_commands[i]->args->command);
        zsh_text(cli_commands[i]->summary, "\\");
        putchar('\'');
    }
    printf("\n            'help:list the commands, or the options of one')\n"
           "        _describe command commands && ret=0\n        ;;\n"
           "    option)\n        case $words[1] in\n        help) _arguments '1");
    zsh_value(KIND_COMMAND, "command", NULL);
    printf("' && ret=0 ;;\n");
    for (int i = 0; cli_commands[i]; i++) zsh_command(cli_commands[i]->args);
    printf("        esac\n        ;;\n    esac\n%s", zsh_tail);
}

static int command(int argc, char **argv)
{
    const char *shell = NULL;
    const int parsed = args_parse(&usage, argc, argv, &shell, 1, NULL);
    if (parsed != ARGS_GO) return parsed;
    if (!shell) return args_fault(&usage, "expected bash or zsh");
    if (!strcmp(shell, "bash"))
        print_bash();
    else if (!strcmp(shell, "zsh"))
        print_zsh();
    else
        return args_fault(&usage, "expected bash or zsh, found \"%s\"", shell);
    return EXIT_OK;
}

const struct command command_completion = {"print completions for bash or zsh", &usage, command};
