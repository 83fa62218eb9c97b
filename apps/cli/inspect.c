#include "cli/args.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/json.h"
#include "ead_file.h"
#include "json/unicode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *model;
    bool json, full;
} options;

static const struct arg table[] = {
    {.kind = ARG_TEXT,
     .name = "model",
     .letter = 'm',
     .value = "FILE",
     .out = &options.model,
     .help = "GGUF file, " FETCH_HELP ";\nmay also stand without -m"},
    {.kind = ARG_FLAG, .name = "json", .out = &options.json, .help = "print JSON"},
    {.kind = ARG_FLAG,
     .name = "full",
     .out = &options.full,
     .help = "whole arrays and strings, not their beginnings"},
};
static const struct args usage = {
    .command = "inspect",
    .synopsis = "FILE [--json] [--full]",
    .word = "FILE",
    .description = "Metadata and tensors of a GGUF file, of whatever architecture and types.",
    .table = table,
    .n_table = sizeof table / sizeof *table,
};

enum { SHOWN_ELEMENTS = 8, SHOWN_BYTES = 80, BATCH = 1024 };

static uint64_t shown(const ead_meta *meta, uint64_t most)
{
    return options.full || meta->count < most ? meta->count : most;
}

/* The elements of a metadata value, or of an array in one. */
struct list {
    const ead_file *file;
    size_t i;               /* of the value */
    const ead_value *array; /* or NULL */
    ead_meta meta;
};

static struct list list_of(const ead_file *file, size_t i)
{
    return (struct list){.file = file, .i = i, .meta = ead_file_meta(file, i)};
}

static struct list list_in(const ead_value *array)
{
    return (struct list){.array = array, .meta = ead_array_meta(array)};
}

static void list_values(const struct list *l, uint64_t first, size_t n, ead_value *out)
{
    if (l->array)
        ead_array_values(l->array, first, n, out);
    else
        ead_file_values(l->file, l->i, first, n, out);
}

/* ---- text -------------------------------------------------------------------------------- */

/* One line per value: control characters, which a template is full of, appear escaped. */
static void print_string(const ead_value *v)
{
    size_t n = options.full || v->text_bytes < SHOWN_BYTES ? v->text_bytes : SHOWN_BYTES;
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)v->text[i];
        if (c == '\n')
            fputs("\\n", stdout);
        else if (c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('"');
    if (n < v->text_bytes) printf("... (%zu bytes)", v->text_bytes);
}

static void print_list(const struct list *l);

static void print_value(const ead_value *v)
{
    if (v->array) {
        const struct list inner = list_in(v);
        putchar('[');
        print_list(&inner);
        putchar(']');
    } else if (v->text) {
        print_string(v);
    } else if (v->is_float) {
        printf("%.9g", v->f);
    } else {
        printf("%" PRId64, v->i);
    }
}

static void print_list(const struct list *l)
{
    const uint64_t most = shown(&l->meta, SHOWN_ELEMENTS);
    ead_value values[BATCH];
    for (uint64_t at = 0; at < most;) {
        size_t n = most - at < BATCH ? (size_t)(most - at) : BATCH;
        list_values(l, at, n, values);
        for (size_t k = 0; k < n; k++) {
            if (at + k) fputs(", ", stdout);
            print_value(&values[k]);
        }
        at += n;
    }
    if (most < l->meta.count) fputs(", ...", stdout);
}

static void print_meta(const ead_file *file, size_t i)
{
    const struct list list = list_of(file, i);
    const ead_meta *meta = &list.meta;
    printf("  %-44.*s ", (int)meta->key_bytes, meta->key);
    if (meta->is_array) printf("%s[%" PRIu64 "] ", meta->type, meta->count);
    print_list(&list);
    putchar('\n');
}

static void print_tensor(const ead_tensor *t)
{
    char shape[96] = "", bytes[32] = "?";
    for (int d = 0; d < t->n_dims; d++) {
        size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%" PRIu64, d ? " x " : "", t->dims[d]);
    }
    if (t->bytes) snprintf(bytes, sizeof bytes, "%" PRIu64, t->bytes);
    printf("  %-44s %-7s %-22s %12s bytes\n", t->name, t->type, shape, bytes);
}

static void print_file(const ead_file *file)
{
    printf("%s: GGUF version %u, %.1f MiB, %zu metadata values, %zu tensors\n\nmetadata\n",
           options.model, ead_file_version(file), (double)ead_file_bytes(file) / (1 << 20),
           ead_file_meta_count(file), ead_file_tensor_count(file));
    for (size_t i = 0; i < ead_file_meta_count(file); i++) print_meta(file, i);
    printf("\ntensors\n");
    for (size_t i = 0; i < ead_file_tensor_count(file); i++) {
        const ead_tensor t = ead_file_tensor(file, i);
        print_tensor(&t);
    }
}

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *json_list(const struct list *l);

static json_t *json_of(const ead_value *v)
{
    if (v->array) {
        const struct list inner = list_in(v);
        return json_list(&inner);
    }
    if (v->text) return json_text(v->text, v->text_bytes);
    return v->is_float ? json_number(v->f) : json_integer(v->i);
}

static json_t *json_list(const struct list *l)
{
    const uint64_t most = shown(&l->meta, SHOWN_ELEMENTS);
    ead_value values[BATCH];
    json_t *list = json_array();
    for (uint64_t at = 0; at < most;) {
        size_t n = most - at < BATCH ? (size_t)(most - at) : BATCH;
        list_values(l, at, n, values);
        for (size_t k = 0; k < n; k++) json_array_append_new(list, json_of(&values[k]));
        at += n;
    }
    json_t *out = json_pack("{s:s}", "type", l->meta.type);
    if (l->meta.is_array) {
        json_object_set_new(out, "count", json_integer((json_int_t)l->meta.count));
        json_object_set_new(out, "values", list);
    } else {
        json_object_set(out, "value", json_array_get(list, 0));
        json_decref(list);
    }
    return out;
}

static json_t *json_tensor(const ead_file *file, size_t i)
{
    const ead_tensor t = ead_file_tensor(file, i);
    json_t *shape = json_array();
    for (int d = 0; d < t.n_dims; d++)
        json_array_append_new(shape, json_integer((json_int_t)t.dims[d]));
    return json_pack("{s:s, s:s, s:o, s:o, s:i}", "name", t.name, "type", t.type, "shape", shape,
                     "bytes", t.bytes ? json_integer((json_int_t)t.bytes) : json_null(), "part",
                     t.part);
}

static int print_json(const ead_file *file)
{
    json_t *meta = json_object(), *tensors = json_array();
    for (size_t i = 0; i < ead_file_meta_count(file); i++) {
        const ead_meta m = ead_file_meta(file, i);
        char *key = unicode_text(m.key, m.key_bytes);
        const struct list list = list_of(file, i);
        json_object_set_new(meta, key ? key : "", json_list(&list));
        free(key);
    }
    for (size_t i = 0; i < ead_file_tensor_count(file); i++)
        json_array_append_new(tensors, json_tensor(file, i));
    json_t *all = json_pack("{s:o, s:i, s:I, s:o, s:o}", "file",
                            json_text(options.model, strlen(options.model)), "version",
                            (int)ead_file_version(file), "bytes", (json_int_t)ead_file_bytes(file),
                            "metadata", meta, "tensors", tensors);
    int status = all ? EXIT_OK : fail("%s: no memory for the JSON text", options.model);
    if (all && json_dumpf(all, stdout, JSON_INDENT(1))) status = fail("cannot write the JSON text");
    if (all) putchar('\n');
    json_decref(all);
    return status;
}

static int command(int argc, char **argv)
{
    ead_error error;
    ead_file *file;
    int words = 0;
    int parsed = args_parse(&usage, argc, argv, &options.model, 1, &words);
    if (parsed != ARGS_GO) return parsed;
    if (!options.model) return args_fault(&usage, "FILE is missing");
    if (fetch_in_place(&options.model)) return EXIT_FAIL;
    if (ead_file_open(options.model, &file, &error)) return fail_error(&error);
    int status = EXIT_OK;
    if (options.json)
        status = print_json(file);
    else
        print_file(file);
    ead_file_close(file);
    return status;
}

const struct command command_inspect = {"show what a GGUF file holds", &usage, command};
