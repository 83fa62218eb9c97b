#!/usr/bin/env python3
"""Write a model of the shipped pair as a Hugging Face checkpoint, for servers that do not read GGUF.

    tools/export_hf.py models/large.gguf DIR

DIR gets config.json, model.safetensors (float32, dequantised), tokenizer.json, tokenizer_config.json
and generation_config.json: what vLLM and transformers open as a folder. It reads what
tools/pair/export.py writes and no more: `llama` without scaled positions, weights of F32, F16 or Q8_0,
byte-level BPE with Qwen2's split. Only Python's standard library is used.
"""
import argparse
import json
import os
import struct
import sys
from array import array

# GGUF's kinds of value, as struct spells them.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9
CONTROL, USER_DEFINED = 3, 4

# Number of a tensor's type: one block, as struct spells it, and how many weights it holds.
BLOCKS = {0: ("<f", 1), 1: ("<e", 1), 8: ("<e32b", 32)}

# As Qwen2's own tokenizer.json has it; after that every byte is a character of the vocabulary.
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")

OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INNER = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}


class Refused(Exception):
    pass


# ---- the file ---------------------------------------------------------------------------------

class Gguf:
    """The fields of a GGUF file, and `tensors`: name -> (shape, type, where its data begin)."""

    def __init__(self, path):
        with open(path, "rb") as source:
            self.data = source.read()
        if self.data[:4] != b"GGUF":
            raise Refused(f"{path}: a GGUF file begins with 'GGUF', this one with {self.data[:4]!r}")
        self.at, self.path = 4, path
        version, n_tensors, n_fields = self.take("IQQ")
        if version not in (2, 3):
            raise Refused(f"{path}: version 2 or 3 of GGUF is read, this is {version}")
        self.fields = dict((self.text(), self.value(*self.take("I"))) for _ in range(n_fields))
        listed = [self.tensor() for _ in range(n_tensors)]
        step = self.fields.get("general.alignment", 32)
        base = (self.at + step - 1) // step * step
        self.tensors = {name: (shape, kind, base + at) for name, shape, kind, at in listed}

    def take(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def text(self):
        (size,) = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            inner, n = self.take("IQ")
            return [self.value(inner) for _ in range(n)]
        return self.take(SCALARS[kind])[0]

    def tensor(self):
        name, (dims,) = self.text(), self.take("I")
        shape = self.take(f"{dims}Q")[::-1]  # GGUF counts the row's length first
        return name, shape, *self.take("IQ")

    def field(self, name, expected=None):
        value = self.fields.get(name)
        if value is None or expected not in (None, value):
            raise Refused(f"{self.path}: {name} is {value!r}" + (f", not {expected!r}" if expected else ""))
        return value

    def weights(self, name):
        shape, kind, at = self.tensors[name]
        if kind not in BLOCKS:
            raise Refused(f"{self.path}: {name} has type {kind}; F32 (0), F16 (1) and Q8_0 (8) are read")
        layout, per_block = BLOCKS[kind]
        n = shape[0] * (shape[1] if len(shape) == 2 else 1) // per_block
        blocks = struct.iter_unpack(layout, self.data[at:at + n * struct.calcsize(layout)])
        if per_block == 1:
            return shape, array("f", (x for x, in blocks))
        return shape, array("f", (scale * q for scale, *quants in blocks for q in quants))


# ---- the model --------------------------------------------------------------------------------

def config_of(gguf):
    def of(name, default=None):
        name = f"llama.{name}"
        return gguf.fields.get(name, default) if default is not None else gguf.field(name)

    gguf.field("general.architecture", "llama")
    if of("rope.scaling.type", "none") != "none" or "rope_freqs.weight" in gguf.tensors:
        raise Refused(f"{gguf.path}: scaled positions are not exported")
    width, heads = of("embedding_length"), of("attention.head_count")
    head = of("attention.key_length", width // heads)
    if of("rope.dimension_count", head) != head:
        raise Refused(f"{gguf.path}: llama.rope.dimension_count is not a head's {head}")
    base = of("rope.freq_base", 10000.0)
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float32",
        "vocab_size": len(gguf.field("tokenizer.ggml.tokens")), "hidden_size": width,
        "intermediate_size": of("feed_forward_length"), "num_hidden_layers": of("block_count"),
        "num_attention_heads": heads, "num_key_value_heads": of("attention.head_count_kv", heads),
        "head_dim": head, "max_position_embeddings": of("context_length"), "hidden_act": "silu",
        # The float32 of the file, as the shortest decimal that reads back as that.
        "rms_norm_eps": float(f"{of('attention.layer_norm_rms_epsilon'):.7g}"),
        "rope_theta": base, "rope_parameters": {"rope_type": "default", "rope_theta": base},
        "attention_bias": False, "mlp_bias": False,
        "tie_word_embeddings": "output.weight" not in gguf.tensors, **end_ids(gguf)}


def end_ids(gguf):
    end = gguf.field("tokenizer.ggml.eos_token_id")
    ids = {"bos_token_id": gguf.fields.get("tokenizer.ggml.bos_token_id"), "eos_token_id": end}
    return ids | {"pad_token_id": gguf.fields.get("tokenizer.ggml.padding_token_id", end)}


def halves(rows, columns, heads, values):
    """Rows of q or k as transformers turns them: pair (2i, 2i + 1) of a head becomes (i, i + half)."""
    head = rows // heads
    order = (h * head + 2 * i + odd for h in range(heads) for odd in (0, 1) for i in range(head // 2))
    out = array("f")
    for row in order:
        out.extend(values[row * columns:(row + 1) * columns])
    return out


def new_name(gguf, name):
    parts = name.split(".")
    if parts[0] == "blk" and len(parts) == 4 and parts[2] in INNER and parts[3] == "weight":
        return f"model.layers.{parts[1]}.{INNER[parts[2]]}.weight"
    if len(parts) == 2 and parts[0] in OUTER and parts[1] == "weight":
        return OUTER[parts[0]] + ".weight"
    raise Refused(f"{gguf.path}: no place for the tensor {name} in LlamaForCausalLM")


def write_tensors(gguf, config, path):
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    header, bodies, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name in gguf.tensors:
        shape, values = gguf.weights(name)
        which = name.split(".")[-2]
        if which in heads:
            values = halves(*shape, heads[which], values)
        if sys.byteorder == "big":
            values.byteswap()
        bodies.append(values.tobytes())
        header[new_name(gguf, name)] = {"dtype": "F32", "shape": shape,
                                        "data_offsets": [at, at + len(bodies[-1])]}
        at += len(bodies[-1])
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(head)) + head)
        out.writelines(bodies)


# ---- the vocabulary ---------------------------------------------------------------------------

def tokenizer_of(gguf):
    gguf.field("tokenizer.ggml.model", "gpt2")
    gguf.field("tokenizer.ggml.pre", "qwen2")
    tokens = gguf.field("tokenizer.ggml.tokens")
    kinds = gguf.field("tokenizer.ggml.token_type")
    plain = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": kind == CONTROL}
                         for i, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, plain]},
        "post_processor": plain, "decoder": plain,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": False, "vocab": {text: i for i, text in enumerate(tokens)},
                  "merges": [pair.split(" ") for pair in gguf.field("tokenizer.ggml.merges")]}}


def tokenizer_config_of(gguf, config):
    tokens = gguf.field("tokenizer.ggml.tokens")
    named = {key[:-3]: tokens[config[key]] for key in ("eos_token_id", "pad_token_id")}
    return named | {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": False, "add_bos_token": False,
        "clean_up_tokenization_spaces": False, "model_max_length": config["max_position_embeddings"],
        "chat_template": gguf.fields.get("tokenizer.chat_template")}


def export(source, folder):
    gguf = Gguf(source)
    config = config_of(gguf)
    files = {"config.json": config, "tokenizer.json": tokenizer_of(gguf),
             "tokenizer_config.json": tokenizer_config_of(gguf, config),
             "generation_config.json": {"do_sample": False, **end_ids(gguf)}}
    os.makedirs(folder, exist_ok=True)
    write_tensors(gguf, config, os.path.join(folder, "model.safetensors"))
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False, indent=1)
            out.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="GGUF file")
    parser.add_argument("folder", help="where the checkpoint goes")
    args = parser.parse_args()
    try:
        export(args.model, args.folder)
    except (OSError, Refused) as why:
        sys.exit(f"export_hf.py: {why}")
    except (struct.error, KeyError, UnicodeDecodeError) as why:
        sys.exit(f"export_hf.py: {args.model}: not a whole GGUF file ({why!r})")


if __name__ == "__main__":
    main()
