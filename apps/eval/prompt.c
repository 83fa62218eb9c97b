#include "eval/prompt.h"

#include "eval/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "{problem}";

/* For a model that has no template. */
static const char plain[] = "Problem: {problem}\nSolution:";

/* What a model is asked for beside the solution; the shipped pair was trained to end that way. */
static const char *const requests[] = {
    [DATASET_MATH] = "\n\nPut the final answer in \\boxed{}.",
    [DATASET_GSM8K] = "\n\nPut the final answer, a number alone, on a last line after ####.",
};

static bool uses_chat(const struct prompt_style *s)
{
    return !s->question && s->chat;
}

unsigned prompt_answer_flags(const struct prompt_style *style)
{
    return uses_chat(style) ? EAD_TEXT_START : 0;
}

ead_status prompt_check(const struct prompt_style *style, ead_error *error)
{
    if (!style->question || strstr(style->question, mark)) return EAD_OK;
    return fault(error, EAD_ARGUMENT, "expected %s where the problem goes, found none", mark);
}

/* Every {problem} replaced; to be freed. */
static char *replace(const char *question, const char *problem)
{
    size_t n = 0;
    char *out = NULL;
    FILE *to = open_memstream(&out, &n);
    if (!to) return NULL;
    for (const char *at; (at = strstr(question, mark)); question = at + sizeof mark - 1) {
        fwrite(question, 1, (size_t)(at - question), to);
        fputs(problem, to);
    }
    fputs(question, to);
    if (!fclose(to)) return out;
    free(out);
    return NULL;
}

static ead_status from_chat(const struct prompt_style *s, const char *problem, char **out,
                            unsigned *flags, ead_error *error)
{
    const char *known = ead_template_known(s->chat);
    const bool bare = known && !strcmp(known, "problem");
    ead_message messages[2];
    ead_conversation conversation = {
        .messages = messages, .variables = s->variables, .now = s->now ? s->now : PROMPT_NOW};
    size_t bytes;
    char *content, *text;
    if (asprintf(&content, "%s%s", problem, bare ? "" : requests[s->format]) < 0)
        return fault_memory(error, "a prompt");
    if (s->system) messages[conversation.n_messages++] = (ead_message){"system", s->system};
    messages[conversation.n_messages++] = (ead_message){"user", content};
    ead_status st = ead_template_render(s->chat, &conversation, &text, &bytes, flags, error);
    free(content);
    if (st) return st;
    const bool has_nul = memchr(text, 0, bytes) != NULL;
    *out = has_nul ? NULL : strndup(text, bytes);
    ead_free(text);
    if (has_nul) return fault(error, EAD_SUPPORT, "the chat template writes a NUL byte");
    return *out ? EAD_OK : fault_memory(error, "a prompt");
}

static ead_status make_text(const struct prompt_style *s, const char *problem, char **out,
                            unsigned *flags, ead_error *error)
{
    if (uses_chat(s)) return from_chat(s, problem, out, flags, error);
    *flags = EAD_ADD_BOS | EAD_PARSE_SPECIAL;
    *out = replace(s->question ? s->question : plain, problem);
    return *out ? EAD_OK : fault_memory(error, "a prompt");
}

ead_status prompt_make(const struct prompt_style *style, const char *problem, int32_t **ids,
                       size_t *n, ead_error *error)
{
    char *text;
    unsigned flags;
    ead_status st = make_text(style, problem, &text, &flags, error);
    if (st) return st;
    st = ead_tokenize(style->model, text, strlen(text), flags, ids, n, error);
    free(text);
    return st;
}

ead_status prompt_text(const struct prompt_style *style, const char *problem, char **out,
                       ead_error *error)
{
    unsigned flags;
    return make_text(style, problem, out, &flags, error);
}

ead_status prompt_shape(const struct prompt_style *style, char **out, ead_error *error)
{
    return prompt_text(style, mark, out, error);
}
