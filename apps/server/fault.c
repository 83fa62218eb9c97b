#include "server/fault.h"

#include <string.h>

static const char *without_folder(const char *const names[EAD_WRITERS], const char *message)
{
    for (int w = 0; w < EAD_WRITERS; w++) {
        const char *at = names[w] ? strstr(message, names[w]) : NULL;
        if (at && at != message && at[-1] == '/') return at;
    }
    return message;
}

void refuse_fault(const char *const names[EAD_WRITERS], ead_status fault, const char *message,
                  struct refusal *out)
{
    const char *text = without_folder(names, message);
    if (fault == EAD_ARGUMENT)
        refuse(out, 400, "invalid_value", NULL, "%s", text);
    else if (fault == EAD_MEMORY)
        refuse(out, 503, "no_memory", NULL, "%s", text);
    else
        refuse(out, 500, NULL, NULL, "%s", text);
}
