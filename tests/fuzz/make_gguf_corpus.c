/* Write the corpus of fuzz_gguf: `make_gguf_corpus FOLDER`. Whole files of every kind, and one of
 * each characteristic damage, all below 20 KB. */
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static void save(const char *name, const void *data, size_t n)
{
    char path[TINY_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.gguf", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, n, file) != n || fclose(file)) {
        perror(path);
        exit(1);
    }
    printf("%6zu %s\n", n, path);
}

static struct tiny *model(const char *arch, enum quant_type type)
{
    struct tiny_spec s = tiny_spec(arch, type);
    s.n_layer = s.n_head = s.n_head_kv = 1;
    s.d_model = s.d_ff = s.head_dim = s.n_rot = 32;
    s.no_bytes = s.tied = true;
    s.pad_tokens = 1;
    s.n_ctx = 16;
    if (s.n_expert) s.n_expert = 3;
    return tiny_model(&s);
}

static void save_part(const char *name, struct tiny *t, int parts)
{
    struct tiny_image *image = tiny_write(t, 0, parts);
    save(name, image->bytes.data, image->bytes.n);
    tiny_image_free(image);
    tiny_free(t);
}

/* Tensors that only some exports have. */
static void save_optional(void)
{
    struct tiny_spec s = tiny_spec("llama", QT_Q8_0);
    s.n_layer = s.n_head = s.n_head_kv = 1;
    s.d_model = s.d_ff = s.head_dim = s.n_rot = 32;
    s.no_bytes = s.fused = s.scales = s.qkv_bias = s.output_bias = true;
    s.n_ctx = 16;
    save_part("fused-scales", tiny_model(&s), 1);
    s.fused = s.scales = false;
    s.ffn_bias = s.o_bias = s.tied = true;
    save_part("biases", tiny_model(&s), 1);
}

static void save_whole_files(void)
{
    static const char *const tokens[] = {"a", "b", "c", "ab", "abc", "<|end|>"};
    static const char *const merges[] = {"a b", "ab c"};
    static const int32_t kinds[] = {1, 1, 1, 1, 1, 3};
    save_part("llama-q8_0", model("llama", QT_Q8_0), 1);
    save_part("qwen3moe-q8_0", model("qwen3moe", QT_Q8_0), 1);
    save_part("qwen3-q4_1", model("qwen3", QT_Q4_1), 1);
    struct tiny *t = model("qwen2", QT_Q5_0);
    t->version = 2;
    save_part("qwen2-q5_0-version2", t, 1);
    t = model("qwen2", QT_IQ4_NL);
    tiny_set_str(t, "tokenizer.ggml.model", "gpt2");
    tiny_set_str(t, "tokenizer.ggml.pre", "qwen2");
    tiny_set_strs(t, "tokenizer.ggml.tokens", tokens, 6);
    tiny_set_strs(t, "tokenizer.ggml.merges", merges, 2);
    tiny_set_array(t, "tokenizer.ggml.token_type", GGUF_I32, kinds, 6, sizeof kinds);
    tiny_drop(t, "tokenizer.ggml.scores");
    save_part("merges", t, 1);
    t = model("llama", QT_Q4_0);
    while (t->n_tensors) tiny_drop_tensor(t, t->tensor[0].name);
    save_part("vocabulary", t, 1);
    t = model("llama", QT_Q4_0);
    tiny_set_nested(t, "general.nested", GGUF_DEPTH_MAX);
    tiny_find(t, "blk.0.ffn_up.weight")->type = 39; /* MXFP4 */
    tiny_find(t, "blk.0.ffn_down.weight")->type = 99;
    save_part("other-types", t, 1);
    save_part("part-1-of-2", model("llama", QT_Q4_0), 2);
}

static void save_patched(const char *name, const char *what, int index, uint64_t value)
{
    struct tiny *t = model("llama", QT_Q4_0);
    struct tiny_image *image = tiny_write(t, 0, 1);
    tiny_patch(image, what, index, value);
    save(name, image->bytes.data, image->bytes.n);
    tiny_image_free(image);
    tiny_free(t);
}

static void save_damaged_files(void)
{
    save_patched("damaged-count", "metadata count", 0, 20);
    save_patched("damaged-type", "value type", 4, GGUF_ARRAY);
    save_patched("damaged-length", "value", 0, 1 << 20);
    save_patched("damaged-shape", "rows", 3, 31);
    save_patched("damaged-offset", "tensor offset", 2, 33);
    save_patched("damaged-dimensions", "dimensions", 1, 4);
    save_patched("damaged-heads", "value", 5, 3);
    struct tiny *t = model("llama", QT_Q4_0);
    struct tiny_image *image = tiny_write(t, 0, 1);
    save("cut-in-metadata", image->bytes.data, 700);
    save("cut-in-weights", image->bytes.data, image->bytes.n - 100);
    memset(tiny_find(t, "blk.0.ffn_up.weight")->data.data, 0x7e,
           18); /* scales that are no numbers */
    tiny_image_free(image);
    save_part("not-finite", t, 1);
}

int main(int argc, char **argv)
{
    if (argc != 2) return fprintf(stderr, "usage: make_gguf_corpus FOLDER\n"), 2;
    folder = argv[1];
    save_whole_files();
    save_optional();
    save_damaged_files();
    return 0;
}
