"""The pair's architecture: GGUF's `llama` (RMSNorm, rotary positions, SwiGLU), with tied embeddings.

Attention is written out: on a CPU, and for texts of a hundred tokens, that trains twice as fast as the
fused kernel. Rotary pairs are (i, i + half) here, which is faster, too; export.py reorders the rows of q
and k into the adjacent pairs of GGUF's `llama`.
"""
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocabulary: int
    width: int
    layers: int
    heads: int
    hidden: int
    context: int = 512
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    def to_dict(self):
        return asdict(self)


# Rows of every matrix are multiples of 32 (Q8_0's block); the large model's also of 256 (K-quants).
SHAPES = {"large": dict(width=256, layers=6, heads=4, hidden=768),
          "small": dict(width=64, layers=2, heads=2, hidden=64)}


def rotations(config):
    """cos and sin by position and pair."""
    size = config.width // config.heads
    frequency = config.rope_base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angle = torch.outer(torch.arange(config.context, dtype=torch.float64), frequency)
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)


def attend(q, k, v, mask):
    """mask is added to the scores: 0 or -inf."""
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask
    return torch.softmax(scores, -1) @ v


def causal_mask(size, like):
    return torch.full((size, size), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


class Cache:
    """Keys and values of a batch of texts that end together; shorter ones are padded on the left."""

    def __init__(self, model, padding, size):
        c = model.config
        zeros = torch.zeros(padding.shape[0], c.heads, size, c.width // c.heads)
        self.keys = [zeros.clone() for _ in range(c.layers)]
        self.values = [zeros.clone() for _ in range(c.layers)]
        self.padding, self.length = padding, 0  # how many leading positions of each text are padding

    def extend(self, layer, k, v):
        end = self.length + k.shape[2]
        self.keys[layer][:, :, self.length:end] = k
        self.values[layer][:, :, self.length:end] = v
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def mask(self, rows):
        key = torch.arange(self.length + rows)
        hidden = (key[None, :] > torch.arange(self.length, self.length + rows)[:, None])[None]
        hidden = hidden | (key[None, None, :] < self.padding[:, None, None])
        # A padding row sees at least itself, or its softmax would be 0/0.
        hidden = hidden & (key[None, :] != torch.arange(self.length, self.length + rows)[:, None])[None]
        return torch.zeros(hidden.shape).masked_fill(hidden, float("-inf"))[:, None]


class Block(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        d, h = config.width, config.hidden
        self.layer, self.heads, self.epsilon = layer, config.heads, config.epsilon
        self.attn_norm, self.ffn_norm = (nn.Parameter(torch.ones(d)) for _ in range(2))
        # One matrix for q, k, v and one for gate and up: fewer, larger products.
        self.qkv, self.attn_output = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.gate_up, self.ffn_down = nn.Linear(d, 2 * h, bias=False), nn.Linear(h, d, bias=False)

    def forward(self, x, cos, sin, mask, cache=None):
        b, t, d = x.shape
        y = F.rms_norm(x, (d,), self.attn_norm.to(x.dtype), self.epsilon)
        q, k, v = self.qkv(y).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)
        x = x + self.attn_output(attend(q, k, v, mask).transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(F.rms_norm(x, (d,), self.ffn_norm.to(x.dtype), self.epsilon)).chunk(2, -1)
        return x + self.ffn_down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(config.layers))
        self.output_norm = nn.Parameter(torch.ones(config.width))
        cos, sin = rotations(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise()

    def initialise(self):
        for name, p in self.named_parameters():
            if p.ndim == 2:
                # Outputs into the residual stream start small, so that depth does not enlarge it.
                narrow = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(p, std=0.02 / (2 * self.config.layers) ** 0.5 if narrow else 0.02)

    def hidden(self, ids, cache=None):
        t = ids.shape[1]
        start = 0 if cache is None else cache.length
        x = self.token_embd(ids)
        cos, sin = self.cos[start:start + t].to(x.dtype), self.sin[start:start + t].to(x.dtype)
        mask = causal_mask(t, x) if cache is None else cache.mask(t)
        for block in self.blocks:
            x = block(x, cos, sin, mask, cache)
        if cache is not None:
            cache.length += t
        return F.rms_norm(x, (self.config.width,), self.output_norm.to(x.dtype), self.config.epsilon)

    def logits(self, hidden):
        return F.linear(hidden, self.token_embd.weight.to(hidden.dtype))

    def parameter_count(self):
        return sum(p.numel() for p in self.parameters())
