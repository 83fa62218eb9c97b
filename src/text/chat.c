#include "text/chat.h"

#include "text/chat_builtin.h"
#include "text/jinja.h"
#include "text/jinja/jvjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const token_names[] = {"bos_token", "eos_token", "unk_token", "pad_token"};
enum { BOS, EOS, TOKENS = sizeof token_names / sizeof *token_names };

struct chat {
    struct jinja *jinja;
    struct jinja *tool_use; /* what takes its place where there are tools; NULL: nothing */
    const char *known;
    struct jv label;  /* for messages */
    struct pool pool; /* owns the label and the texts of tokens */
    struct jv token[TOKENS];
};

/* ---- names ------------------------------------------------------------------------------- */

const char *chat_name_at(size_t i)
{
    const struct chat_builtin *b = chat_builtin_at(i);
    return b ? b->name : NULL;
}

const char *chat_known(const struct chat *c)
{
    return c->known;
}

bool chat_mentions(const struct chat *c, const char *name)
{
    return jinja_mentions(c->jinja, name) || (c->tool_use && jinja_mentions(c->tool_use, name));
}

static const char *find_known(const char *text, size_t n)
{
    for (size_t i = 0; chat_builtin_at(i); i++) {
        const struct chat_builtin *b = chat_builtin_at(i);
        if (strlen(b->text) == n && !memcmp(b->text, text, n)) return b->name;
    }
    return NULL;
}

/* ---- opening ----------------------------------------------------------------------------- */

static enum status set_token(struct chat *c, int i, const char *s, size_t n, struct err *err)
{
    if (jv_copy_text(&c->pool, s, n, &c->token[i])) return ST_OK;
    return err_memory(err, "the tokens of a chat template");
}

static enum status set_tokens(struct chat *c, const struct vocab *vocab, struct err *err)
{
    const struct vocab_specials *specials = vocab_specials(vocab);
    const int32_t ids[TOKENS] = {specials->bos, specials->eos, specials->unk, specials->pad};
    for (int i = 0; i < TOKENS; i++) {
        if (ids[i] == VOCAB_NONE) continue;
        const struct gguf_str text = vocab_text(vocab, ids[i]);
        TRY(set_token(c, i, text.s, text.n, err));
    }
    return ST_OK;
}

static enum status prefix_label(const struct chat *c, struct err *err, enum status st)
{
    return err_prefix(err, st, c->label.s);
}

static enum status prepare(struct chat *c, const char *label, const char *text, size_t n,
                           const struct vocab *vocab, struct err *err)
{
    c->pool.max = 1 << 20;
    c->known = find_known(text, n);
    if (!jv_copy_text(&c->pool, label, strlen(label) + 1, &c->label))
        return err_memory(err, "a chat template of %zu bytes", n);
    const enum status st = jinja_open(text, n, &c->jinja, err);
    if (st != ST_OK) return prefix_label(c, err, st);
    return vocab ? set_tokens(c, vocab, err) : ST_OK;
}

enum status chat_open(const char *label, const char *text, size_t n, const struct vocab *vocab,
                      struct chat **out, struct err *err)
{
    struct chat *c = calloc(1, sizeof *c);
    if (!c) return err_memory(err, "a chat template of %zu bytes", n);
    const enum status st = prepare(c, label, text, n, vocab, err);
    if (st == ST_OK)
        *out = c;
    else
        chat_close(c);
    return st;
}

void chat_close(struct chat *c)
{
    if (!c) return;
    jinja_close(c->jinja);
    jinja_close(c->tool_use);
    pool_deinit(&c->pool);
    free(c);
}

static enum status open_tool_use(const struct gguf *g, struct chat *c, struct err *err)
{
    static const char key[] = "tokenizer.chat_template.tool_use";
    struct gguf_str text = {NULL, 0};
    TRY(gguf_read_str(g, key, false, &text, err));
    if (!text.s) return ST_OK;
    const enum status st = jinja_open(text.s, text.n, &c->tool_use, err);
    return st == ST_OK ? st : prefix_label(c, err, err_prefix(err, st, "tool_use"));
}

enum status chat_open_gguf(const struct gguf *g, const struct vocab *vocab, struct chat **out,
                           struct err *err)
{
    static const char key[] = "tokenizer.chat_template";
    char label[256];
    struct gguf_str text = {NULL, 0};
    snprintf(label, sizeof label, "%.200s: %s", gguf_path(g), key);
    TRY(gguf_read_str(g, key, false, &text, err));
    if (!text.s) return err_set(err, ST_SUPPORT, "%s: this model has none", label);
    struct chat *c;
    TRY(chat_open(label, text.s, text.n, vocab, &c, err));
    const enum status st = open_tool_use(g, c, err);
    if (st == ST_OK)
        *out = c;
    else
        chat_close(c);
    return st;
}

static enum status unknown_name(struct err *err, const char *name)
{
    char names[512] = "";
    for (size_t i = 0; chat_name_at(i); i++) {
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", n ? " " : "", chat_name_at(i));
    }
    return err_set(err, ST_ARG, "chat template \"%.40s\" is not known; known are: %s", name, names);
}

enum status chat_open_named(const char *name, const struct vocab *vocab, struct chat **out,
                            struct err *err)
{
    const struct chat_builtin *b = NULL;
    for (size_t i = 0; chat_builtin_at(i) && !b; i++)
        if (!strcmp(chat_name_at(i), name)) b = chat_builtin_at(i);
    if (!b) return unknown_name(err, name);
    char label[64];
    struct chat *c;
    enum status st = ST_OK;
    snprintf(label, sizeof label, "chat template %s", name);
    TRY(chat_open(label, b->text, strlen(b->text), vocab, &c, err));
    if (!vocab) st = set_token(c, BOS, b->bos, strlen(b->bos), err);
    if (!vocab && st == ST_OK) st = set_token(c, EOS, b->eos, strlen(b->eos), err);
    if (st == ST_OK)
        *out = c;
    else
        chat_close(c);
    return st;
}

/* ---- variables --------------------------------------------------------------------------- */

struct rendering {
    const struct chat *c;
    const struct chat_input *input;
    struct pool pool;
    struct jv variables; /* a dict */
    struct err *err;
};

static enum status no_memory(const struct rendering *r)
{
    return err_memory(r->err, "a conversation of %zu messages", r->input->n);
}

static enum status set(struct rendering *r, const char *name, struct jv value)
{
    return jv_dict_set_name(&r->pool, r->variables.dict, name, value) ? ST_OK : no_memory(r);
}

static enum status set_defaults(struct rendering *r)
{
    for (int i = 0; i < TOKENS; i++)
        if (r->c->token[i].kind == JV_TEXT) TRY(set(r, token_names[i], r->c->token[i]));
    TRY(set(r, "tools", jv_none()));
    TRY(set(r, "documents", jv_none()));
    return set(r, "add_generation_prompt", jv_bool(!r->input->finished));
}

static enum status add_message(struct rendering *r, struct jv list, const struct chat_message *m)
{
    struct jv dict;
    if (!jv_dict_init(&r->pool, JV_DICT, &dict) ||
        !jv_dict_set_name(&r->pool, dict.dict, "role", jv_text(m->role, strlen(m->role))) ||
        !jv_dict_set_name(&r->pool, dict.dict, "content",
                          jv_text(m->content, strlen(m->content))) ||
        !jv_append(&r->pool, list.list, dict))
        return no_memory(r);
    return ST_OK;
}

static enum status set_messages(struct rendering *r)
{
    struct jv list;
    if (!jv_list_init(&r->pool, JV_LIST, 0, &list)) return no_memory(r);
    for (size_t i = 0; i < r->input->n; i++) {
        if (strlen(r->input->messages[i].content) >= JV_TEXT_MAX)
            return err_set(r->err, ST_ARG, "message %zu: expected fewer than %zu bytes", i,
                           JV_TEXT_MAX);
        TRY(add_message(r, list, &r->input->messages[i]));
    }
    return set(r, "messages", list);
}

/* All pairs of a dict as variables. */
static enum status set_all(struct rendering *r, const struct jv_dict *dict)
{
    for (uint32_t i = 0; i < dict->n; i++)
        if (!jv_dict_set(&r->pool, r->variables.dict, dict->pairs[i].key, dict->pairs[i].value))
            return no_memory(r);
    return ST_OK;
}

/* JSON that the caller gave, which messages call `label`. */
static enum status read_json(struct rendering *r, const char *label, const char *json, size_t n,
                             struct jv *out)
{
    const enum status st = jvjson_read(&r->pool, json, n, out, r->err);
    return st == ST_OK ? st : err_prefix(r->err, st == ST_FORMAT ? ST_ARG : st, label);
}

static const char *json_label(const struct rendering *r)
{
    return r->input->label ? r->input->label : "messages";
}

static enum status set_json(struct rendering *r)
{
    struct jv v;
    TRY(read_json(r, json_label(r), r->input->json, r->input->n_json, &v));
    if (v.kind == JV_LIST) return set(r, "messages", v);
    if (v.kind == JV_DICT) return set_all(r, v.dict);
    return err_set(r->err, ST_ARG,
                   "%s: expected an array of messages, or an object that has them, found %s",
                   json_label(r), jv_type_name(v));
}

static enum status set_variables(struct rendering *r)
{
    static const char label[] = "variables of the chat template";
    struct jv v;
    TRY(read_json(r, label, r->input->variables, r->input->n_variables, &v));
    if (v.kind == JV_DICT) return set_all(r, v.dict);
    return err_set(r->err, ST_ARG, "%s: expected an object, found %s", label, jv_type_name(v));
}

static enum status check_messages(struct rendering *r)
{
    const struct jv *messages = jv_dict_find_name(r->variables.dict, "messages");
    if (messages && messages->kind != JV_LIST)
        return err_set(r->err, ST_ARG, "messages: expected an array, found %s",
                       jv_type_name(*messages));
    if (messages && messages->list->n) return ST_OK;
    return err_set(r->err, ST_ARG, "messages: expected at least one, found none");
}

/* ---- the clock --------------------------------------------------------------------------- */

static enum status clock_now(const char *text, struct tm *out, struct err *err)
{
    const time_t seconds = time(NULL);
    struct tm t = {.tm_isdst = -1};
    int end = 0;
    if (!text) {
        localtime_r(&seconds, out);
        return ST_OK;
    }
    const int n = sscanf(text, "%4d-%2d-%2d%n%*[T ]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon,
                         &t.tm_mday, &end, &t.tm_hour, &t.tm_min, &t.tm_sec, &end);
    const bool whole = (n == 3 || n == 6) && !text[end] && t.tm_year >= 1900 && t.tm_mon >= 1 &&
                       t.tm_mon <= 12 && t.tm_mday >= 1 && t.tm_mday <= 31 && t.tm_hour >= 0 &&
                       t.tm_hour < 24 && t.tm_min >= 0 && t.tm_min < 60 && t.tm_sec >= 0 &&
                       t.tm_sec < 61;
    const int day = t.tm_mday;
    t.tm_year -= 1900;
    t.tm_mon--;
    if (whole) timegm(&t); /* finds the day of the week, and moves a day that the month has not */
    if (!whole || t.tm_mday != day)
        return err_set(err, ST_ARG,
                       "time: expected 2026-01-02 or 2026-01-02T03:04:05, found \"%.40s\"", text);
    *out = t;
    return ST_OK;
}

/* ---- rendering --------------------------------------------------------------------------- */

static bool begins_with(const struct buf *text, size_t from, struct jv word)
{
    return word.kind == JV_TEXT && word.n && text->len - from >= word.n &&
           !memcmp(text->data + from, word.s, word.n);
}

static enum status render(struct rendering *r, struct buf *out, bool *brings_bos)
{
    struct tm now;
    const size_t from = out->len;
    if (!jv_dict_init(&r->pool, JV_DICT, &r->variables)) return no_memory(r);
    TRY(clock_now(r->input->now, &now, r->err));
    TRY(set_defaults(r));
    TRY(r->input->json ? set_json(r) : set_messages(r));
    if (r->input->variables) TRY(set_variables(r));
    TRY(check_messages(r));
    const struct jv *tools = jv_dict_find_name(r->variables.dict, "tools");
    const bool uses_tools = r->c->tool_use && tools && tools->kind != JV_NONE;
    const enum status st =
        jinja_render(uses_tools ? r->c->tool_use : r->c->jinja, r->variables.dict,
                     &jinja_limits_usual, &now, &r->pool, out, r->err);
    if (st != ST_OK) return prefix_label(r->c, r->err, st);
    const struct jv *bos = jv_dict_find_name(r->variables.dict, token_names[BOS]);
    *brings_bos = bos && begins_with(out, from, *bos);
    return ST_OK;
}

enum status chat_render(const struct chat *c, const struct chat_input *input, struct buf *out,
                        bool *brings_bos, struct err *err)
{
    struct rendering r = {.c = c, .input = input, .err = err};
    r.pool.max = jinja_limits_usual.memory;
    const enum status st = render(&r, out, brings_bos);
    pool_deinit(&r.pool);
    return st;
}
