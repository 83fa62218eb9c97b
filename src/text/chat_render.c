/* chat_render: messages to text, as the template's own program would write them. */
#include "text/chat.h"

#include "base/utf8.h"
#include "text/chat_family.h"

#include <string.h>

struct render {
    const struct chat *c;
    const struct chat_message *messages; /* after a system prompt that is no turn */
    size_t n;
    const struct chat_message *system; /* that system prompt, or NULL */
    struct buf *out;
};

struct span {
    const char *s;
    size_t n;
};

static enum status add_span(struct buf *out, struct span span)
{
    return buf_add(out, span.s, span.n);
}

/* Append a string of the table, with the texts its marks stand for. */
static enum status add_format(const struct render *r, const char *format)
{
    for (; *format; format++) {
        const char *text = *format == CHAT_BOS[0]    ? r->c->bos
                           : *format == CHAT_EOS[0]  ? r->c->eos
                           : *format == CHAT_DATE[0] ? r->c->date
                                                     : NULL;
        if (text)
            TRY(buf_add_str(r->out, text));
        else
            TRY(buf_add(r->out, format, 1));
    }
    return ST_OK;
}

/* ---- strings as template programs treat them --------------------------------------------- */

/* Is the character of these bytes one that Python's str.strip removes? */
static bool is_space(const char *s, int n)
{
    unsigned char a = (unsigned char)s[0], b = n > 1 ? (unsigned char)s[1] : 0,
                  c = n > 2 ? (unsigned char)s[2] : 0;
    if (n == 1) return (a >= 0x09 && a <= 0x0d) || (a >= 0x1c && a <= 0x20);
    if (n == 2) return a == 0xc2 && (b == 0x85 || b == 0xa0);
    if (n != 3) return false;
    if (a == 0xe1) return b == 0x9a && c == 0x80; /* U+1680 */
    if (a == 0xe3) return b == 0x80 && c == 0x80; /* U+3000 */
    if (a != 0xe2) return false;
    if (b == 0x81) return c == 0x9f; /* U+205F */
    return b == 0x80 && (c <= 0x8a || c == 0xa8 || c == 0xa9 || c == 0xaf);
}

static struct span trim_left(struct span t)
{
    for (int len; t.n && (len = utf8_char(t.s, t.n)) > 0 && is_space(t.s, len);) {
        t.s += len;
        t.n -= (size_t)len;
    }
    return t;
}

static struct span trim_right(struct span t)
{
    while (t.n) {
        int len = 1;
        while (len < 4 && (size_t)len < t.n && ((unsigned char)t.s[t.n - (size_t)len] >> 6) == 2)
            len++;
        const char *last = t.s + t.n - len;
        if (utf8_char(last, (size_t)len) != len || !is_space(last, len)) break;
        t.n -= (size_t)len;
    }
    return t;
}

static struct span trim_feeds(struct span t, bool left, bool right)
{
    while (left && t.n && *t.s == '\n') {
        t.s++;
        t.n--;
    }
    while (right && t.n && t.s[t.n - 1] == '\n') t.n--;
    return t;
}

/* The first (last) place of a word in a text, NULL when there is none. */
static const char *find_word(struct span t, const char *word, bool last)
{
    size_t n = strlen(word);
    const char *found = NULL;
    for (size_t i = 0; i + n <= t.n; i++) {
        if (memcmp(t.s + i, word, n)) continue;
        found = t.s + i;
        if (!last) break;
    }
    return found;
}

static const char think_open[] = "<think>", think_close[] = "</think>";

/* What follows the last "</think>"; all of it when there is none. */
static struct span after_thinking(struct span t)
{
    const char *close = find_word(t, think_close, true);
    if (!close) return t;
    const char *s = close + sizeof think_close - 1;
    return (struct span){s, (size_t)(t.s + t.n - s)};
}

/* What stands between the last "<think>" before the first "</think>" and that; "" without one. */
static struct span thinking_of(struct span t)
{
    const char *close = find_word(t, think_close, false);
    if (!close) return (struct span){"", 0};
    struct span inside = trim_feeds((struct span){t.s, (size_t)(close - t.s)}, false, true);
    const char *open = find_word(inside, think_open, true);
    if (open) {
        open += sizeof think_open - 1;
        inside = (struct span){open, (size_t)(inside.s + inside.n - open)};
    }
    return trim_feeds(inside, true, true);
}

/* ---- messages ---------------------------------------------------------------------------- */

static bool starts_and_ends(struct span t, const char *start, const char *end)
{
    size_t a = strlen(start), b = strlen(end);
    return t.n >= a && t.n >= b && !memcmp(t.s, start, a) && !memcmp(t.s + t.n - b, end, b);
}

/* The last message in which the user asks, not a tool that answers; the last one without any. */
static size_t last_question(const struct render *r)
{
    for (size_t i = r->n; i-- > 0;) {
        struct span t = {r->messages[i].content, r->messages[i].n};
        if (r->messages[i].role == CHAT_USER &&
            !starts_and_ends(t, "<tool_response>", "</tool_response>"))
            return i;
    }
    return r->n - 1;
}

/* Write thinking and answer in the one form the model was trained on. */
static enum status add_rebuilt(const struct render *r, size_t i, struct span t)
{
    struct span answer = t, thinking = thinking_of(t);
    if (find_word(t, think_close, false)) answer = trim_feeds(after_thinking(t), true, false);
    bool show = i > last_question(r) && (i + 1 == r->n || thinking.n);
    if (!show) return add_span(r->out, answer);
    TRY(buf_add_str(r->out, "<think>\n"));
    TRY(add_span(r->out, thinking));
    TRY(buf_add_str(r->out, "\n</think>\n\n"));
    return add_span(r->out, trim_feeds(answer, true, false));
}

static enum status add_answer(const struct render *r, size_t i, struct span t)
{
    switch (r->c->family->think) {
    case CHAT_THINK_REBUILD: return add_rebuilt(r, i, t);
    case CHAT_THINK_DROP: return add_span(r->out, after_thinking(t));
    case CHAT_THINK_DROP_EARLIER:
        if (i + 1 < r->n) t = trim_feeds(after_thinking(t), true, false);
        return add_span(r->out, t);
    case CHAT_THINK_KEEP: break;
    }
    return add_span(r->out, t);
}

/* A system prompt inside a user turn. */
static enum status add_joint(const struct render *r)
{
    const struct chat_turn *joint = &r->c->family->joint;
    TRY(add_format(r, joint->open));
    TRY(buf_add(r->out, r->system->content, r->system->n));
    return add_format(r, joint->close);
}

static bool holds_system(const struct render *r, size_t i)
{
    if (!r->system || r->messages[i].role != CHAT_USER) return false;
    enum chat_place place = r->c->family->place;
    return (place == CHAT_PLACE_FIRST && i == 0) || (place == CHAT_PLACE_LAST && i + 1 == r->n);
}

static enum status add_content(const struct render *r, size_t i)
{
    const struct chat_message *m = &r->messages[i];
    enum chat_trim trim = r->c->family->trim;
    struct span t = {m->content, m->n};
    bool joint = holds_system(r, i);
    size_t begin = r->out->len;
    if (joint) TRY(add_joint(r));
    if (trim == CHAT_TRIM_TEXT || (trim == CHAT_TRIM_ANSWER && m->role == CHAT_ASSISTANT) ||
        (trim == CHAT_TRIM_TOGETHER && !joint))
        t = trim_right(trim_left(t));
    TRY(m->role == CHAT_ASSISTANT ? add_answer(r, i, t) : add_span(r->out, t));
    if (trim == CHAT_TRIM_TOGETHER && joint) {
        /* What the joint opens with is no space, so only the end can lose something. */
        struct span all = trim_right((struct span){r->out->data + begin, r->out->len - begin});
        r->out->len = begin + all.n;
        r->out->data[r->out->len] = 0;
    }
    return ST_OK;
}

static enum status add_turn(const struct render *r, size_t i)
{
    const struct chat_message *m = &r->messages[i];
    const bool last_only = r->c->family->last_only;
    const struct chat_turn *turn = &r->c->family->turns[last_only ? CHAT_USER : m->role];
    if (m->role == CHAT_SYSTEM && !last_only) {
        enum chat_place place = r->c->family->place;
        if (place == CHAT_PLACE_START || place == CHAT_PLACE_NONE) return ST_OK;
        if (!m->n && r->c->skips_empty_system) return ST_OK;
    }
    TRY(add_format(r, turn->open));
    TRY(add_content(r, i));
    return add_format(r, turn->close);
}

/* ---- what stands before the turns --------------------------------------------------------- */

static enum status add_default_system(const struct render *r)
{
    const struct chat_turn *turn = &r->c->family->turns[CHAT_SYSTEM];
    if (!r->c->system[0] || r->messages[0].role == CHAT_SYSTEM) return ST_OK;
    TRY(add_format(r, turn->open));
    TRY(buf_add_str(r->out, r->c->system));
    return add_format(r, turn->close);
}

static enum status add_header(const struct render *r)
{
    const struct chat_family *family = r->c->family;
    TRY(add_format(r, family->turns[CHAT_SYSTEM].open));
    TRY(add_format(r, family->joint.open));
    if (r->system) {
        struct span t = {r->system->content, r->system->n};
        TRY(add_span(r->out, trim_right(trim_left(t))));
    }
    return add_format(r, family->turns[CHAT_SYSTEM].close);
}

static enum status add_start(const struct render *r)
{
    const struct chat_message *last = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct chat_message *m = &r->messages[i];
        if (m->role != CHAT_SYSTEM) continue;
        if (r->c->joins_systems) {
            if (last) TRY(buf_add_str(r->out, "\n\n"));
            TRY(buf_add(r->out, m->content, m->n));
        }
        last = m;
    }
    return last && !r->c->joins_systems ? buf_add(r->out, last->content, last->n) : ST_OK;
}

static enum status add_all(const struct render *r, bool generate)
{
    const struct chat_family *family = r->c->family;
    if (r->c->writes_bos && family->turns[CHAT_USER].open[0] != CHAT_BOS[0])
        TRY(buf_add_str(r->out, r->c->bos));
    if (family->place == CHAT_PLACE_TURN) TRY(add_default_system(r));
    if (family->place == CHAT_PLACE_HEADER) TRY(add_header(r));
    if (family->place == CHAT_PLACE_START) TRY(add_start(r));
    for (size_t i = 0; i < r->n; i++) TRY(add_turn(r, i));
    if (generate || r->c->always_generates) return add_format(r, family->generate);
    return family->closing ? add_format(r, family->closing) : ST_OK;
}

/* ---- what a template refuses -------------------------------------------------------------- */

/* A template that wants turns to alternate raises an error for a later system prompt too, or drops
 * it, or writes a turn the model never saw; here it is an error throughout. */
static enum status check_alternation(const struct chat *c, const struct chat_message *messages,
                                     size_t n, size_t first, struct err *err)
{
    for (size_t i = first; i < n; i++) {
        enum chat_role expected = (i - first) % 2 ? CHAT_ASSISTANT : CHAT_USER;
        if (messages[i].role != expected)
            return err_set(err, ST_ARG,
                           "message %zu: the %s template wants user and assistant by turns, "
                           "expected %s, found %s",
                           i, c->family->name, chat_role_name(expected),
                           chat_role_name(messages[i].role));
    }
    return ST_OK;
}

static enum status check(const struct chat *c, const struct chat_message *messages, size_t n,
                         struct err *err)
{
    const struct chat_family *family = c->family;
    if (!n) return err_set(err, ST_ARG, "messages: expected at least one, found none");
    bool system = messages[0].role == CHAT_SYSTEM;
    if (system && family->place == CHAT_PLACE_REFUSED)
        return err_set(err, ST_ARG, "message 0: the %s template has no place for a system prompt",
                       family->name);
    if (!system && family->needs_system)
        return err_set(err, ST_ARG, "message 0: the %s template needs a system prompt: %s",
                       family->name, family->needs_system);
    return family->alternate ? check_alternation(c, messages, n, system, err) : ST_OK;
}

enum status chat_render(const struct chat *c, const struct chat_message *messages, size_t n,
                        bool generate, struct buf *out, struct err *err)
{
    TRY(check(c, messages, n, err));
    enum chat_place place = c->family->place;
    struct render r = {.c = c, .messages = messages, .n = n, .out = out};
    bool inside =
        place == CHAT_PLACE_HEADER || place == CHAT_PLACE_FIRST || place == CHAT_PLACE_LAST;
    if (inside && messages[0].role == CHAT_SYSTEM) {
        r.system = messages;
        r.messages++;
        r.n--;
    }
    if (c->family->last_only) {
        r.messages += n - 1;
        r.n = 1;
    }
    size_t before = out->len;
    if (add_all(&r, generate) == ST_OK) return ST_OK;
    out->len = before;
    if (out->data) out->data[before] = 0;
    return err_memory(err, "a conversation of %zu messages", n);
}
