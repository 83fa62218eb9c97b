/* Write 40 tokens with two models and show who wrote what: pair LARGE.gguf SMALL.gguf PROMPT
 *
 *     cc pair.c -o pair $(pkg-config --cflags --libs ead) */
#include <ead.h>
#include <stdio.h>
#include <string.h>

static int stop(const ead_error *error)
{
    fprintf(stderr, "pair: %s\n", error->message);
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
    if (argc != 4) return fprintf(stderr, "usage: pair LARGE.gguf SMALL.gguf PROMPT\n"), 2;
    if (ead_model_open(argv[1], NULL, &large, &error)) return stop(&error);
    if (ead_model_open(argv[2], NULL, &small, &error)) return stop(&error);
    ead_duo_options options = ead_duo_defaults();
    options.policy.tau = 1.5; /* bits */
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
    ead_free(ids);
    ead_duo_close(duo);
    ead_model_close(small);
    ead_model_close(large);
    return 0;
}
