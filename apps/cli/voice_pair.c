#include "cli/voice_pair.h"

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct voice_pair *of(const struct voice *v)
{
    return (struct voice_pair *)(uintptr_t)v;
}

/* ---- taking in --------------------------------------------------------------------------- */

static int reserve_ids(struct voice_pair *v, size_t n)
{
    if (n <= v->cap_ids) return EXIT_OK;
    int32_t *more = realloc(v->ids, 2 * n * sizeof *more);
    if (!more) return fail("no memory for the conversation");
    v->ids = more;
    v->cap_ids = 2 * n;
    return EXIT_OK;
}

/* Tokens of the whole conversation, with the opening of the answer; to be released by ead_free. */
static int render(const struct voice_pair *v, const ead_message *messages, size_t n_messages,
                  int32_t **ids, size_t *n)
{
    ead_conversation conversation = {.messages = messages, .n_messages = n_messages};
    char *text;
    size_t bytes;
    unsigned flags;
    if (form_render(&v->form, &conversation, &text, &bytes, &flags)) return EXIT_FAIL;
    int status = source_tokenize(pair_speaker(&v->pair), text, bytes, flags, ids, n);
    ead_free(text);
    return status;
}

/* Make the duo hold ids[n], keeping what it has in common with them. */
static ead_status adopt(struct voice_pair *v, struct screen *screen, const int32_t *ids, size_t n,
                        ead_error *error)
{
    size_t same = 0;
    while (same < n && same < v->n_ids && ids[same] == v->ids[same]) same++;
    ead_duo_truncate(v->pair.duo, same);
    v->n_ids = same;
    ead_duo_watch(v->pair.duo, screen_progress, screen);
    ead_status st = ead_duo_append(v->pair.duo, ids + same, n - same, error);
    if (!st) st = ead_duo_read(v->pair.duo, error);
    v->n_ids = ead_duo_length(v->pair.duo);
    if (v->n_ids > same) memcpy(v->ids + same, ids + same, (n - same) * sizeof *ids);
    return st;
}

/* Make the duo hold the conversation so far; *usable as in talk_turn. */
static int take_in(struct voice_pair *v, struct screen *screen, const ead_message *messages,
                   size_t n_messages, bool *usable)
{
    ead_error error;
    int32_t *ids = NULL;
    size_t n = 0;
    int status = render(v, messages, n_messages, &ids, &n);
    *usable = status != 0; /* a template may refuse what was said, and take the next */
    if (!status) status = reserve_ids(v, n);
    if (!status) {
        ead_status st = adopt(v, screen, ids, n, &error);
        *usable = st == EAD_FULL || st == EAD_CANCELLED;
        if (st) status = fail_error(&error);
    }
    ead_free(ids);
    return status;
}

/* ---- answering --------------------------------------------------------------------------- */

/* The text of the answer ids[from..n_ids), without control tokens; to be freed. */
static char *answer_text(const struct voice_pair *v, size_t from)
{
    ead_error error;
    ead_detok *detok;
    const char *text;
    size_t bytes, size;
    char *all = NULL;
    if (ead_detok_open(pair_speaker(&v->pair), EAD_TEXT_START, &detok, &error)) return NULL;
    FILE *to = open_memstream(&all, &size);
    for (size_t i = from; to && i <= v->n_ids; i++)
        if (!ead_detok_add(detok, i < v->n_ids ? v->ids[i] : -1, &text, &bytes, &error))
            fwrite(text, 1, bytes, to);
    if (to) fclose(to);
    ead_detok_close(detok);
    return all;
}

static int write_answer(struct voice_pair *v, struct screen *screen)
{
    ead_error error;
    for (int64_t written = 0; written != pair_options.n && !screen_interrupted;) {
        ead_token token;
        ead_status st = ead_duo_step(v->pair.duo, &token, &error);
        if (st == EAD_CANCELLED) break;
        if (st) return fail_error(&error);
        if (token.alone) pair_tell_loss(&v->pair);
        if (reserve_ids(v, v->n_ids + 1) || screen_token(screen, &token)) return EXIT_FAIL;
        if (token.lost) continue;
        written = token.index + 1;
        v->n_ids -= (size_t)token.taken_back;
        v->ids[v->n_ids++] = token.id;
        if (token.end == EAD_END_CONTEXT)
            fprintf(stderr, "\n[the context is full; /reset starts a new conversation]");
        if (token.end) break;
    }
    return EXIT_OK;
}

static int answer(struct voice *voice, const ead_message *messages, size_t n, char **text,
                  bool *usable)
{
    struct voice_pair *v = of(voice);
    struct screen screen = {.color = v->color,
                            .lost =
                                screen_wants_lost((enum screen_lost)pair_options.lost, v->color),
                            .endless = pair_options.ignore_end};
    int status = screen_open(&screen, pair_speaker(&v->pair), EAD_TEXT_START);
    if (!status) status = take_in(v, &screen, messages, n, usable);
    if (!status) {
        const size_t from = v->n_ids;
        status = write_answer(v, &screen);
        ead_duo_rest(v->pair.duo);
        if (screen_end(&screen)) status = EXIT_FAIL;
        *text = status ? NULL : answer_text(v, from);
        if (!status && !*text) status = fail("no memory for the answer");
    }
    screen_close(&screen);
    return status;
}

/* ---- the rest of a voice ----------------------------------------------------------------- */

static int steer(struct voice *voice, const ead_policy_option *option)
{
    ead_error error;
    (void)option;
    const struct pair *pair = &of(voice)->pair;
    const ead_policy_options policy = pair_policy(pair);
    return ead_duo_set_policy(pair->duo, &policy, &error) ? fail_error(&error) : EXIT_OK;
}

static bool has_both(const struct voice *voice)
{
    const struct pair *pair = &of(voice)->pair;
    return pair->large && pair->small;
}

static void show_context(const struct voice *voice)
{
    const struct pair *pair = &of(voice)->pair;
    fprintf(stderr, "; %zu of %d tokens of context used\n", ead_duo_length(pair->duo),
            ead_duo_context(pair->duo));
}

static void show_account(const struct voice *voice)
{
    json_t *report = report_build(&of(voice)->pair, "");
    if (report) {
        json_object_del(report, "stop");
        report_print(report);
        report_warn(&of(voice)->pair);
    }
    json_decref(report);
}

static void forget(struct voice *voice)
{
    struct voice_pair *v = of(voice);
    v->n_ids = 0;
    ead_duo_truncate(v->pair.duo, 0);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* Refuse before the first question what would fail at it. */
static int check_form(struct form *form)
{
    const ead_message probe[] = {{"system", pair_options.system}, {"user", "x"}};
    const int skip = !pair_options.system || !*pair_options.system;
    ead_conversation conversation = {.messages = probe + skip, .n_messages = (size_t)(2 - skip)};
    char *text;
    size_t bytes;
    unsigned flags;
    form->verbose = false;
    if (form_render(form, &conversation, &text, &bytes, &flags)) return EXIT_FAIL;
    form->verbose = pair_options.form.verbose;
    ead_free(text);
    return EXIT_OK;
}

int voice_pair_open(struct voice_pair *v, bool color)
{
    *v = (struct voice_pair){.voice = {.answer = answer,
                                       .steer = steer,
                                       .has_both = has_both,
                                       .show_context = show_context,
                                       .show_account = show_account,
                                       .forget = forget},
                             .color = color};
    int status = pair_open(&v->pair);
    if (!status)
        status = form_open(&pair_options.form, pair_speaker(&v->pair), FORM_WAYS("chat-template"),
                           &v->form);
    return status ? status : check_form(&v->form);
}

void voice_pair_close(struct voice_pair *v)
{
    form_close(&v->form);
    pair_close(&v->pair);
    free(v->ids);
    *v = (struct voice_pair){0};
}
