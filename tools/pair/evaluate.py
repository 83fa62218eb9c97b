#!/usr/bin/env python3
"""Measures the pair on a held-out set by greedy decoding: accuracy, entropy, how often the
models disagree, and what switching gives.

    evaluate.py --out DIR --set calibration --count 200            each model by level and subject
    evaluate.py --out DIR --set calibration --count 200 --switch   adaptive decoding against chance

Disagreement: the share of positions of a text at which the two models' best tokens differ, teacher-forced on
the greedy texts of either.

This is the recipe's own check. The product's evaluation is `ead eval`.
"""
import argparse
import math
import os
import sys
from collections import defaultdict

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from generate import SIZES, held_out  # noqa: E402
from model import Cache, Config, Model  # noqa: E402
from tokenizer import Tokenizer, prompt  # noqa: E402

LIMIT = 330  # tokens of a solution; the longest worked solution has about 320
WINDOW, DWELL = 5, 10
THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
SEEDS = (0, 1)  # of switching by chance


def load_model(path):
    state = torch.load(path, map_location="cpu")
    model = Model(Config(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval(), state


def entropy_bits(logits):
    p = torch.log_softmax(logits.double(), -1)
    return -(p.exp() * p).sum(-1) / math.log(2)


def pad_left(prompts):
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    return ids, torch.tensor([longest - len(p) for p in prompts])


class Always:
    """One model writes everything."""

    def __init__(self, index, count):
        self.active = torch.full((count,), index)

    def observe(self, entropy):
        pass


class Switching:
    """A model writes at least DWELL tokens, then `wants` says who is next. 0 is small, 1 is large."""

    def __init__(self, count):
        self.active = torch.zeros(count, dtype=torch.long)
        self.since = torch.zeros(count, dtype=torch.long)
        self.history = []
        self.eligible, self.moves = [0, 0], [0, 0]  # by the model that writes

    def observe(self, entropy, live):
        self.history = (self.history + [entropy])[-WINDOW:]
        self.since += 1
        wanted = torch.where(self.since >= DWELL, self.wants(), self.active)
        for model in (0, 1):
            mine = live & (self.active == model) & (self.since >= DWELL)
            self.eligible[model] += int(mine.sum())
            self.moves[model] += int((mine & (wanted != model)).sum())
        self.since = torch.where(wanted != self.active, 0, self.since)
        self.active = wanted


class Adaptive(Switching):
    def __init__(self, count, threshold):
        super().__init__(count)
        self.threshold = threshold

    def wants(self):
        return (torch.stack(self.history).mean(0) > self.threshold).long()


class Chance(Switching):
    """Switches as often as an adaptive run did, at random moments: equal share, equal dwell."""

    def __init__(self, count, adaptive, seed):
        super().__init__(count)
        self.rate = torch.tensor([m / max(1, e) for m, e in zip(adaptive.moves, adaptive.eligible)])
        self.random = torch.Generator().manual_seed(seed)

    def wants(self):
        jump = torch.rand(len(self.active), generator=self.random) < self.rate[self.active]
        return torch.where(jump, 1 - self.active, self.active)


@torch.no_grad()
def decode(models, prompts, policy):
    """Greedy. Every model follows the text; the policy's active one writes. Returns a list of texts' ids,
    the entropies of the writer and the share of tokens that the second model wrote."""
    ids, padding = pad_left(prompts)
    caches = [Cache(m, padding, ids.shape[1] + LIMIT) for m in models]
    rows, live = ids, torch.ones(len(prompts), dtype=torch.bool)
    out, entropies, writers = [], [], []
    for _ in range(LIMIT):
        logits = torch.stack([m.logits(m.hidden(rows, c)[:, -1]) for m, c in zip(models, caches)])
        active = policy.active.clone()
        mine = logits[active, torch.arange(len(prompts))]
        tokens, entropy = torch.where(live, mine.argmax(-1), 0), entropy_bits(mine)
        out.append(tokens)
        entropies.append(torch.where(live, entropy, torch.nan))
        writers.append(torch.where(live, active, -1))
        live = live & (tokens != 0)
        if not live.any():
            break
        if isinstance(policy, Switching):
            policy.observe(entropy, live)
        rows = tokens[:, None]
    writers = torch.stack(writers, 1)
    share = float((writers == 1).sum() / (writers >= 0).sum())
    return [strip(row) for row in torch.stack(out, 1).tolist()], torch.stack(entropies, 1), share


def strip(ids):
    return ids[:ids.index(0)] if 0 in ids else ids


def boxed(text):
    """What the last \\boxed{} holds."""
    at = text.rfind(r"\boxed{")
    if at < 0:
        return None
    depth, start = 1, at + len(r"\boxed{")
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return None


class Bench:
    """A held-out sample and the two models."""

    def __init__(self, directory, split, count):
        self.tokenizer = Tokenizer.load(os.path.join(directory, "vocab.json"))
        self.problems = held_out(split, SIZES[split])[:count]
        self.prompts = [self.tokenizer.encode(prompt(p["problem"])) for p in self.problems]

    def run(self, models, make_policy, batch=100):
        """right (a list of booleans), entropies and share, over all problems."""
        right, entropies, shares = [], [], []
        for i in range(0, len(self.prompts), batch):
            part = self.prompts[i:i + batch]
            policy = make_policy(len(part))
            texts, entropy, share = decode(models, part, policy)
            entropies.append(entropy.flatten()[~entropy.flatten().isnan()])
            shares.append((share, entropies[-1].numel(), policy))
            for ids, problem in zip(texts, self.problems[i:]):
                right.append(boxed(self.tokenizer.decode(ids)) == boxed(problem["solution"]))
        tokens = sum(n for _, n, _ in shares)
        return right, torch.cat(entropies), sum(s * n for s, n, _ in shares) / tokens, [p for *_, p in shares]

    @torch.no_grad()
    def best_tokens(self, model, texts, batch=50):
        """The model's best token at every position of solutions that others wrote."""
        best = []
        for i in range(0, len(texts), batch):
            heads = self.prompts[i:i + batch]
            rows = [head + text for head, text in zip(heads, texts[i:i + batch])]
            longest = max(map(len, rows))
            ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
            choice = model.logits(model.hidden(ids)).argmax(-1).tolist()
            best += [c[len(head) - 1:len(row)] for c, head, row in zip(choice, heads, rows)]
        return best

    def table(self, right, key):
        groups = defaultdict(list)
        for ok, problem in zip(right, self.problems):
            groups[problem[key]].append(ok)
        return "  ".join(f"{name} {percent(oks)}" for name, oks in sorted(groups.items()))


def percent(oks):
    return f"{100 * sum(oks) / len(oks):.1f}"


def measure_alone(bench, name, model):
    right, entropy, _, _ = bench.run([model], lambda n: Always(0, n))
    marks = torch.quantile(entropy, torch.tensor([0.5, 0.75, 0.9, 0.95, 0.99], dtype=torch.float64))
    print(f"{name}: {percent(right)} % of {len(right)}, {len(entropy) / len(right):.0f} tokens a solution")
    for key in ("level", "type", "task"):
        print(f"  by {key}: {bench.table(right, key)}")
    print(f"  entropy (bits): mean {entropy.mean():.3f}, 50/75/90/95/99 % "
          + "/".join(f"{m:.3f}" for m in marks.tolist()), flush=True)


def measure_disagreement(bench, models):
    for name, writer in models.items():
        texts = [ids for i in range(0, len(bench.prompts), 100)
                 for ids in decode([writer], bench.prompts[i:i + 100], Always(0, len(bench.prompts[i:i + 100])))[0]]
        first, second = (bench.best_tokens(m, texts) for m in models.values())
        differ = {True: [], False: []}  # by whether the position is inside $...$
        for text, a, b in zip(texts, first, second):
            inside = False
            for x, y, token in zip(a, b, text + [0]):
                differ[inside].append(x != y)
                inside ^= bench.tokenizer.dollars[token] % 2 == 1
        both = differ[True] + differ[False]
        print(f"on the greedy texts of {name}: the models disagree at {percent(both)} % of {len(both)} tokens, "
              f"{percent(differ[True])} % inside $...$, {percent(differ[False])} % outside", flush=True)


def measure_switching(bench, small, large, thresholds):
    pair = [small, large]
    for threshold in thresholds:
        right, _, share, policies = bench.run(pair, lambda n: Adaptive(n, threshold))
        total = policies[0]
        for p in policies[1:]:
            for model in (0, 1):
                total.moves[model] += p.moves[model]
                total.eligible[model] += p.eligible[model]
        by_chance = [bench.run(pair, lambda n: Chance(n, total, seed))[::2] for seed in SEEDS]
        chance = sum(sum(r) for r, _ in by_chance) / (len(SEEDS) * len(right))
        print(f"tau {threshold}: share {share:.3f}, right {percent(right)} %; at random: share "
              f"{sum(s for _, s in by_chance) / len(SEEDS):.3f}, right {100 * chance:.1f} %", flush=True)


def newest(directory, name):
    """The finished weights when there are some, else the last checkpoint."""
    final = os.path.join(directory, f"{name}.final.pt")
    return final if os.path.exists(final) else os.path.join(directory, f"{name}.pt")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="directory of vocabulary and checkpoints")
    parser.add_argument("--set", default="calibration", choices=SIZES)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--switch", action="store_true")
    parser.add_argument("--tau", type=float, nargs="+", default=THRESHOLDS, help="thresholds in bits")
    parser.add_argument("--only", choices=("small", "large"))
    parser.add_argument("--stable", action="store_true", help="the last checkpoint, not the finished weights")
    args = parser.parse_args()
    bench = Bench(args.out, args.set, args.count)
    models = {}
    for name in [args.only] if args.only else ["small", "large"]:
        path = os.path.join(args.out, f"{name}.pt") if args.stable else newest(args.out, name)
        models[name], state = load_model(path)
        print(f"{path}: step {state['step']}, {state['tokens'] / 1e6:.1f} M tokens, "
              f"{state['seconds'] / 60:.0f} min")
        measure_alone(bench, name, models[name])
    if len(models) == 2:
        measure_disagreement(bench, models)
    if args.switch:
        measure_switching(bench, models["small"], models["large"], args.tau)


if __name__ == "__main__":
    main()
