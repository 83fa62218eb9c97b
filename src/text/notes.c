#include "text/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum status notes_add(struct notes *notes, struct err *err, const char *format, ...)
{
    if (notes->n == NOTES_MAX) return ST_OK;
    va_list list;
    va_start(list, format);
    char *note;
    const int n = vasprintf(&note, format, list);
    va_end(list);
    if (n < 0) return err_memory(err, "a note on the vocabulary");
    notes->note[notes->n++] = note;
    return ST_OK;
}

void notes_deinit(struct notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) free(notes->note[i]);
    *notes = (struct notes){0};
}
