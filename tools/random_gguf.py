#!/usr/bin/env python3
"""Write a GGUF file with random weights in the shape of a real model, for timing.

    tools/random_gguf.py qwen2.5-1.5b q4_0 OUT.gguf
    tools/random_gguf.py tiny f32 OUT.gguf --arch olmo2

What weights say does not change the time they take; their number, types and shapes do. The file is
streamed: a 14B model needs no more memory than a 1B one. Only Python's standard library is used.
"""
import argparse
import math
import random
import struct
import sys
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Shape:
    arch: str
    d: int
    layers: int
    heads: int
    kv_heads: int
    d_ff: int
    n_vocab: int
    tied: bool
    base: float  # of the rope
    context: int
    head_dim: int = 0  # 0: d / heads
    more: dict = field(default_factory=dict)  # metadata behind "ARCH."

    @property
    def q(self):
        return self.heads * (self.head_dim or self.d // self.heads)

    @property
    def kv(self):
        return self.kv_heads * (self.head_dim or self.d // self.heads)


@dataclass(frozen=True)
class Arch:
    bias: bool = False  # of q, k and v
    qk_norm: str = ""  # "head": of each head of q and k; "wide": of all of them at once
    fused: bool = False  # q, k and v in one matrix, and gate and up
    norms: str = "before"  # the sublayers, or "after" them
    more: dict = field(default_factory=dict)  # metadata behind "ARCH.", unless the shape says otherwise


YARN = {
    "rope.scaling.type": "yarn",
    "rope.scaling.factor": 16.0,
    "rope.scaling.original_context_length": 16384,
    "rope.scaling.yarn_beta_fast": 32.0,
    "rope.scaling.yarn_beta_slow": 1.0,
}
MINISTRAL = {**YARN, "rope.scaling.yarn_log_multiplier": 1.0, "attention.temperature_scale": 0.1}

ARCHS = {
    "llama": Arch(),
    "mllama": Arch(more={"attention.cross_attention_layers": [1]}),
    "mistral3": Arch(),
    "qwen2": Arch(bias=True),
    "qwen3": Arch(qk_norm="head"),
    "qwen3moe": Arch(qk_norm="head"),
    "granite": Arch(more={"embedding_scale": 12.0, "residual_scale": 0.22,
                          "attention.scale": 0.015625, "logit_scale": 8.0}),
    "olmo2": Arch(qk_norm="wide", norms="after"),
    "exaone": Arch(),
    "exaone4": Arch(qk_norm="head", norms="after"),
    "hunyuan-dense": Arch(qk_norm="head"),
    "ernie4_5": Arch(),
    "phi3": Arch(fused=True, more={"attention.sliding_window": 0}),
    "smollm3": Arch(),
}


def experts(n, used, d_ff):
    return {"expert_count": n, "expert_used_count": used, "expert_feed_forward_length": d_ff}


# name: arch, d_model, layers, heads, kv heads, d_ff, vocabulary, tied output, rope base, context,
# and what is not as the architecture has it as a rule
SHAPES = {
    "qwen2.5-0.5b": Shape("qwen2", 896, 24, 14, 2, 4864, 151936, True, 1e6, 32768),
    "qwen2.5-1.5b": Shape("qwen2", 1536, 28, 12, 2, 8960, 151936, True, 1e6, 32768),
    "qwen2.5-7b": Shape("qwen2", 3584, 28, 28, 4, 18944, 152064, False, 1e6, 32768),
    "qwen2.5-14b": Shape("qwen2", 5120, 48, 40, 8, 13824, 152064, False, 1e6, 32768),
    "llama-3.2-1b": Shape("llama", 2048, 16, 32, 8, 8192, 128256, True, 5e5, 131072),
    "llama-3.2-3b": Shape("llama", 3072, 28, 24, 8, 8192, 128256, True, 5e5, 131072),
    "llama-3.2-11b-vision": Shape(
        "mllama", 4096, 40, 32, 8, 14336, 128256, False, 5e5, 131072,
        more={"attention.cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38]}),
    "ministral-3-3b": Shape("mistral3", 3072, 26, 32, 8, 9216, 131072, True, 1e6, 262144, 128,
                            MINISTRAL),
    "ministral-3-14b": Shape("mistral3", 5120, 40, 32, 8, 16384, 131072, False, 1e9, 262144, 128,
                             MINISTRAL),
    "granite-3.3-2b": Shape("granite", 2048, 40, 32, 8, 8192, 49159, True, 1e7, 131072),
    "olmo-2-1b": Shape("olmo2", 2048, 16, 16, 16, 8192, 100352, False, 5e5, 4096),
    "olmo-3-7b": Shape("olmo2", 4096, 32, 32, 32, 11008, 100278, False, 5e5, 65536, more={
        **YARN, "rope.scaling.factor": 8.0, "rope.scaling.original_context_length": 8192,
        "attention.sliding_window": 4096}),
    "exaone-3.5-2.4b": Shape("exaone", 2560, 30, 32, 8, 7168, 102400, True, 1e6, 32768),
    "exaone-4.0-1.2b": Shape("exaone4", 2048, 30, 32, 8, 4096, 102400, True, 1e6, 65536),
    "exaone-4.0-32b": Shape("exaone4", 5120, 64, 40, 8, 27392, 102400, False, 1e6, 131072, more={
        "attention.sliding_window": 4096}),
    "hunyuan-1.8b": Shape("hunyuan-dense", 2048, 32, 16, 4, 6144, 120818, True, 1.1159e7, 262144,
                          128),
    "phi-4": Shape("phi3", 5120, 40, 40, 10, 17920, 100352, False, 2.5e5, 16384),
    "smollm3-3b": Shape("smollm3", 2048, 36, 16, 4, 11008, 128256, True, 5e6, 65536),
    "ernie-4.5-0.3b": Shape("ernie4_5", 1024, 18, 16, 2, 3072, 103424, True, 5e5, 131072, 128),
    "qwen3-30b-a3b": Shape("qwen3moe", 2048, 48, 32, 4, 6144, 151936, False, 1e6, 40960, 128,
                           experts(128, 8, 768)),
    # Eight layers of it, for machines without the memory: a layer is what it is.
    "qwen3-30b-a3b-8-layers": Shape("qwen3moe", 2048, 8, 32, 4, 6144, 16384, False, 1e6, 40960,
                                    128, experts(128, 8, 768)),
    # Dense, and as large as what of those eight layers a token passes.
    "qwen3-as-8-layers": Shape("qwen3", 2048, 8, 32, 4, 6144, 16384, False, 1e6, 40960, 128),
    "smollm2-135m": Shape("llama", 576, 30, 9, 3, 1536, 49152, True, 1e5, 8192),
    "tiny": Shape("llama", 256, 4, 4, 2, 512, 512, False, 1e4, 2048),
    "tiny-moe": Shape("qwen3moe", 256, 4, 4, 2, 512, 512, False, 1e6, 2048, 64,
                      experts(8, 2, 256)),
    "tiny-yarn": Shape("llama", 256, 4, 4, 2, 512, 512, False, 1e4, 2048, more={
        **YARN, "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 512}),
    "tiny-ministral": Shape("mistral3", 256, 4, 4, 2, 512, 512, False, 1e4, 2048, more={
        **MINISTRAL, "rope.scaling.original_context_length": 8, "rope.scaling.yarn_beta_fast": 0.5,
        "rope.scaling.yarn_beta_slow": 0.01}),
    "tiny-olmo3": Shape("olmo2", 256, 4, 4, 2, 512, 512, False, 1e4, 2048, more={
        **YARN, "rope.scaling.original_context_length": 512, "attention.sliding_window": 16,
        "attention.sliding_window_pattern": [True, True, True, False]}),
    "tiny-exaone4-32b": Shape("exaone4", 128, 64, 4, 2, 256, 512, False, 1e4, 2048, more={
        "attention.sliding_window": 16,
        "attention.sliding_window_pattern": [True, True, True, False] * 16}),
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


def random_block(kind, rng, loud):
    """Weights of the size that a trained matrix has, a few hundredths, times `loud`."""
    out = b""
    for field in TYPES[kind][2]:
        if field == "f":
            out += struct.pack("<f", rng.gauss(0, 0.03 * loud))
        elif field == "b":
            out += struct.pack("<f", rng.gauss(0, 0.03 * loud))[2:]
        elif field == "h":
            plain = TYPES[kind][1] == 1
            value = rng.gauss(0, 0.03) if plain else rng.uniform(1e-4, 3e-4)
            out += struct.pack("<e", value * loud)
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
    elif isinstance(value[0], bool):
        body = struct.pack("<IIQ", 9, 7, len(value)) + bytes(value)
    elif isinstance(value[0], float):
        body = struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)
    else:
        body = struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
    return string(key) + body


def metadata(name, shape):
    arch, n_vocab = shape.arch, shape.n_vocab
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    real = min(n_vocab, QWEN_TOKENS) if arch == "qwen2" else n_vocab
    tokens += [f"t{i}" for i in range(len(tokens), real)]
    tokens += [f"[PAD{i}]" for i in range(real, n_vocab)]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (real - 259) + [UNUSED] * (n_vocab - real)
    more = {**ARCHS[arch].more, **shape.more}
    if shape.head_dim:
        for key in ("attention.key_length", "attention.value_length", "rope.dimension_count"):
            more[key] = shape.head_dim
    return [
        pair("general.architecture", arch),
        pair("general.name", f"random weights in the shape of {name}"),
        pair(f"{arch}.context_length", shape.context),
        pair(f"{arch}.embedding_length", shape.d),
        pair(f"{arch}.block_count", shape.layers),
        pair(f"{arch}.feed_forward_length", shape.d_ff),
        pair(f"{arch}.attention.head_count", shape.heads),
        pair(f"{arch}.attention.head_count_kv", shape.kv_heads),
        pair(f"{arch}.attention.layer_norm_rms_epsilon", 1e-6),
        pair(f"{arch}.rope.freq_base", shape.base),
        *(pair(f"{arch}.{key}", value) for key, value in more.items()),
        pair("tokenizer.ggml.model", "llama"),
        pair("tokenizer.ggml.tokens", tokens),
        pair("tokenizer.ggml.scores", [0.0] * n_vocab),
        pair("tokenizer.ggml.token_type", kinds),
        pair("tokenizer.ggml.bos_token_id", 1),
        pair("tokenizer.ggml.eos_token_id", 2),
        pair("tokenizer.ggml.unknown_token_id", 0),
    ]


def attention(b, shape, base, wide):
    arch, d, q, kv = ARCHS[shape.arch], shape.d, shape.q, shape.kv
    if arch.fused:
        yield b + "attn_qkv.weight", wide, (d, q + 2 * kv)
    else:
        yield b + "attn_q.weight", base, (d, q)
        yield b + "attn_k.weight", base, (d, kv)
        yield b + "attn_v.weight", wide, (d, kv)
    if arch.bias:
        yield b + "attn_q.bias", "f32", (q,)
        yield b + "attn_k.bias", "f32", (kv,)
        yield b + "attn_v.bias", "f32", (kv,)
    if arch.qk_norm:
        head = arch.qk_norm == "head"
        yield b + "attn_q_norm.weight", "f32", (q // shape.heads if head else q,)
        yield b + "attn_k_norm.weight", "f32", (kv // shape.kv_heads if head else kv,)
    yield b + "attn_output.weight", base, (q, d)


def cross_attention(b, shape, base, wide):
    """What an image is seen with."""
    d, head = shape.d, shape.q // shape.heads
    yield b + "cross_attn_q_proj.weight", base, (d, shape.q)
    yield b + "cross_attn_k_proj.weight", base, (d, shape.kv)
    yield b + "cross_attn_v_proj.weight", wide, (d, shape.kv)
    yield b + "cross_attn_o_proj.weight", base, (shape.q, d)
    yield b + "cross_attn_q_norm.weight", "f32", (head,)
    yield b + "cross_attn_k_norm.weight", "f32", (head,)
    yield b + "cross_attn_attn_gate", "f32", (1,)
    yield b + "cross_attn_mlp_gate", "f32", (1,)


def mixture(b, shape, base, wide):
    n, d_ff = shape.more["expert_count"], shape.more["expert_feed_forward_length"]
    yield b + "ffn_gate_inp.weight", "f32", (shape.d, n)
    yield b + "ffn_gate_exps.weight", base, (shape.d, d_ff, n)
    yield b + "ffn_up_exps.weight", base, (shape.d, d_ff, n)
    yield b + "ffn_down_exps.weight", wide, (d_ff, shape.d, n)


def feed_forward(b, shape, base, wide):
    if ARCHS[shape.arch].fused:
        yield b + "ffn_up.weight", base, (shape.d, 2 * shape.d_ff)
    else:
        yield b + "ffn_gate.weight", base, (shape.d, shape.d_ff)
        yield b + "ffn_up.weight", base, (shape.d, shape.d_ff)
    yield b + "ffn_down.weight", wide, (shape.d_ff, shape.d)


NORMS = {"before": ("attn_norm", "ffn_norm"), "after": ("post_attention_norm", "post_ffw_norm")}


def tensors(shape, kind):
    """(name, type, dims) with dims[0] contiguous. As in mixed K-quant files, q4_k_m keeps the output
    and half of v and down in q6_k."""
    arch, d, layers = ARCHS[shape.arch], shape.d, shape.layers
    crossed = {**arch.more, **shape.more}.get("attention.cross_attention_layers", [])
    mixed = kind == "q4_k_m"
    base = "q4_k" if mixed else kind
    rows = shape.n_vocab + (8 if crossed else 0)  # the image's token and what pads it to eight
    tied = shape.tied and not crossed
    yield "token_embd.weight", "q6_k" if mixed and tied else base, (d, rows)
    if not tied:
        yield "output.weight", "q6_k" if mixed else base, (d, shape.n_vocab)
    yield "output_norm.weight", "f32", (d,)
    for i in range(layers):
        b = f"blk.{i}."
        better = mixed and (i < layers // 8 or i >= 7 * layers // 8 or i % 3 == 2)
        wide = "q6_k" if better else base
        for norm in NORMS[arch.norms]:
            yield f"{b}{norm}.weight", "f32", (d,)
        yield from (cross_attention if i in crossed else attention)(b, shape, base, wide)
        yield from (mixture if "expert_count" in shape.more else feed_forward)(b, shape, base, wide)


def fitting(kind, dims):
    """Rows that are no multiple of a super-block fall back, as quantisers do."""
    if dims[0] % TYPES[kind][1] == 0:
        return kind
    return {"q2_k": "q4_0", "q3_k": "q4_0", "q4_k": "q5_0", "q5_k": "q5_1", "q6_k": "q8_0",
            "iq4_xs": "iq4_nl"}[kind]


def vector(name, n, rng):
    """Norms are about 1, whatever else is a vector about 0."""
    middle = 1 if "norm" in name else 0
    return struct.pack(f"<{n}f", *(rng.gauss(middle, 0.2) for _ in range(n)))


def write(name, shape, kind, path, seed):
    rng = random.Random(seed)
    listed = []
    offset = 0
    for tensor, wanted, dims in tensors(shape, kind):
        used = fitting(wanted, dims)
        rows = math.prod(dims[1:])
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
        for tensor, used, dims, _, size in listed:
            if len(dims) == 1:
                out.write(vector(tensor, dims[0], rng) + b"\0" * (-size % ALIGN))
                continue
            # What a token says must outweigh what attention adds, or a router would treat all
            # tokens alike, and few experts would have rows.
            loud = 1000 if tensor == "token_embd.weight" and "expert_count" in shape.more else 1
            if (used, loud) not in tiles:
                tiles[used, loud] = b"".join(
                    random_block(used, rng, loud) for _ in range(TILE_BLOCKS))
            left = size
            while left:
                # Start each piece elsewhere in the tile, so that rows differ.
                start = rng.randrange(TILE_BLOCKS // 2) * block_bytes(used)
                piece = tiles[used, loud][start:start + left]
                out.write(piece)
                left -= len(piece)
            out.write(b"\0" * (-size % ALIGN))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("type", choices=sorted(TYPES) + ["q4_k_m"])
    parser.add_argument("out")
    parser.add_argument("--arch", choices=sorted(ARCHS), help="another architecture of this shape")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    shape = SHAPES[args.shape]
    if args.arch:
        shape = replace(shape, arch=args.arch)
    write(args.shape, shape, args.type, args.out, args.seed)


if __name__ == "__main__":
    sys.exit(main())
