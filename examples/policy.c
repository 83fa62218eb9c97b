/* A policy of one's own: policy LARGE.gguf SMALL.gguf PROMPT
 *
 * The small model writes. A token that it is not sure of is taken back, and the large one writes
 * there instead (R-Stitch, arXiv 2507.17307).
 *
 *     cc policy.c -o policy $(pkg-config --cflags --libs ead) */
#include <ead.h>
#include <stdio.h>
#include <string.h>

static ead_decision stitch(void *context, const ead_signals *s)
{
    const double tau = *(const double *)context;
    if (s->index == 0) return (ead_decision){.writer = EAD_SMALL};
    if ((double)s->stats.entropy <= tau) return (ead_decision){.writer = EAD_SMALL};
    return (ead_decision){.writer = EAD_LARGE, .take_back = s->writer == EAD_SMALL};
}

static int stop(const ead_error *error)
{
    fprintf(stderr, "policy: %s\n", error->message);
    return 1;
}

int main(int argc, char **argv)
{
    ead_error error;
    ead_model *large, *small;
    ead_duo *duo;
    ead_token token;
    int32_t *ids;
    size_t n;
    double tau = 0.5; /* bits */
    if (argc != 4) return fprintf(stderr, "usage: policy LARGE.gguf SMALL.gguf PROMPT\n"), 2;
    if (ead_model_open(argv[1], NULL, &large, &error)) return stop(&error);
    if (ead_model_open(argv[2], NULL, &small, &error)) return stop(&error);
    ead_duo_options options = ead_duo_defaults();
    options.policy.kind = EAD_POLICY_CUSTOM;
    options.policy.decide = stitch;
    options.policy.context = &tau;
    if (ead_duo_open(large, small, &options, &duo, &error)) return stop(&error);
    if (ead_tokenize(large, argv[3], strlen(argv[3]), EAD_ADD_BOS, &ids, &n, &error) ||
        ead_duo_append(duo, ids, n, &error))
        return stop(&error);
    for (int i = 0; i < 40; i++) {
        if (ead_duo_step(duo, &token, &error)) return stop(&error);
        printf("%s %d %.3f\n", token.writer == EAD_LARGE ? "large" : "small", token.id,
               (double)token.entropy);
        if (token.end) break;
    }
    printf("taken back: %lld\n", (long long)ead_duo_summarise(duo).taken_back);
    ead_free(ids);
    ead_duo_close(duo);
    ead_model_close(small);
    ead_model_close(large);
    return 0;
}
