#include "text/chat.h"

#include "text/chat_family.h"

#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_MAX = 1 << 20, NAMES_ROOM = 480 };

static const char *const role_names[] = {"system", "user", "assistant"};

bool chat_role_parse(const char *word, enum chat_role *out)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, role_names[i])) continue;
        *out = (enum chat_role)i;
        return true;
    }
    return false;
}

const char *chat_role_name(enum chat_role role)
{
    return role_names[role];
}

const char *chat_name(const struct chat *c)
{
    return c->family->name;
}

bool chat_writes_bos(const struct chat *c)
{
    return c->writes_bos;
}

const char *chat_name_at(size_t i)
{
    const struct chat_family *family = chat_family_at(i);
    return family ? family->name : NULL;
}

static void list_names(char *out, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; chat_name_at(i); i++) {
        size_t n = strlen(chat_name_at(i));
        if (at + n + 2 > room) break;
        memcpy(out + at, chat_name_at(i), n);
        at += n;
        out[at++] = ' ';
    }
    out[at ? at - 1 : 0] = 0;
}

/* ---- setting up -------------------------------------------------------------------------- */

/* The text of a token where the vocabulary has one of a fitting size, else the usual one. */
static void set_token(char out[CHAT_TOKEN_MAX], const struct vocab *vocab, int32_t id,
                      const char *usual)
{
    struct gguf_str text = {usual, strlen(usual)};
    if (vocab && id != VOCAB_NONE) {
        struct gguf_str own = vocab_text(vocab, id);
        if (own.n < CHAT_TOKEN_MAX && !memchr(own.s, 0, own.n)) text = own;
    }
    memcpy(out, text.s, text.n);
    out[text.n] = 0;
}

static void set_up(struct chat *c, const struct chat_family *family, const struct vocab *vocab)
{
    const struct vocab_specials *specials = vocab ? vocab_specials(vocab) : NULL;
    *c = (struct chat){.family = family, .date = "26 Jul 2024", .joins_systems = true};
    set_token(c->bos, vocab, specials ? specials->bos : VOCAB_NONE, family->bos);
    set_token(c->eos, vocab, specials ? specials->eos : VOCAB_NONE, family->eos);
    if (family->system) strcpy(c->system, family->system); /* a constant of the table, it fits */
    c->writes_bos = family->bos_first || family->turns[CHAT_USER].open[0] == CHAT_BOS[0];
}

enum status chat_init_named(struct chat *c, const char *name, const struct vocab *vocab,
                            struct err *err)
{
    for (size_t i = 0; chat_family_at(i); i++) {
        if (strcmp(chat_family_at(i)->name, name)) continue;
        set_up(c, chat_family_at(i), vocab);
        return ST_OK;
    }
    char names[NAMES_ROOM];
    list_names(names, sizeof names);
    return err_set(err, ST_ARG, "chat template \"%.40s\" is not known; known are: %s", name, names);
}

/* ---- recognising ------------------------------------------------------------------------- */

/* A copy for looking up words: NUL-terminated, "\n" as a line feed, single quotes only. NULL
 * without memory. */
static char *normalise(const char *text, size_t n)
{
    char *out = malloc(n + 1);
    if (!out) return NULL;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '\\' && i + 1 < n && text[i + 1] == 'n') {
            c = '\n';
            i++;
        }
        out[at++] = c == '"' ? '\'' : c ? c : ' ';
    }
    out[at] = 0;
    return out;
}

static bool matches(const struct chat_family *family, const char *text)
{
    if (!family->has[0]) return false;
    for (int i = 0; i < CHAT_WORDS_MAX && family->has[i]; i++)
        if (!strstr(text, family->has[i])) return false;
    for (int i = 0; i < CHAT_WORDS_MAX && family->lacks[i]; i++)
        if (strstr(text, family->lacks[i])) return false;
    return true;
}

/* Copy a string literal's inside up to `close`, with its escapes undone. False when the literal
 * ends before, which means the text is put together from parts; or when it does not fit. */
static bool copy_literal(const char *s, size_t n, char quote, const char *close, char *out,
                         size_t room)
{
    size_t at = 0;
    for (size_t i = 0; i < n && at + 1 < room; i++) {
        if (n - i >= strlen(close) && !memcmp(s + i, close, strlen(close))) {
            out[at] = 0;
            return true;
        }
        if (s[i] == quote || !s[i]) return false;
        if (s[i] != '\\' || i + 1 == n) {
            out[at++] = s[i];
            continue;
        }
        i++;
        out[at++] = s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i];
    }
    return false;
}

/* A ChatML template may carry a system prompt of its own, as one literal. */
static void find_system(struct chat *c, const char *text, size_t n)
{
    static const char open[] = "<|im_start|>system";
    enum { OPEN = sizeof open - 1 };
    char found[CHAT_SYSTEM_MAX];
    for (size_t i = 1; i + OPEN + 2 < n; i++) {
        if (memcmp(text + i, open, OPEN)) continue;
        char quote = text[i - 1];
        size_t at = i + OPEN;
        if (text[at] == '\n')
            at++;
        else if (text[at] == '\\' && text[at + 1] == 'n')
            at += 2;
        else
            continue;
        if (quote != '\'' && quote != '"') continue;
        if (!copy_literal(text + at, n - at, quote, "<|im_end|>", found, sizeof found)) continue;
        strcpy(c->system, found);
        return;
    }
}

static void read_quirks(struct chat *c, const char *raw, size_t n, const char *text)
{
    bool asks = strstr(text, "add_generation_prompt");
    c->writes_bos = strstr(text, "bos_token");
    c->always_generates = !asks && !strcmp(c->family->name, "llama3");
    c->skips_empty_system = strstr(text, "'system' and message['content']");
    c->joins_systems = strstr(text, "is_first_sp");
    if (!strcmp(c->family->name, "chatml")) find_system(c, raw, n);
}

static enum status unknown_template(struct err *err)
{
    char names[NAMES_ROOM];
    list_names(names, 360);
    return err_set(err, ST_SUPPORT,
                   "the chat template of this model is not known; choose one with --chat-template "
                   "(%s), or continue plain text with --raw",
                   names);
}

enum status chat_init(struct chat *c, const char *text, size_t n, const struct vocab *vocab,
                      struct err *err)
{
    if (n > TEMPLATE_MAX) return unknown_template(err);
    char *words = normalise(text, n);
    if (!words) return err_memory(err, "a chat template of %zu bytes", n);
    enum status st = ST_OK;
    size_t i = 0;
    while (chat_family_at(i) && !matches(chat_family_at(i), words)) i++;
    if (chat_family_at(i)) {
        set_up(c, chat_family_at(i), vocab);
        read_quirks(c, text, n, words);
    } else {
        st = unknown_template(err);
    }
    free(words);
    return st;
}

enum status chat_init_gguf(struct chat *c, const struct gguf *g, const struct vocab *vocab,
                           struct err *err)
{
    struct gguf_str text = {NULL, 0};
    TRY(gguf_read_str(g, "tokenizer.chat_template", false, &text, err));
    if (text.s) return chat_init(c, text.s, text.n, vocab, err);
    char names[NAMES_ROOM];
    list_names(names, 360);
    return err_set(err, ST_SUPPORT,
                   "tokenizer.chat_template: this model has none; choose one with --chat-template "
                   "(%s), or continue plain text with --raw",
                   names);
}
