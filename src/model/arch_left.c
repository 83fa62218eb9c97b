#include "model/arch.h"

#include <string.h>

#define RECURRENT "keeps a recurrent state, which a text that is cut back would need as it was"
#define PER_LAYER "gives every layer an embedding of its own"
#define SINKS     "has attention with sinks and experts with biases"

/* Names of the ggml project's gguf package. */
static const struct left {
    const char *name, *why;
} left[] = {
    {"qwen35", RECURRENT},        {"qwen35moe", RECURRENT},   {"qwen3next", RECURRENT},
    {"lfm2", RECURRENT},          {"lfm2moe", RECURRENT},     {"mamba", RECURRENT},
    {"mamba2", RECURRENT},        {"jamba", RECURRENT},       {"falcon-h1", RECURRENT},
    {"granitehybrid", RECURRENT}, {"nemotron_h", RECURRENT},  {"nemotron_h_moe", RECURRENT},
    {"plamo2", RECURRENT},        {"kimi-linear", RECURRENT}, {"rwkv6", RECURRENT},
    {"rwkv6qwen2", RECURRENT},    {"rwkv7", RECURRENT},       {"arwkv7", RECURRENT},
    {"minimax-01", RECURRENT},    {"gemma3n", PER_LAYER},     {"gemma4", PER_LAYER},
    {"gpt-oss", SINKS},
};

const char *arch_why_not(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (strlen(left[i].name) == n && !memcmp(left[i].name, name, n)) return left[i].why;
    return NULL;
}
