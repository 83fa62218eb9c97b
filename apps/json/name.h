/* Names of options as fields of JSON. */
#ifndef EAD_JSON_NAME_H
#define EAD_JSON_NAME_H

enum { NAME_MAX_BYTES = 64 };

/* "clear-window" is "clear_window". */
void name_in_json(const char *option, char out[NAME_MAX_BYTES]);

#endif
