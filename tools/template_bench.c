/*
 * What chat templates cost: of each file the time to read it, and to render a conversation of 40
 * messages with 16 kB of text and 5 tools.
 *
 *     build/template_bench FILE.jinja ...
 *
 * The fastest of 50 rounds counts. A template that refuses the conversation says so.
 */
#include <ead.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGES = 40, MESSAGE_WORDS = 67, TOOLS = 5, ROUNDS = 50, TEMPLATE_MAX = 1 << 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void write_message(FILE *to, int i)
{
    fprintf(to, "%s{\"role\": \"%s\", \"content\": \"", i ? ", " : "",
            i % 2 ? "assistant" : "user");
    for (int k = 0; k < MESSAGE_WORDS; k++) fprintf(to, "word%d ", (i * 7 + k) % 10);
    fputs("\"}", to);
}

static void write_tool(FILE *to, int i)
{
    fprintf(
        to,
        "%s{\"type\": \"function\", \"function\": {\"name\": \"tool_%d\", \"description\": "
        "\"Looks something up.\", \"parameters\": {\"type\": \"object\", \"properties\": "
        "{\"where\": {\"type\": \"string\", \"description\": \"A place\"}, \"count\": {\"type\": "
        "\"integer\"}}, \"required\": [\"where\"]}}}",
        i ? ", " : "", i);
}

/* The conversation as JSON, to be freed. */
static char *write_conversation(size_t *bytes)
{
    char *json = NULL;
    FILE *to = open_memstream(&json, bytes);
    if (!to) exit(1);
    fputs("{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"messages\": [", to);
    for (int i = 0; i < MESSAGES; i++) write_message(to, i);
    fputs("], \"tools\": [", to);
    for (int i = 0; i < TOOLS; i++) write_tool(to, i);
    fputs("]}", to);
    if (fclose(to)) exit(1);
    return json;
}

static size_t read_file(const char *path, char *text)
{
    FILE *from = fopen(path, "rb");
    const size_t n = from ? fread(text, 1, TEMPLATE_MAX, from) : 0;
    if (!from || ferror(from)) fprintf(stderr, "template_bench: %s: cannot read\n", path);
    if (from) fclose(from);
    return n;
}

/* One round; the seconds to open and to render are kept where they are the least. */
static ead_status measure(const ead_template_options *options, const ead_conversation *talk,
                          double best[2], ead_error *error)
{
    ead_template *t;
    char *text;
    size_t bytes;
    unsigned flags;
    const double start = now();
    ead_status st = ead_template_open(NULL, options, &t, error);
    if (st) return st;
    const double opened = now();
    st = ead_template_render(t, talk, &text, &bytes, &flags, error);
    const double times[2] = {opened - start, now() - opened};
    for (int i = 0; i < 2; i++)
        if (times[i] < best[i]) best[i] = times[i];
    if (!st) ead_free(text);
    ead_template_close(t);
    return st;
}

static void report(const char *path, char *text, const ead_conversation *talk)
{
    ead_error error;
    ead_status st = EAD_OK;
    double best[2] = {1e9, 1e9};
    const ead_template_options options = {
        .source = text, .bytes = read_file(path, text), .label = path};
    for (int i = 0; i < ROUNDS && !st; i++) st = measure(&options, talk, best, &error);
    if (st)
        printf("%s\n", error.message);
    else
        printf("%s: %zu bytes, read in %.2f ms, rendered in %.2f ms\n", path, options.bytes,
               best[0] * 1e3, best[1] * 1e3);
}

int main(int argc, char **argv)
{
    ead_conversation talk = {.now = "2026-01-02"};
    char *json = write_conversation(&talk.json_bytes), *text = malloc(TEMPLATE_MAX);
    if (!text) return 1;
    talk.json = json;
    for (int i = 1; i < argc; i++) report(argv[i], text, &talk);
    free(json);
    free(text);
    return 0;
}
