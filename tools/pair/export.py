#!/usr/bin/env python3
"""Writes a trained model as GGUF, with its vocabulary: any engine that reads GGUF's `llama` opens it.

    export.py --out DIR --to DIR [--type q8_0|f16|f32]     writes small.gguf and large.gguf

The prompt template is plain text, with no roles: `Problem: ...\\nSolution:`. It is stored as the file's
chat template too, which writes the last message as the problem.
"""
import argparse
import os
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evaluate import load_model, newest  # noqa: E402
from tokenizer import Tokenizer  # noqa: E402

TEMPLATE = "Problem: {{ messages[-1]['content'] }}\nSolution:"
ALIGNMENT = 32
TENSOR_TYPES = {"f32": 0, "f16": 1, "q8_0": 8}
FILE_TYPES = {"f32": 0, "f16": 1, "q8_0": 7}
NORMAL, CONTROL = 1, 3  # kinds of token


# --- values of the header ---------------------------------------------------------------------------

def u32(n):
    return struct.pack("<II", 4, n)


def f32(x):
    return struct.pack("<If", 6, x)


def boolean(b):
    return struct.pack("<I?", 7, b)


def raw_text(s):
    data = s.encode()
    return struct.pack("<Q", len(data)) + data


def text(s):
    return struct.pack("<I", 8) + raw_text(s)


def text_list(items):
    return struct.pack("<IIQ", 9, 8, len(items)) + b"".join(map(raw_text, items))


def i32_list(items):
    return struct.pack("<IIQ", 9, 5, len(items)) + struct.pack(f"<{len(items)}i", *items)


def model_fields(name, config, kind):
    return {"general.architecture": text("llama"), "general.name": text(f"ead-pair-{name}"),
            "general.license": text("apache-2.0"),
            "general.file_type": u32(FILE_TYPES[kind]), "general.quantization_version": u32(2),
            "general.alignment": u32(ALIGNMENT),
            "llama.vocab_size": u32(config.vocabulary), "llama.context_length": u32(config.context),
            "llama.embedding_length": u32(config.width), "llama.block_count": u32(config.layers),
            "llama.feed_forward_length": u32(config.hidden),
            "llama.attention.head_count": u32(config.heads),
            "llama.attention.head_count_kv": u32(config.heads),
            "llama.attention.layer_norm_rms_epsilon": f32(config.epsilon),
            "llama.rope.dimension_count": u32(config.width // config.heads),
            "llama.rope.freq_base": f32(config.rope_base)}


def vocabulary_fields(tokenizer):
    kinds = [CONTROL] + [NORMAL] * (len(tokenizer.tokens) - 1)
    return {"tokenizer.ggml.model": text("gpt2"), "tokenizer.ggml.pre": text("qwen2"),
            "tokenizer.ggml.tokens": text_list(tokenizer.tokens),
            "tokenizer.ggml.token_type": i32_list(kinds),
            "tokenizer.ggml.merges": text_list([" ".join(m) for m in tokenizer.merges]),
            "tokenizer.ggml.eos_token_id": u32(0), "tokenizer.ggml.padding_token_id": u32(0),
            "tokenizer.ggml.add_bos_token": boolean(False), "tokenizer.chat_template": text(TEMPLATE)}


# --- tensors ----------------------------------------------------------------------------------------

def adjacent_pairs(weight, heads):
    """Reorders the rows of q or k: pair (i, i + half) of a head becomes (2i, 2i + 1)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors(model):
    """GGUF's names and arrays, in the order of the file."""
    def array(t):
        return t.detach().float().numpy()

    yield "token_embd.weight", array(model.token_embd.weight)
    for i, block in enumerate(model.blocks):
        q, k, v = np.split(array(block.qkv.weight), 3)
        gate, up = np.split(array(block.gate_up.weight), 2)
        heads = model.config.heads
        named = {"attn_norm": array(block.attn_norm), "attn_q": adjacent_pairs(q, heads),
                 "attn_k": adjacent_pairs(k, heads), "attn_v": v,
                 "attn_output": array(block.attn_output.weight), "ffn_norm": array(block.ffn_norm),
                 "ffn_gate": gate, "ffn_up": up, "ffn_down": array(block.ffn_down.weight)}
        for name, value in named.items():
            yield f"blk.{i}.{name}.weight", value
    yield "output_norm.weight", array(model.output_norm)


def to_q8_0(array):
    """Blocks of 32: a half-precision scale, then 32 signed bytes."""
    blocks = array.reshape(-1, 32)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    quants = np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)).astype(np.int8)
    packed = np.concatenate([scale.astype("<f2").view(np.uint8), quants.view(np.uint8)], axis=1)
    return packed.tobytes()


def encode(array, kind):
    """(type number, bytes). Norms stay in full precision."""
    if array.ndim == 1 or kind == "f32":
        return TENSOR_TYPES["f32"], array.astype("<f4").tobytes()
    if kind == "f16":
        return TENSOR_TYPES["f16"], array.astype("<f2").tobytes()
    return TENSOR_TYPES["q8_0"], to_q8_0(array)


def padded(data):
    return data + b"\0" * (-len(data) % ALIGNMENT)


def write_gguf(path, fields, named_arrays, kind):
    infos, blobs, offset = b"", [], 0
    for name, array in named_arrays:
        number, data = encode(array, kind)
        shape = array.shape[::-1]  # GGUF counts the row's length first
        infos += raw_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        blobs.append(padded(data))
        offset += len(blobs[-1])
    header = b"GGUF" + struct.pack("<IQQ", 3, len(blobs), len(fields))
    header += b"".join(raw_text(key) + value for key, value in fields.items())
    with open(path, "wb") as out:
        out.write(padded(header + infos))
        out.writelines(blobs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="directory of vocabulary and checkpoints")
    parser.add_argument("--to", required=True, help="directory of the GGUF files")
    parser.add_argument("--type", default="q8_0", choices=TENSOR_TYPES)
    args = parser.parse_args()
    os.makedirs(args.to, exist_ok=True)
    tokenizer = Tokenizer.load(os.path.join(args.out, "vocab.json"))
    for name in ("small", "large"):
        source = newest(args.out, name)
        if not os.path.exists(source):
            continue
        model, _ = load_model(source)
        path = os.path.join(args.to, f"{name}.gguf")
        fields = model_fields(name, model.config, args.type) | vocabulary_fields(tokenizer)
        write_gguf(path, fields, tensors(model), args.type)
        print(f"{path}: {model.parameter_count()} parameters, {os.path.getsize(path)} bytes, from {source}")


if __name__ == "__main__":
    main()
