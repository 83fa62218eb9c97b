#include "cli/talk.h"

#include "cli/cli.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_message(struct talk *t, const char *role, const char *content)
{
    if (t->n_messages == t->cap_messages) {
        size_t cap = t->cap_messages ? 2 * t->cap_messages : 16;
        ead_message *more = realloc(t->messages, cap * sizeof *more);
        if (!more) return fail("no memory for the conversation");
        t->messages = more;
        t->cap_messages = cap;
    }
    char *copy = strdup(content);
    if (!copy) return fail("no memory for the conversation");
    t->messages[t->n_messages++] = (ead_message){role, copy};
    return EXIT_OK;
}

static void drop_message(struct talk *t)
{
    free((char *)t->messages[--t->n_messages].content);
}

static int reserve_ids(struct talk *t, size_t n)
{
    if (n <= t->cap_ids) return EXIT_OK;
    int32_t *more = realloc(t->ids, 2 * n * sizeof *more);
    if (!more) return fail("no memory for the conversation");
    t->ids = more;
    t->cap_ids = 2 * n;
    return EXIT_OK;
}

int talk_reset(struct talk *t, const char *system)
{
    char *kept = system && *system ? strdup(system) : NULL; /* it may be a message of ours */
    while (t->n_messages) drop_message(t);
    t->n_ids = 0;
    ead_duo_truncate(t->pair->duo, 0);
    int status = kept ? add_message(t, "system", kept) : EXIT_OK;
    free(kept);
    return status;
}

void talk_deinit(struct talk *t)
{
    while (t->n_messages) drop_message(t);
    free(t->messages);
    free(t->ids);
    *t = (struct talk){0};
}

/* Tokens of the whole conversation, with the opening of the answer; to be released by ead_free. */
static int render(const struct talk *t, int32_t **ids, size_t *n)
{
    ead_conversation conversation = {.messages = t->messages, .n_messages = t->n_messages};
    char *text;
    size_t bytes;
    unsigned flags;
    if (form_render(t->form, &conversation, &text, &bytes, &flags)) return EXIT_FAIL;
    int status = source_tokenize(pair_speaker(t->pair), text, bytes, flags, ids, n);
    ead_free(text);
    return status;
}

/* Make the duo hold ids[n], keeping what it has in common with them. */
static ead_status adopt(struct talk *t, struct screen *screen, const int32_t *ids, size_t n,
                        ead_error *error)
{
    size_t same = 0;
    while (same < n && same < t->n_ids && ids[same] == t->ids[same]) same++;
    ead_duo_truncate(t->pair->duo, same);
    t->n_ids = same;
    ead_duo_watch(t->pair->duo, screen_progress, screen);
    ead_status st = ead_duo_append(t->pair->duo, ids + same, n - same, error);
    if (!st) st = ead_duo_read(t->pair->duo, error);
    t->n_ids = ead_duo_length(t->pair->duo);
    if (t->n_ids > same) memcpy(t->ids + same, ids + same, (n - same) * sizeof *ids);
    return st;
}

/* The text of the answer ids[from..n_ids), without control tokens; to be freed. */
static char *answer_text(const struct talk *t, size_t from)
{
    ead_error error;
    ead_detok *detok;
    const char *text;
    size_t bytes, size;
    char *all = NULL;
    if (ead_detok_open(pair_speaker(t->pair), EAD_TEXT_START, &detok, &error)) return NULL;
    FILE *to = open_memstream(&all, &size);
    for (size_t i = from; to && i <= t->n_ids; i++)
        if (!ead_detok_add(detok, i < t->n_ids ? t->ids[i] : -1, &text, &bytes, &error))
            fwrite(text, 1, bytes, to);
    if (to) fclose(to);
    ead_detok_close(detok);
    return all;
}

static int write_answer(struct talk *t, struct screen *screen)
{
    ead_error error;
    ead_token token = {.index = -1};
    while (token.index + 1 != t->max_tokens && !screen_interrupted) {
        ead_status st = ead_duo_step(t->pair->duo, &token, &error);
        if (st == EAD_CANCELLED) break;
        if (st) return fail_error(&error);
        if (reserve_ids(t, t->n_ids + 1) || screen_token(screen, &token)) return EXIT_FAIL;
        t->n_ids -= (size_t)token.taken_back;
        t->ids[t->n_ids++] = token.id;
        if (token.end == EAD_END_CONTEXT)
            fprintf(stderr, "\n[the context is full; /reset starts a new conversation]");
        if (token.end) break;
    }
    return EXIT_OK;
}

static int answer(struct talk *t, struct screen *screen)
{
    const size_t from = t->n_ids;
    int status = write_answer(t, screen);
    if (screen_end(screen)) status = EXIT_FAIL;
    char *text = status ? NULL : answer_text(t, from);
    if (!status)
        status = text ? add_message(t, "assistant", text) : fail("no memory for the answer");
    free(text);
    return status;
}

/* Make the duo hold the conversation so far; *usable as in talk_turn. */
static int take_in(struct talk *t, struct screen *screen, bool *usable)
{
    ead_error error;
    int32_t *ids = NULL;
    size_t n = 0;
    int status = render(t, &ids, &n);
    *usable = status != 0; /* a template may refuse what was said, and take the next */
    if (!status) status = reserve_ids(t, n);
    if (!status) {
        ead_status st = adopt(t, screen, ids, n, &error);
        *usable = st == EAD_FULL || st == EAD_CANCELLED;
        if (st) status = fail_error(&error);
    }
    ead_free(ids);
    return status;
}

int talk_turn(struct talk *t, const char *user, bool *usable)
{
    ead_error error;
    struct screen screen = {.color = t->color};
    *usable = false;
    if (add_message(t, "user", user)) return EXIT_FAIL;
    if (ead_detok_open(pair_speaker(t->pair), EAD_TEXT_START, &screen.detok, &error))
        return fail_error(&error);
    int status = take_in(t, &screen, usable);
    if (status)
        drop_message(t);
    else
        status = answer(t, &screen);
    ead_detok_close(screen.detok);
    return status;
}
