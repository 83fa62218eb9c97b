#include "eval/jsonio.h"

#include "eval/fault.h"

#include <setjmp.h>
#include <stdlib.h>

/* ---- one call of jansson ------------------------------------------------------------------- */

struct guard {
    jmp_buf out;
    void **held; /* [n] what jansson allocated in this call and did not release, of [room] */
    size_t n, room;
};

static _Thread_local struct guard *guard;

/* jansson has nothing but memory to clean up, so it may be left from within. */
static void *take(size_t bytes)
{
    struct guard *g = guard;
    void *p = NULL;
    if (g->n == g->room) {
        const size_t room = g->room ? 2 * g->room : 64;
        void **more = realloc(g->held, room * sizeof *more);
        if (!more) longjmp(g->out, 1);
        g->held = more;
        g->room = room;
    }
    if (!(p = malloc(bytes))) longjmp(g->out, 1);
    return g->held[g->n++] = p;
}

static void give(void *p)
{
    struct guard *g = guard;
    for (size_t i = g->n; i--;) /* nearly always among the last */
        if (g->held[i] == p) {
            g->held[i] = g->held[--g->n];
            break;
        }
    free(p);
}

static void begin(struct guard *g)
{
    g->held = NULL;
    g->n = g->room = 0;
    guard = g;
    json_set_alloc_funcs(take, give);
}

static void end(struct guard *g)
{
    json_set_alloc_funcs(malloc, free);
    free(g->held);
}

/* After a call that was left: nothing of it remains. */
static void undo(struct guard *g)
{
    for (size_t i = 0; i < g->n; i++) free(g->held[i]);
    end(g);
}

/* ---- reading ------------------------------------------------------------------------------- */

static json_t *refuse(struct guard *g, json_error_t *bad)
{
    undo(g);
    bad->text[0] = 0;
    return NULL;
}

static json_t *accept(struct guard *g, json_t *value, json_error_t *bad)
{
    end(g);
    if (!value && !bad->text[0]) snprintf(bad->text, sizeof bad->text, "something else");
    return value;
}

json_t *jsonio_read(const char *text, size_t n, size_t flags, json_error_t *bad)
{
    struct guard g;
    begin(&g);
    if (setjmp(g.out)) return refuse(&g, bad);
    return accept(&g, json_loadb(text, n, flags, bad), bad);
}

json_t *jsonio_read_by(json_load_callback_t read, void *data, json_error_t *bad)
{
    struct guard g;
    begin(&g);
    if (setjmp(g.out)) return refuse(&g, bad);
    return accept(&g, json_load_callback(read, data, 0, bad), bad);
}

ead_status jsonio_fault(const json_error_t *bad, const char *path, size_t line, ead_error *error)
{
    if (!bad->text[0]) return fault_memory(error, "what %s says", path);
    return fault(error, EAD_FORMAT, "%s, line %zu: expected JSON, found: %s", path,
                 line + (size_t)(bad->line > 0 ? bad->line - 1 : 0), bad->text);
}

/* ---- writing ------------------------------------------------------------------------------- */

char *jsonio_text(const json_t *value, size_t flags)
{
    struct guard g;
    begin(&g);
    if (setjmp(g.out)) {
        undo(&g);
        return NULL;
    }
    char *text = json_dumps(value, flags);
    end(&g);
    return text;
}

bool jsonio_write(const json_t *value, json_dump_callback_t write, void *data, size_t flags)
{
    struct guard g;
    begin(&g);
    if (setjmp(g.out)) {
        undo(&g);
        return false;
    }
    (void)json_dump_callback(value, write, data, flags);
    end(&g);
    return true;
}

static int put(const char *text, size_t n, void *to)
{
    return fwrite(text, 1, n, to) == n ? 0 : -1;
}

bool jsonio_write_file(const json_t *value, FILE *to, size_t flags)
{
    return jsonio_write(value, put, to, flags);
}
