"""Muon for the matrices inside the blocks, AdamW for the rest, one schedule for both.

Muon replaces a matrix's averaged gradient by the nearest (nearly) orthogonal matrix. The
scale is that of AdamW's updates, so one learning rate serves both.
"""
import torch

QUINTIC = (3.4445, -4.7750, 2.0315)  # drives singular values towards 1 in five rounds


def orthogonalise(matrices):
    """A batch of matrices, each replaced by (nearly) U V^T of its singular value decomposition."""
    x = matrices.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    a, b, c = QUINTIC
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, named, rate, momentum=0.95, decay=0.01):
        super().__init__([p for _, p in named], dict(lr=rate, momentum=momentum, decay=decay))
        self.parts = {p: 3 if "qkv" in n else 2 if "gate_up" in n else 1 for n, p in named}

    def step(self, map):
        for group in self.param_groups:
            list(map(lambda p: self.update(p, group), group["params"]))

    @torch.no_grad()
    def update(self, p, group):
        state = self.state[p]
        if not state:
            state["mean"] = torch.zeros_like(p)
        state["mean"].lerp_(p.grad, 1 - group["momentum"])
        ahead = p.grad.lerp(state["mean"], group["momentum"])
        # q, k and v (gate and up) share a tensor and are still separate matrices.
        matrices = ahead.view(self.parts[p], -1, p.shape[1])
        scale = 0.2 * max(matrices.shape[-2:]) ** 0.5
        p.mul_(1 - group["lr"] * group["decay"])
        p.add_(orthogonalise(matrices).reshape(p.shape), alpha=-group["lr"] * scale)


class Optimiser:
    """Both optimisers behind one interface."""

    def __init__(self, model, rate):
        named = list(model.named_parameters())
        inner = [(n, p) for n, p in named if p.ndim == 2 and n.startswith("blocks")]
        chosen = {id(p) for _, p in inner}
        rest = [p for _, p in named if id(p) not in chosen]
        self.rate = rate
        self.members = [Muon(inner, rate), torch.optim.AdamW(rest, rate, betas=(0.9, 0.98), weight_decay=0.0)]

    def step(self, factor, map):
        """`map` may work on several matrices at once."""
        for member in self.members:
            for group in member.param_groups:
                group["lr"] = self.rate * factor
        self.members[0].step(map)
        self.members[1].step()
        for member in self.members:
            member.zero_grad(set_to_none=True)

    def state_dict(self):
        return [m.state_dict() for m in self.members]

    def load_state_dict(self, states):
        for member, state in zip(self.members, states):
            member.load_state_dict(state)
