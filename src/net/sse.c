#include "net/sse.h"

#include "base/check.h"

#include <string.h>

static enum status refuse(struct sse *s, enum status st, struct err *err)
{
    s->failed = true;
    if (st == ST_MEMORY) return err_memory(err, "an event of the stream");
    return err_set(err, ST_FORMAT,
                   "a line or an event of the stream is longer than the %zu bytes that are read",
                   s->max ? s->max : SSE_MAX_DEFAULT);
}

/* Append within the ceiling. */
static enum status gather(struct sse *s, struct buf *to, const char *bytes, size_t n,
                          struct err *err)
{
    const size_t max = s->max ? s->max : SSE_MAX_DEFAULT;
    if (n > max || to->len > max - n) return refuse(s, ST_FORMAT, err);
    const enum status st = buf_add(to, bytes, n);
    return st ? refuse(s, st, err) : ST_OK;
}

/* One whole line of a field. */
static enum status read_field(struct sse *s, const char *line, size_t n, struct err *err)
{
    static const char name[] = "data";
    enum { N_NAME = sizeof name - 1 };
    if (n < N_NAME || memcmp(line, name, N_NAME) != 0) return ST_OK;
    if (n > N_NAME && line[N_NAME] != ':') return ST_OK; /* "database" */
    size_t begin = n > N_NAME ? N_NAME + 1 : n;
    if (begin < n && line[begin] == ' ') begin++;
    TRY(gather(s, &s->event, line + begin, n - begin, err));
    return gather(s, &s->event, "\n", 1, err);
}

/* The line in s->line is over; *event: it ended an event that says something. */
static enum status end_line(struct sse *s, bool *event, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *line = s->line.data ? s->line.data : "";
    size_t n = s->line.len;
    if (!s->begun && n >= 3 && !memcmp(line, mark, 3)) {
        line += 3;
        n -= 3;
    }
    s->begun = true;
    *event = !n && s->event.len;
    const enum status st = n ? read_field(s, line, n, err) : ST_OK;
    buf_clear(&s->line);
    return st;
}

/* Bytes before the next end of a line; n where there is none. */
static size_t line_length(const char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && bytes[i] != '\n' && bytes[i] != '\r') i++;
    return i;
}

static void step(const char **bytes, size_t *n, size_t by)
{
    *bytes += by;
    *n -= by;
}

enum status sse_next(struct sse *s, const char **bytes, size_t *n, struct sse_event *out,
                     struct err *err)
{
    *out = (struct sse_event){0};
    if (s->failed) return refuse(s, ST_FORMAT, err);
    if (s->handed) buf_clear(&s->event);
    s->handed = false;
    while (*n) {
        if (s->after_cr && **bytes == '\n') step(bytes, n, 1);
        s->after_cr = false;
        const size_t length = line_length(*bytes, *n);
        TRY(gather(s, &s->line, *bytes, length, err));
        step(bytes, n, length);
        if (!*n) break;
        s->after_cr = **bytes == '\r';
        step(bytes, n, 1);
        TRY(end_line(s, &s->handed, err));
        if (!s->handed) continue;
        CHECK(s->event.data[s->event.len - 1] == '\n');
        s->event.data[--s->event.len] = 0;
        *out = (struct sse_event){s->event.data, s->event.len};
        return ST_OK;
    }
    return ST_OK;
}

bool sse_is_done(const struct sse_event *event)
{
    return event->data && event->n == 6 && !memcmp(event->data, "[DONE]", 6);
}

bool sse_is_cut(const struct sse *s)
{
    return s->line.len > 0 || (s->event.len > 0 && !s->handed);
}

void sse_deinit(struct sse *s)
{
    buf_deinit(&s->line);
    buf_deinit(&s->event);
    *s = (struct sse){.max = s->max};
}
