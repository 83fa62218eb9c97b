#include "model/arch.h"

#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#define OF_MODEL(member) .place = offsetof(struct weights, member)
#define OF_LAYER(member) .place = offsetof(struct layer, member)
#define MUST             .required = true
#define PACKED           .packed = true
#define WITH(tensor)     .with = tensor
#define MODEL            .model = decoder_model

/* ---- tables ------------------------------------------------------------------------------ */

/* Panels lie in the order of packed rows: to change it is to raise PACK_LAYOUT (pack/pack.h). */

static const struct arch_tensor decoder_model[] = {
    {"token_embd.weight", DIM_VOCAB, DIM_MODEL, OF_MODEL(embed), MUST},
    {"output.weight", DIM_LOGITS, DIM_MODEL, OF_MODEL(output.w), PACKED},
    {"output.scale", DIM_ONE, DIM_NONE, OF_MODEL(output.scale), WITH("output.weight")},
    {"output.bias", DIM_LOGITS, DIM_NONE, OF_MODEL(output.bias)},
    {"output_norm.weight", DIM_MODEL, DIM_NONE, OF_MODEL(output_norm), MUST},
    {"rope_freqs.weight", DIM_PAIRS, DIM_NONE, OF_MODEL(rope_factors)},
    {0},
};

#define QKV(suffix) .whole = "attn_qkv." suffix

static const struct arch_tensor attention[] = {
    {"attn_q.weight", DIM_Q, DIM_MODEL, OF_LAYER(q.w), MUST, PACKED, QKV("weight")},
    {"attn_k.weight", DIM_KV, DIM_MODEL, OF_LAYER(k.w), MUST, PACKED, QKV("weight")},
    {"attn_v.weight", DIM_KV, DIM_MODEL, OF_LAYER(v.w), MUST, PACKED, QKV("weight")},
    {"attn_output.weight", DIM_MODEL, DIM_Q, OF_LAYER(o.w), MUST, PACKED},
    {"attn_q.scale", DIM_ONE, DIM_NONE, OF_LAYER(q.scale), QKV("scale")},
    {"attn_k.scale", DIM_ONE, DIM_NONE, OF_LAYER(k.scale), QKV("scale")},
    {"attn_v.scale", DIM_ONE, DIM_NONE, OF_LAYER(v.scale), QKV("scale")},
    {"attn_output.scale", DIM_ONE, DIM_NONE, OF_LAYER(o.scale)},
    {"attn_q.bias", DIM_Q, DIM_NONE, OF_LAYER(q_bias), QKV("bias"), WITH("attn_k.bias")},
    {"attn_k.bias", DIM_KV, DIM_NONE, OF_LAYER(k_bias), QKV("bias"), WITH("attn_v.bias")},
    {"attn_v.bias", DIM_KV, DIM_NONE, OF_LAYER(v_bias), QKV("bias"), WITH("attn_q.bias")},
    {"attn_output.bias", DIM_MODEL, DIM_NONE, OF_LAYER(o.bias)},
    /* frequencies some old converters stored; every reader computes them */
    {.name = "attn_rot_embd"},
    {.name = "attn_rot_embd.weight"},
    {0},
};

static const struct arch_tensor feed_forward[] = {
    {"ffn_gate.weight", DIM_FF, DIM_MODEL, OF_LAYER(gate.w), MUST, PACKED},
    {"ffn_up.weight", DIM_FF, DIM_MODEL, OF_LAYER(up.w), MUST, PACKED},
    {"ffn_down.weight", DIM_MODEL, DIM_FF, OF_LAYER(down.w), MUST, PACKED},
    {"ffn_gate.scale", DIM_ONE, DIM_NONE, OF_LAYER(gate.scale)},
    {"ffn_up.scale", DIM_ONE, DIM_NONE, OF_LAYER(up.scale)},
    {"ffn_down.scale", DIM_ONE, DIM_NONE, OF_LAYER(down.scale)},
    /* Of a feed-forward's bias and scale, readers differ on which comes first. */
    {"ffn_gate.bias", DIM_FF, DIM_NONE, OF_LAYER(gate.bias), .without = "ffn_gate.scale"},
    {"ffn_up.bias", DIM_FF, DIM_NONE, OF_LAYER(up.bias), .without = "ffn_up.scale"},
    {"ffn_down.bias", DIM_MODEL, DIM_NONE, OF_LAYER(down.bias), .without = "ffn_down.scale"},
    {0},
};

#define GATE_UP .whole = "ffn_up.weight"

static const struct arch_tensor fused_feed_forward[] = {
    {"ffn_gate.weight", DIM_FF, DIM_MODEL, OF_LAYER(gate.w), MUST, PACKED, GATE_UP},
    {"ffn_up.weight", DIM_FF, DIM_MODEL, OF_LAYER(up.w), MUST, PACKED, GATE_UP},
    {"ffn_down.weight", DIM_MODEL, DIM_FF, OF_LAYER(down.w), MUST, PACKED},
    {0},
};

#define EXPERTS .stack = DIM_EXPERTS

static const struct arch_tensor mixture[] = {
    {"ffn_gate_inp.weight", DIM_EXPERTS, DIM_MODEL, OF_LAYER(router.w), MUST, PACKED},
    {"ffn_gate_exps.weight", DIM_FF, DIM_MODEL, OF_LAYER(experts.gate), MUST, PACKED, EXPERTS},
    {"ffn_up_exps.weight", DIM_FF, DIM_MODEL, OF_LAYER(experts.up), MUST, PACKED, EXPERTS},
    {"ffn_down_exps.weight", DIM_MODEL, DIM_FF, OF_LAYER(experts.down), MUST, PACKED, EXPERTS},
    {0},
};

/* Of what sublayers read, and of what they add. */

static const struct arch_tensor norms_before[] = {
    {"attn_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(attn_norm), MUST},
    {"ffn_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(ffn_norm), MUST},
    {0},
};

static const struct arch_tensor norms_after[] = {
    {"post_attention_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(attn_post_norm), MUST},
    {"post_ffw_norm.weight", DIM_MODEL, DIM_NONE, OF_LAYER(ffn_post_norm), MUST},
    {0},
};

static const struct arch_tensor head_norms[] = {
    {"attn_q_norm.weight", DIM_HEAD, DIM_NONE, OF_LAYER(q_norm), MUST},
    {"attn_k_norm.weight", DIM_HEAD, DIM_NONE, OF_LAYER(k_norm), MUST},
    {0},
};

static const struct arch_tensor wide_norms[] = {
    {"attn_q_norm.weight", DIM_Q, DIM_NONE, OF_LAYER(q_norm), MUST},
    {"attn_k_norm.weight", DIM_KV, DIM_NONE, OF_LAYER(k_norm), MUST},
    {0},
};

/* Blocks that look at what was seen; the tower that sees, and what fits its output to the text. */
static const char *const seeing[] = {"cross_attn_", "attn_norm.", "ffn_", NULL};
static const char *const vision[] = {"v.", "mm.", NULL};

#define PAIRS .rope_interleaved = true
#define LAYER attention, feed_forward, norms_before

static const struct arch archs[] = {
    /* Llama 2 and 3, Mistral, SmolLM2 */
    {.name = "llama", PAIRS, MODEL, .layer = {LAYER}},
    /* Llama 3.2 of 11B and 90B, as far as they read text */
    {.name = "mllama",
     PAIRS,
     .short_output = true,
     .image_block = seeing,
     .image_parts = vision,
     MODEL,
     .layer = {LAYER}},
    /* Mistral Small 3 and Ministral 3 */
    {.name = "mistral3", PAIRS, MODEL, .layer = {LAYER}},
    {.name = "qwen2", MODEL, .layer = {LAYER}},
    {.name = "qwen3", MODEL, .layer = {LAYER, head_norms}},
    {.name = "qwen3moe",
     .mixture = true,
     MODEL,
     .layer = {attention, mixture, norms_before, head_norms}},
    {.name = "gemma2",
     .embed_root = true,
     .act = ACT_GELU,
     .windows = {.period = 2, .size = 4096},
     .shared_width_layers = 46, /* 27B */
     .attn_cap = 50,
     .logit_cap = 30,
     MODEL,
     .layer = {LAYER, norms_after}},
    {.name = "gemma3",
     .embed_root = true,
     .act = ACT_GELU,
     .windows = {.period = 6, .base = 10000, .plain = true},
     .shared_width_layers = 62, /* 27B */
     MODEL,
     .layer = {LAYER, head_norms, norms_after}},
    {.name = "granite", PAIRS, .scaled = true, MODEL, .layer = {LAYER}},
    /* OLMo 2 and 3 */
    {.name = "olmo2",
     .qk_norm = NORM_WIDE,
     .windows = {.period = 4, .plain = true},
     MODEL,
     .layer = {attention, feed_forward, norms_after, wide_norms}},
    {.name = "exaone", MODEL, .layer = {LAYER}},
    {.name = "exaone4",
     .windows = {.period = 4, .still = true},
     MODEL,
     .layer = {attention, feed_forward, norms_after, head_norms}},
    {.name = "hunyuan-dense",
     .qk_norm = NORM_LATE,
     .alpha = true,
     MODEL,
     .layer = {LAYER, head_norms}},
    /* Phi 4, and Phi 3 of short contexts */
    {.name = "phi3",
     .windows = {.period = WINDOWS_ALL},
     MODEL,
     .layer = {attention, fused_feed_forward, norms_before}},
    {.name = "ernie4_5", PAIRS, MODEL, .layer = {LAYER}},
    {.name = "smollm3",
     PAIRS,
     .windows = {.period = 4, .still = true, .open = true},
     MODEL,
     .layer = {LAYER}},
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

static bool table_has(const struct arch_tensor *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name) || (table->whole && !strcmp(table->whole, name)))
            return true;
    return false;
}

/* With one of these; NULL: none. */
static bool begins(const char *name, const char *const *with)
{
    for (; with && *with; with++)
        if (!strncmp(name, *with, strlen(*with))) return true;
    return false;
}

bool arch_has_tensor(const struct arch *a, enum arch_place place, const char *name)
{
    if (place == ARCH_OUTSIDE) return table_has(a->model, name) || begins(name, a->image_parts);
    if (place == ARCH_IMAGE_BLOCK) return begins(name, a->image_block);
    for (int i = 0; i < ARCH_TABLES && a->layer[i]; i++)
        if (table_has(a->layer[i], name)) return true;
    return false;
}
