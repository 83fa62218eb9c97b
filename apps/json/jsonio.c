#include "json/jsonio.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- what one call holds ------------------------------------------------------------------- */

/* The blocks that jansson allocated in this call and did not release: a table by address, so that
 * it costs the same whatever is released first. */
struct guard {
    jmp_buf out;
    void **held; /* [room] owned; NULL where there is none */
    size_t n, room;
};

static _Thread_local struct guard *guard;
static _Thread_local bool lacked;

static size_t place_of(const struct guard *g, const void *p)
{
    return (size_t)(((uint64_t)(uintptr_t)p >> 4) * 0x9e3779b97f4a7c15u >> 32) & (g->room - 1);
}

static void hold(struct guard *g, void *p)
{
    size_t at = place_of(g, p);
    while (g->held[at]) at = (at + 1) & (g->room - 1);
    g->held[at] = p;
    g->n++;
}

/* Room for one more, at most half full. */
static bool grow(struct guard *g)
{
    struct guard more = {.room = g->room ? 2 * g->room : 128};
    if (2 * (g->n + 1) <= g->room) return true;
    more.held = calloc(more.room, sizeof *more.held);
    if (!more.held) return false;
    for (size_t i = 0; i < g->room; i++)
        if (g->held[i]) hold(&more, g->held[i]);
    free(g->held);
    g->held = more.held;
    g->room = more.room;
    return true;
}

/* Those behind it that it kept from their place move up. */
static void let_go(struct guard *g, const void *p)
{
    const size_t mask = g->room - 1;
    size_t hole = g->room ? place_of(g, p) : 0;
    while (g->room && g->held[hole] != p) {
        if (!g->held[hole]) return; /* of an earlier call */
        hole = (hole + 1) & mask;
    }
    if (!g->room) return;
    for (size_t at = (hole + 1) & mask; g->held[at]; at = (at + 1) & mask) {
        if (((at - place_of(g, g->held[at])) & mask) < ((at - hole) & mask)) continue;
        g->held[hole] = g->held[at];
        hole = at;
    }
    g->held[hole] = NULL;
    g->n--;
}

/* ---- one call of jansson ------------------------------------------------------------------- */

/* jansson has nothing but memory to clean up, so it may be left from within. */
static void *take(size_t bytes)
{
    struct guard *g = guard;
    void *p = g && !grow(g) ? NULL : malloc(bytes);
    if (!p) {
        lacked = true;
        if (g) longjmp(g->out, 1);
        return NULL;
    }
    if (g) hold(g, p);
    return p;
}

static void give(void *p)
{
    if (guard && p) let_go(guard, p);
    free(p);
}

static void install(void)
{
    json_set_alloc_funcs(take, give);
}

static void once(void)
{
    static pthread_once_t installed = PTHREAD_ONCE_INIT;
    pthread_once(&installed, install);
}

static void begin(struct guard *g)
{
    once();
    g->held = NULL;
    g->n = g->room = 0;
    guard = g;
}

static void end(struct guard *g)
{
    guard = NULL;
    free(g->held);
}

/* After a call that was left: nothing of it remains. */
static void undo(struct guard *g)
{
    for (size_t i = 0; i < g->room; i++) free(g->held[i]);
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

/* ---- building ------------------------------------------------------------------------------ */

void jsonio_begin(void)
{
    once();
    lacked = false;
}

void jsonio_lacks(void)
{
    lacked = true;
}

bool jsonio_lacked(void)
{
    return lacked;
}

json_t *jsonio_whole(json_t *value)
{
    if (!lacked) return value;
    json_decref(value);
    return NULL;
}
