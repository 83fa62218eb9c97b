#!/usr/bin/env python3
"""Write a GGUF file with random weights in the shape of a real model, for timing.

    tools/random_gguf.py qwen2.5-1.5b q4_0 OUT.gguf

What weights say does not change the time they take; their number, types and shapes do. The file is
streamed: a 14B model needs no more memory than a 1B one. Only Python's standard library is used.
"""
import argparse
import random
import struct
import sys

# name: arch, d_model, layers, heads, kv heads, d_ff, vocabulary, tied output, rope base, context
SHAPES = {
    "qwen2.5-0.5b": ("qwen2", 896, 24, 14, 2, 4864, 151936, True, 1e6, 32768),
    "qwen2.5-1.5b": ("qwen2", 1536, 28, 12, 2, 8960, 151936, True, 1e6, 32768),
    "qwen2.5-7b": ("qwen2", 3584, 28, 28, 4, 18944, 152064, False, 1e6, 32768),
    "qwen2.5-14b": ("qwen2", 5120, 48, 40, 8, 13824, 152064, False, 1e6, 32768),
    "llama-3.2-1b": ("llama", 2048, 16, 32, 8, 8192, 128256, True, 5e5, 131072),
    "llama-3.2-3b": ("llama", 3072, 28, 24, 8, 8192, 128256, True, 5e5, 131072),
    "smollm2-135m": ("llama", 576, 30, 9, 3, 1536, 49152, True, 1e5, 8192),
    "tiny": ("llama", 256, 2, 4, 2, 512, 512, True, 1e4, 2048),
}
QWEN_TOKENS = 151665  # the rest of a Qwen2.5 vocabulary is padding, and its length differs by size
UNUSED = 5  # the kind of a token that pads

# name: number, weights in a block, (size of each field of a block; "h" is an f16 scale, an int is
# that many random bytes)
TYPES = {
    "f32": (0, 1, ("f",)),
    "f16": (1, 1, ("h",)),
    "bf16": (30, 1, ("b",)),
    "q4_0": (2, 32, ("h", 16)),
    "q4_1": (3, 32, ("h", "h", 16)),
    "q5_0": (6, 32, ("h", 20)),
    "q5_1": (7, 32, ("h", "h", 20)),
    "q8_0": (8, 32, ("h", 32)),
    "q2_k": (10, 256, (80, "h", "h")),
    "q3_k": (11, 256, (108, "h")),
    "q4_k": (12, 256, ("h", "h", 140)),
    "q5_k": (13, 256, ("h", "h", 172)),
    "q6_k": (14, 256, (208, "h")),
    "iq4_nl": (20, 32, ("h", 16)),
    "iq4_xs": (23, 256, ("h", 134)),
}
FIELD_BYTES = {"f": 4, "h": 2, "b": 2}
TILE_BLOCKS = 8192
ALIGN = 32


def block_bytes(kind):
    return sum(FIELD_BYTES.get(field, field) for field in TYPES[kind][2])


def random_block(kind, rng):
    """Weights of the size that a trained matrix has, a few hundredths."""
    out = b""
    for field in TYPES[kind][2]:
        if field == "f":
            out += struct.pack("<f", rng.gauss(0, 0.03))
        elif field == "b":
            out += struct.pack("<f", rng.gauss(0, 0.03))[2:]
        elif field == "h":
            plain = TYPES[kind][1] == 1
            out += struct.pack("<e", rng.gauss(0, 0.03) if plain else rng.uniform(1e-4, 3e-4))
        else:
            out += rng.randbytes(field)
    return out


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    """A metadata pair; the Python type picks the GGUF type."""
    if isinstance(value, bool):
        body = struct.pack("<IB", 7, value)
    elif isinstance(value, int):
        body = struct.pack("<II", 4, value)
    elif isinstance(value, float):
        body = struct.pack("<If", 6, value)
    elif isinstance(value, str):
        body = struct.pack("<I", 8) + string(value)
    elif isinstance(value[0], (str, bytes)):
        body = struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(string, value))
    elif isinstance(value[0], float):
        body = struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)
    else:
        body = struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
    return string(key) + body


def metadata(name, shape):
    arch, d, layers, heads, kv_heads, d_ff, n_vocab, _, base, context = shape
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    real = min(n_vocab, QWEN_TOKENS) if arch == "qwen2" else n_vocab
    tokens += [f"t{i}" for i in range(len(tokens), real)] + [f"[PAD{i}]" for i in range(real, n_vocab)]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (real - 259) + [UNUSED] * (n_vocab - real)
    return [
        pair("general.architecture", arch),
        pair("general.name", f"random weights in the shape of {name}"),
        pair(f"{arch}.context_length", context),
        pair(f"{arch}.embedding_length", d),
        pair(f"{arch}.block_count", layers),
        pair(f"{arch}.feed_forward_length", d_ff),
        pair(f"{arch}.attention.head_count", heads),
        pair(f"{arch}.attention.head_count_kv", kv_heads),
        pair(f"{arch}.attention.layer_norm_rms_epsilon", 1e-6),
        pair(f"{arch}.rope.freq_base", base),
        pair("tokenizer.ggml.model", "llama"),
        pair("tokenizer.ggml.tokens", tokens),
        pair("tokenizer.ggml.scores", [0.0] * n_vocab),
        pair("tokenizer.ggml.token_type", kinds),
        pair("tokenizer.ggml.bos_token_id", 1),
        pair("tokenizer.ggml.eos_token_id", 2),
        pair("tokenizer.ggml.unknown_token_id", 0),
    ]


def tensors(shape, kind):
    """(name, type, dims) with dims[0] contiguous. As in mixed K-quant files, q4_k_m keeps the output
    and half of v and down in q6_k."""
    arch, d, layers, heads, kv_heads, d_ff, n_vocab, tied, _, _ = shape
    kv = d // heads * kv_heads
    mixed = kind == "q4_k_m"
    base = "q4_k" if mixed else kind
    yield "token_embd.weight", "q6_k" if mixed and tied else base, (d, n_vocab)
    if not tied:
        yield "output.weight", "q6_k" if mixed else base, (d, n_vocab)
    yield "output_norm.weight", "f32", (d,)
    for i in range(layers):
        b = f"blk.{i}."
        better = mixed and (i < layers // 8 or i >= 7 * layers // 8 or i % 3 == 2)
        wide = "q6_k" if better else base
        yield b + "attn_norm.weight", "f32", (d,)
        yield b + "attn_q.weight", base, (d, d)
        yield b + "attn_k.weight", base, (d, kv)
        yield b + "attn_v.weight", wide, (d, kv)
        if arch == "qwen2":
            yield b + "attn_q.bias", "f32", (d,)
            yield b + "attn_k.bias", "f32", (kv,)
            yield b + "attn_v.bias", "f32", (kv,)
        yield b + "attn_output.weight", base, (d, d)
        yield b + "ffn_norm.weight", "f32", (d,)
        yield b + "ffn_gate.weight", base, (d, d_ff)
        yield b + "ffn_up.weight", base, (d, d_ff)
        yield b + "ffn_down.weight", wide, (d_ff, d)


def fitting(kind, dims):
    """Rows that are no multiple of a super-block fall back, as quantisers do."""
    if dims[0] % TYPES[kind][1] == 0:
        return kind
    return {"q2_k": "q4_0", "q3_k": "q4_0", "q4_k": "q5_0", "q5_k": "q5_1", "q6_k": "q8_0",
            "iq4_xs": "iq4_nl"}[kind]


def write(name, kind, path, seed):
    rng = random.Random(seed)
    shape = SHAPES[name]
    listed = []
    offset = 0
    for tensor, wanted, dims in tensors(shape, kind):
        used = fitting(wanted, dims)
        rows = dims[1] if len(dims) > 1 else 1
        size = dims[0] // TYPES[used][1] * block_bytes(used) * rows
        listed.append((tensor, used, dims, offset, size))
        offset += (size + ALIGN - 1) // ALIGN * ALIGN
    pairs = metadata(name, shape)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(pairs)) + b"".join(pairs)
    for tensor, used, dims, at, _ in listed:
        head += string(tensor) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        head += struct.pack("<IQ", TYPES[used][0], at)
    head += b"\0" * (-len(head) % ALIGN)
    tiles = {}
    with open(path, "wb") as out:
        out.write(head)
        for _, used, _, _, size in listed:
            if used not in tiles:
                tiles[used] = b"".join(random_block(used, rng) for _ in range(TILE_BLOCKS))
            left = size
            while left:
                # Start each piece elsewhere in the tile, so that rows differ.
                start = rng.randrange(TILE_BLOCKS // 2) * block_bytes(used)
                piece = tiles[used][start:start + left]
                out.write(piece)
                left -= len(piece)
            out.write(b"\0" * (-size % ALIGN))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("type", choices=sorted(TYPES) + ["q4_k_m"])
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write(args.shape, args.type, args.out, args.seed)


if __name__ == "__main__":
    sys.exit(main())
