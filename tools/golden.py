#!/usr/bin/env python3
"""Write the small golden models of tests/golden: random weights, and the exact logits of a short text.

    tools/golden.py tests/golden           write NAME.gguf and NAME.logits.f32
    tools/golden.py --check tests/golden   compute anew from the files' own bytes and compare

The logits are computed in float64 from the dequantised weights, by the definitions of the
architectures and of the block formats and by nothing of ead: what the forward pass is held against must
not share its mistakes. Logits are positions x vocabulary, little-endian float32; the tokens are in the
file, as `golden.tokens`. Only Python's standard library is used.
"""
import argparse
import math
import os
import random
import struct
import sys

from random_gguf import ALIGN, TYPES, pair, string

POSITIONS = 24
EPSILON = 1e-5

# arch, type of the matrices, d_model, layers, heads, kv heads, head_dim, d_ff, vocabulary, tied
# output, rope base, rope_freqs tensor, further metadata. Shapes are uneven on purpose: heads that are
# shared by three, head_dim unequal to d_model / heads, windows shorter than the text.
MODELS = {
    "llama-f32": ("llama", "f32", 48, 2, 3, 1, 16, 80, 96, False, 1e4, True, {}),
    "qwen2-q8_0": ("qwen2", "q8_0", 64, 2, 4, 2, 16, 96, 96, True, 1e6, False, {}),
    "qwen2-q4_0": ("qwen2", "q4_0", 64, 2, 4, 2, 16, 96, 96, True, 1e6, False, {}),
    "qwen3-f32": ("qwen3", "f32", 40, 2, 2, 1, 32, 72, 96, True, 1e6, False, {}),
    "qwen3-q4_k": ("qwen3", "q4_k", 256, 1, 4, 2, 64, 256, 96, False, 1e6, False, {}),
    "gemma2-f32": ("gemma2", "f32", 32, 3, 2, 1, 24, 48, 96, True, 1e4, False,
                   {"attention.sliding_window": 6, "attn_logit_softcapping": 2.0,
                    "final_logit_softcapping": 1.5}),
    "gemma3-q8_0": ("gemma3", "q8_0", 32, 7, 2, 1, 32, 64, 96, True, 1e6, False,
                    {"attention.sliding_window": 6}),
}

# Of so many layers in turn all but the last see a window; and the layers of the largest model, which
# scales scores by d_model / heads in place of head_dim.
WINDOWED = {"gemma2": (2, 46), "gemma3": (6, 62)}


# ---- blocks: random bytes of a wanted spread, and what they mean ----------------------------------

def half(x):
    return struct.pack("<e", x)


def halves(data, at, n):
    return struct.unpack_from(f"<{n}e", data, at)


def encode_f32(spread, rng):
    return struct.pack("<f", rng.gauss(0, spread))


def decode_f32(b):
    return list(struct.unpack("<f", b))


def encode_q8_0(spread, rng):
    return half(spread * rng.uniform(0.7, 1.3) / 73) + rng.randbytes(32)


def decode_q8_0(b):
    (d,) = halves(b, 0, 1)
    return [d * q for q in struct.unpack_from("<32b", b, 2)]


def encode_q4_0(spread, rng):
    return half(spread * rng.uniform(0.7, 1.3) / 4.6) + rng.randbytes(16)


def decode_q4_0(b):
    (d,) = halves(b, 0, 1)
    return [d * ((q & 15) - 8) for q in b[2:18]] + [d * ((q >> 4) - 8) for q in b[2:18]]


def encode_q4_k(spread, rng):
    """Minima about half of the scales' reach below zero, so that weights are around it."""
    d = spread / (4.6 * 40)
    scales = [rng.randrange(16, 64) for _ in range(8)]
    minima = [max(0, min(63, s + rng.randrange(-6, 7))) for s in scales]
    packed = [scales[i] | (scales[i + 4] >> 4) << 6 for i in range(4)]
    packed += [minima[i] | (minima[i + 4] >> 4) << 6 for i in range(4)]
    packed += [(scales[i + 4] & 15) | (minima[i + 4] & 15) << 4 for i in range(4)]
    return half(d) + half(7.5 * d) + bytes(packed) + rng.randbytes(128)


def decode_q4_k(b):
    d, dmin = halves(b, 0, 2)
    packed, nibbles = b[4:16], b[16:144]
    out = []
    for j in range(8):
        if j < 4:
            scale, least = packed[j] & 63, packed[j + 4] & 63
        else:
            scale = packed[j + 4] & 15 | packed[j - 4] >> 6 << 4
            least = packed[j + 4] >> 4 | packed[j] >> 6 << 4
        part = nibbles[32 * (j // 2):32 * (j // 2) + 32]
        out += [d * scale * (q >> 4 if j % 2 else q & 15) - dmin * least for q in part]
    return out


ENCODE = {"f32": encode_f32, "q8_0": encode_q8_0, "q4_0": encode_q4_0, "q4_k": encode_q4_k}
DECODE = {"f32": decode_f32, "q8_0": decode_q8_0, "q4_0": decode_q4_0, "q4_k": decode_q4_k}
BLOCK_BYTES = {"f32": 4, "q8_0": 34, "q4_0": 18, "q4_k": 144}


# ---- the file ---------------------------------------------------------------------------------

def tensor_list(model):
    """(name, type, columns, rows, spread); a spread below 0 means around 1, for norms."""
    arch, kind, d, layers, heads, kv_heads, head_dim, d_ff, n_vocab, tied, _, freqs, _ = model
    q, kv = heads * head_dim, kv_heads * head_dim
    yield "token_embd.weight", kind, d, n_vocab, 1 / math.sqrt(d) if tied else 1
    yield "output_norm.weight", "f32", d, 1, -0.3
    if not tied:
        yield "output.weight", kind, d, n_vocab, 2 / math.sqrt(d)
    if freqs:
        yield "rope_freqs.weight", "f32", head_dim // 2, 1, -0.2
    for i in range(layers):
        b = f"blk.{i}."
        yield b + "attn_norm.weight", "f32", d, 1, -0.3
        for name, n in (("q", q), ("k", kv), ("v", kv)):
            yield f"{b}attn_{name}.weight", kind, d, n, 1.4 / math.sqrt(d)
            if arch == "qwen2":
                yield f"{b}attn_{name}.bias", "f32", n, 1, 0.5
        if arch in ("qwen3", "gemma3"):
            yield b + "attn_q_norm.weight", "f32", head_dim, 1, -0.3
            yield b + "attn_k_norm.weight", "f32", head_dim, 1, -0.3
        yield b + "attn_output.weight", kind, q, d, 1 / math.sqrt(q)
        if arch in WINDOWED:
            yield b + "post_attention_norm.weight", "f32", d, 1, -0.3
            yield b + "post_ffw_norm.weight", "f32", d, 1, -0.3
        yield b + "ffn_norm.weight", "f32", d, 1, -0.3
        yield b + "ffn_gate.weight", kind, d, d_ff, 1.4 / math.sqrt(d)
        yield b + "ffn_up.weight", kind, d, d_ff, 1.4 / math.sqrt(d)
        yield b + "ffn_down.weight", kind, d_ff, d, 1 / math.sqrt(d_ff)


def random_tensor(kind, columns, rows, spread, rng):
    if spread < 0:
        return b"".join(struct.pack("<f", 1 + rng.uniform(spread, -spread)) for _ in range(columns))
    blocks = columns // TYPES[kind][1] * rows
    return b"".join(ENCODE[kind](spread, rng) for _ in range(blocks))


def metadata(name, model, tokens):
    arch, _, d, layers, heads, kv_heads, head_dim, d_ff, n_vocab, _, base, _, more = model
    texts = ["<unk>", "<s>", "</s>"] + [f"t{i}" for i in range(3, n_vocab)]
    return [
        pair("general.architecture", arch),
        pair("general.name", f"random weights with golden logits: {name}"),
        pair("golden.tokens", tokens),
        pair(f"{arch}.context_length", 64),
        pair(f"{arch}.embedding_length", d),
        pair(f"{arch}.block_count", layers),
        pair(f"{arch}.feed_forward_length", d_ff),
        pair(f"{arch}.attention.head_count", heads),
        pair(f"{arch}.attention.head_count_kv", kv_heads),
        pair(f"{arch}.attention.key_length", head_dim),
        pair(f"{arch}.attention.value_length", head_dim),
        pair(f"{arch}.attention.layer_norm_rms_epsilon", EPSILON),
        pair(f"{arch}.rope.freq_base", base),
        *[pair(f"{arch}.{key}", value) for key, value in more.items()],
        pair("tokenizer.ggml.model", "llama"),
        pair("tokenizer.ggml.tokens", texts),
        pair("tokenizer.ggml.scores", [-float(i) for i in range(n_vocab)]),
        pair("tokenizer.ggml.token_type", [2, 3, 3] + [1] * (n_vocab - 3)),
        pair("tokenizer.ggml.bos_token_id", 1),
        pair("tokenizer.ggml.eos_token_id", 2),
        pair("tokenizer.ggml.unknown_token_id", 0),
    ]


def file_bytes(name, model, tokens, rng):
    listed = [(n, kind, columns, rows, random_tensor(kind, columns, rows, spread, rng))
              for n, kind, columns, rows, spread in tensor_list(model)]
    pairs = metadata(name, model, tokens)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(pairs)) + b"".join(pairs)
    data = b""
    for tensor, kind, columns, rows, body in listed:
        dims = (columns,) if rows == 1 else (columns, rows)
        head += string(tensor) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        head += struct.pack("<IQ", TYPES[kind][0], len(data))
        data += body + b"\0" * (-len(body) % ALIGN)
    return head + b"\0" * (-len(head) % ALIGN) + data


def weights(model, data):
    """Every tensor as rows of floats, read back from the end of the file."""
    bodies, at = {}, 0
    for name, kind, columns, rows, _ in tensor_list(model):
        size = columns // TYPES[kind][1] * rows * BLOCK_BYTES[kind]
        bodies[name] = (kind, columns, at, size)
        at += (size + ALIGN - 1) // ALIGN * ALIGN
    base, out = len(data) - at, {}
    for name, (kind, columns, at, size) in bodies.items():
        body, step, flat = data[base + at:base + at + size], BLOCK_BYTES[kind], []
        for i in range(0, size, step):
            flat += DECODE[kind](body[i:i + step])
        out[name] = [flat[i:i + columns] for i in range(0, len(flat), columns)]
    return out


# ---- the forward pass ---------------------------------------------------------------------------

def product(matrix, x):
    return [math.fsum(a * b for a, b in zip(row, x)) for row in matrix]


def norm(x, gain):
    epsilon = struct.unpack("<f", struct.pack("<f", EPSILON))[0]
    scale = 1 / math.sqrt(math.fsum(v * v for v in x) / len(x) + epsilon)
    return [v * scale * g for v, g in zip(x, gain)]


def rotate(head, pos, arch, base, factors):
    """llama turns neighbours, (0, 1), (2, 3), ...; others turn halves, (0, n/2), (1, n/2 + 1), ..."""
    n, out = len(head), list(head)
    for i in range(n // 2):
        a, b = (2 * i, 2 * i + 1) if arch == "llama" else (i, i + n // 2)
        angle = pos * base ** (-2 * i / n) / (factors[i] if factors else 1)
        c, s = math.cos(angle), math.sin(angle)
        out[a], out[b] = head[a] * c - head[b] * s, head[a] * s + head[b] * c
    return out


def window_of(model, layer):
    """How many positions a layer sees, or None for all."""
    period = WINDOWED.get(model[0], (1, 0))[0]
    return None if layer % period == period - 1 else model[12]["attention.sliding_window"]


def capped(x, cap):
    return cap * math.tanh(x / cap) if cap else x


def attend(model, query, keys, values):
    arch, d, layers, heads = model[0], model[2], model[3], model[4]
    shared = arch in WINDOWED and layers == WINDOWED[arch][1]
    scale = math.sqrt(d // heads if shared else len(query))
    cap = model[12].get("attn_logit_softcapping")
    scores = [capped(math.fsum(a * b for a, b in zip(query, k)) / scale, cap) for k in keys]
    top = max(scores)
    parts = [math.exp(s - top) for s in scores]
    total = math.fsum(parts)
    return [math.fsum(p * v[i] for p, v in zip(parts, values)) / total for i in range(len(query))]


def heads_of(model, w, layer, name, x, pos):
    """The heads of q or k, normed and turned, or of v."""
    arch, head_dim, base = model[0], model[6], model[10]
    b = f"blk.{layer}.attn_{name}"
    y = product(w[b + ".weight"], x)
    if b + ".bias" in w:
        y = [u + v for u, v in zip(y, w[b + ".bias"][0])]
    heads = [y[i:i + head_dim] for i in range(0, len(y), head_dim)]
    if name == "v":
        return heads
    if b + "_norm.weight" in w:
        heads = [norm(h, w[b + "_norm.weight"][0]) for h in heads]
    if arch == "gemma3" and window_of(model, layer):
        base = 10000
    factors = w.get("rope_freqs.weight", [None])[0]
    return [rotate(h, pos, arch, base, factors) for h in heads]


def activated(arch, x):
    if arch not in WINDOWED:
        return x / (1 + math.exp(-x))
    return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def feed(model, w, layer, x):
    b = f"blk.{layer}.ffn_"
    gate, up = product(w[b + "gate.weight"], x), product(w[b + "up.weight"], x)
    return product(w[b + "down.weight"], [activated(model[0], g) * u for g, u in zip(gate, up)])


def join(w, x, y, post):
    """What a sublayer adds to the stream, normed where the model has a norm for it."""
    if post in w:
        y = norm(y, w[post][0])
    return [a + b for a, b in zip(x, y)]


def logits_of(model, w, tokens):
    arch, d, layers, heads, kv_heads = model[0], model[2], model[3], model[4], model[5]
    cache = [([], []) for _ in range(layers)]
    out = []
    for pos, token in enumerate(tokens):
        size = math.sqrt(d) if arch in WINDOWED else 1
        x = [size * v for v in w["token_embd.weight"][token]]
        for i, (keys, values) in enumerate(cache):
            b = f"blk.{i}."
            y = norm(x, w[b + "attn_norm.weight"][0])
            keys.append(heads_of(model, w, i, "k", y, pos))
            values.append(heads_of(model, w, i, "v", y, pos))
            first = max(0, pos + 1 - (window_of(model, i) or pos + 1))
            mixed = []
            for h, query in enumerate(heads_of(model, w, i, "q", y, pos)):
                g = h // (heads // kv_heads)
                mixed += attend(model, query, [k[g] for k in keys[first:]],
                                [v[g] for v in values[first:]])
            y = product(w[b + "attn_output.weight"], mixed)
            x = join(w, x, y, b + "post_attention_norm.weight")
            y = norm(x, w[b + "ffn_norm.weight"][0])
            x = join(w, x, feed(model, w, i, y), b + "post_ffw_norm.weight")
        y = norm(x, w["output_norm.weight"][0])
        y = product(w.get("output.weight", w["token_embd.weight"]), y)
        out += [capped(v, model[12].get("final_logit_softcapping")) for v in y]
    return struct.pack(f"<{len(out)}f", *out)


def alike(a, b):
    """But for the last bit, which another machine's cosine may change."""
    return len(a) == len(b) and all(math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-6)
                                    for (x,), (y,) in zip(struct.iter_unpack("<f", a),
                                                          struct.iter_unpack("<f", b)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    bad = 0
    for number, (name, model) in enumerate(MODELS.items()):
        rng = random.Random(number + 1)
        tokens = [1] + [rng.randrange(3, model[8]) for _ in range(POSITIONS - 1)]
        path = os.path.join(args.folder, name)
        if not args.check:
            with open(path + ".gguf", "wb") as out:
                out.write(file_bytes(name, model, tokens, rng))
        with open(path + ".gguf", "rb") as source:
            logits = logits_of(model, weights(model, source.read()), tokens)
        if not args.check:
            with open(path + ".logits.f32", "wb") as out:
                out.write(logits)
            continue
        with open(path + ".logits.f32", "rb") as source:
            if not alike(source.read(), logits):
                print(f"{path}.logits.f32: these are not the logits of {name}.gguf", file=sys.stderr)
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
