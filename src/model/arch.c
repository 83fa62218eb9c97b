#include "model/arch.h"

#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#define OF_MODEL(member) .place = offsetof(struct weights, member)
#define OF_LAYER(member) .place = offsetof(struct layer, member)

/* ---- tables ------------------------------------------------------------------------------ */

/* Panels lie in the order of packed rows: to change it is to raise PACK_LAYOUT (kern_pack.h). */

static const struct arch_tensor decoder_model[] = {
    {"token_embd.weight", DIM_VOCAB, DIM_MODEL, OF_MODEL(embed), .required = true},
    {"output.weight", DIM_VOCAB, DIM_MODEL, OF_MODEL(output), .packed = true},
    {"output_norm.weight", DIM_MODEL, DIM_NONE, OF_MODEL(output_norm), .required = true},
    {"rope_freqs.weight", DIM_PAIRS, DIM_NONE, OF_MODEL(rope_factors)},
    {0},
};

static const struct arch_tensor decoder_layer[] = {
    {"attn_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(attn_norm), .required = true},
    {"attn_q.weight", DIM_Q, DIM_MODEL, OF_LAYER(q), .required = true, .packed = true},
    {"attn_k.weight", DIM_KV, DIM_MODEL, OF_LAYER(k), .required = true, .packed = true},
    {"attn_v.weight", DIM_KV, DIM_MODEL, OF_LAYER(v), .required = true, .packed = true},
    {"attn_output.weight", DIM_MODEL, DIM_Q, OF_LAYER(o), .required = true, .packed = true},
    {"attn_q.bias", DIM_Q, DIM_NONE, OF_LAYER(q_bias), .with = "attn_k.bias"},
    {"attn_k.bias", DIM_KV, DIM_NONE, OF_LAYER(k_bias), .with = "attn_v.bias"},
    {"attn_v.bias", DIM_KV, DIM_NONE, OF_LAYER(v_bias), .with = "attn_q.bias"},
    {"attn_output.bias", DIM_MODEL, DIM_NONE, OF_LAYER(o_bias)},
    {"ffn_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(ffn_norm), .required = true},
    {"ffn_gate.weight", DIM_FF, DIM_MODEL, OF_LAYER(gate), .required = true, .packed = true},
    {"ffn_up.weight", DIM_FF, DIM_MODEL, OF_LAYER(up), .required = true, .packed = true},
    {"ffn_down.weight", DIM_MODEL, DIM_FF, OF_LAYER(down), .required = true, .packed = true},
    /* frequencies some old converters stored; every reader computes them */
    {.name = "attn_rot_embd"},
    {.name = "attn_rot_embd.weight"},
    {0},
};

static const struct arch_tensor head_norms[] = {
    {"attn_q_norm.weight", DIM_HEAD, DIM_NONE, OF_LAYER(q_norm), .required = true},
    {"attn_k_norm.weight", DIM_HEAD, DIM_NONE, OF_LAYER(k_norm), .required = true},
    {0},
};

static const struct arch archs[] = {
    {"llama", true, decoder_model, {decoder_layer}}, /* Llama 2 and 3, Mistral, SmolLM2 */
    {"qwen2", false, decoder_model, {decoder_layer}},
    {"qwen3", false, decoder_model, {decoder_layer, head_norms}},
};
enum { N_ARCHS = sizeof archs / sizeof *archs };

/* ---- looking up -------------------------------------------------------------------------- */

const struct arch *arch_find(const char *name, size_t n)
{
    for (int i = 0; i < N_ARCHS; i++)
        if (strlen(archs[i].name) == n && !memcmp(archs[i].name, name, n)) return &archs[i];
    return NULL;
}

void arch_names(char *out, size_t max)
{
    size_t used = 0;
    *out = 0;
    for (int i = 0; i < N_ARCHS && used < max; i++) {
        const char *before = !i ? "" : i + 1 < N_ARCHS ? ", " : " or ";
        used += (size_t)snprintf(out + used, max - used, "%s%s", before, archs[i].name);
    }
}

static const struct arch_tensor *find_in(const struct arch_tensor *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name)) return table;
    return NULL;
}

const struct arch_tensor *arch_find_tensor(const struct arch *a, bool in_layer, const char *name)
{
    if (!in_layer) return find_in(a->model, name);
    const struct arch_tensor *found = NULL;
    for (int i = 0; !found && i < ARCH_TABLES && a->layer[i]; i++)
        found = find_in(a->layer[i], name);
    return found;
}
