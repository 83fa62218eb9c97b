#!/usr/bin/env python3
"""remote_sim.py: what a pair with models behind an API writes at, and what its switches cost.

    remote_sim.py check POINTS.jsonl ...                 beside what tools/remote_bench.py measured
    remote_sim.py switch|speed|stops [--NAME VALUE ...]  the tables of docs/SCALE.md

A text is followed turn by turn: the requests that `ead` makes (src/remote/engine.c), the round trip of
each, what the server's cache of prefixes does not hold, connections that are closed and opened. Times
of the models are given; the defaults are assumptions about 7B and 70B on GPUs, not measurements.
Standard library alone.
"""

import argparse
import dataclasses
import json
import math
import random
import statistics

AHEAD, HELD = 32, 256  # WIRE_AHEAD and WIRE_HELD_MAX of src/remote/wire.h
WINDOW = 14600         # bytes that a connection that was idle sends before it hears of them (RFC 6928);
GROWTH = 1.5           # what it then may send in each round trip, by far_link.py on Linux
MODELS = ("small", "large")


@dataclasses.dataclass
class Model:
    """Times in seconds."""
    token: float          # of one token after another
    read: float = 0.0     # of a further token of a pass that reads several
    far: bool = True      # behind an API; else at hand, and all below is nothing
    rtt: float = 0.0      # round trip
    request: float = 0.0  # what each request costs at the server, beside its tokens
    block: int = 1        # tokens of a block of the server's cache of prefixes; 0: it has none
    id_bytes: float = 6.0 # of a request, for each token of the prefix


def pair_of(told):
    """{"small": Model, "large": Model} of what a line of JSON holds."""
    return {who: Model(**told[who]) for who in MODELS}


def known(model, held, prefix):
    """Tokens of a prefix that need not be read: whole blocks of what was there before, and never the
    last one, whose successor is wanted."""
    return min(held, prefix - 1) // model.block * model.block if model.block else 0


def trips(model, prefix):
    """Round trips of a request: what TCP sends in one grows from little wherever it was idle."""
    return max(1, math.ceil(math.log(prefix * model.id_bytes * (GROWTH - 1) / WINDOW + 1, GROWTH)))


def asks(n, dwell):
    """How many tokens each request of a turn of n tokens asks for: those that are certain, then some
    of which each may be the last."""
    out = [min(dwell, HELD) if dwell > 1 else AHEAD]
    while sum(out) < n:
        out.append(AHEAD)
    return out


class Wire:
    """The connections to one server: when each can take a request."""

    def __init__(self, rtt):
        self.rtt, self.free_at = rtt, [0.0]  # one stands: the server was probed

    def take(self, now):
        """Seconds until a connection is there."""
        ready = [f for f in self.free_at if f <= now]
        if ready:
            self.free_at.remove(ready[0])
        return 0.0 if ready else self.rtt

    def back(self, now, closed):
        """After its use: a closed one is replaced by another, with a request that proves it."""
        self.free_at.append(now + 2 * self.rtt if closed else now)


def follow(pair, turns, prompt, dwell):
    """Seconds by what they went to, and counts, of a text of turns [("small" or "large", tokens)]
    behind a prompt that the model of the first turn has read."""
    t = dict.fromkeys(("small", "large", "wire", "read", "connect"), 0.0)
    n = dict.fromkeys(("requests", "connects", "cached", "read", "turns"), 0)
    at, held = prompt, dict.fromkeys(MODELS, 0)
    held[turns[0][0]] = prompt
    wires = {who: Wire(pair[who].rtt) for who in MODELS}
    for who, tokens in turns:
        model, left = pair[who], tokens
        n["turns"] += who == "large"
        for ask in asks(tokens, dwell) if model.far else [tokens]:
            got, have = min(ask, left), known(model, held[who], at)
            if model.far:
                wait = wires[who].take(sum(t.values()))
                n["requests"] += 1
                n["connects"] += wait > 0
                t["connect"] += wait
                t["wire"] += model.rtt * trips(model, at) + model.request
                n["cached"] += have
                n["read"] += at - have
            t["read"] += (at - have - 1) * model.read
            t[who] += got * model.token
            at += got
            left -= got
            held[who] = at
            if model.far:
                wires[who].back(sum(t.values()), closed=got < ask)
    return t, n


def simulate(pair, turns, prompt, dwell):
    return sum(follow(pair, turns, prompt, dwell)[0].values())


def formula(pair, turns, prompt, dwell):
    """docs/REMOTE.md: one round trip for each turn of a model behind an API, and no more of the wire."""
    still = {who: dataclasses.replace(pair[who], rtt=0.0, request=0.0) for who in MODELS}
    return simulate(still, turns, prompt, dwell) + sum(pair[who].rtt for who, _ in turns if pair[who].far)


# ---- texts ------------------------------------------------------------------------------------

def turns_of(writers):
    """[("small", 12), ("large", 10), ...] of the writers of tokens."""
    out = []
    for who in writers:
        if out and out[-1][0] == who:
            out[-1][1] += 1
        else:
            out.append([who, 1])
    return [tuple(t) for t in out]


def rate_for(share, dwell):
    """The chance of the large model at a decision that gives this share in the long run; policy
    random's own rule (src/decode/policy/random.c)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        a = (low + high) / 2
        small, large = dwell - 1 + 1 / a, dwell - 1 + 1 / (1 - a)
        low, high = (a, high) if large / (large + small) < share else (low, a)
    return low


def drawn(share, dwell, n, seed):
    """Turns of n tokens by policy random."""
    rng, rate, out, who, since = random.Random(seed), rate_for(share, dwell), [], "small", 0
    for _ in range(n):
        if since >= dwell:
            now = "large" if rng.random() < rate else "small"
            since, who = (0 if now != who else since), now
        out.append(who)
        since += 1
    return turns_of(out)


# ---- beside what was measured -----------------------------------------------------------------

def check(o):
    points = []
    for path in o.points:
        with open(path) as f:
            points += [json.loads(line) for line in f]
    print(f"{'pair':34} {'round trip':>10} {'texts':>5} {'measured s':>10} {'simulated':>9} {'error':>7} "
          f"{'of a text':>9} {'cached':>7} {'simulated':>9}")
    for name, rtt in sorted({(p["name"], p["rtt"]) for p in points}):
        own = [p for p in points if (p["name"], p["rtt"]) == (name, rtt)]
        found = [simulate(pair_of(p["pair"]), p["turns"], p["prompt"], p["dwell"]) for p in own]
        each = [f / p["seconds"] - 1 for f, p in zip(found, own)]
        seconds = sum(p["seconds"] for p in own)
        counts = [follow(pair_of(p["pair"]), p["turns"], p["prompt"], p["dwell"])[1] for p in own]
        cached = sum(n["cached"] for n in counts) / max(1, sum(n["cached"] + n["read"] for n in counts))
        told = [p["told"] for p in own]
        told = sum(t["server_cached_tokens"] for t in told) / max(1, sum(t["server_prompt_tokens"] for t in told))
        print(f"{name:34} {1e3 * rtt:7.1f} ms {len(own):5} {seconds:10.3f} {sum(found):9.3f} "
              f"{sum(found) / seconds - 1:+7.1%} {statistics.median(map(abs, each)):9.1%} "
              f"{told:7.3f} {cached:9.3f}")


# ---- tables -----------------------------------------------------------------------------------

def pair_at(o, rtt=None, block=None):
    far = {"rtt": (o.rtt if rtt is None else rtt) / 1e3, "request": o.request / 1e3,
           "block": o.block if block is None else block}
    return {"small": Model(o.small_token / 1e3, o.small_read / 1e3, far=not o.near, **far),
            "large": Model(o.large_token / 1e3, o.large_read / 1e3, **far)}


def row(cells, widths):
    print("| " + " | ".join(f"{c:>{w}}" for c, w in zip(cells, widths)) + " |")


def head(cells):
    widths = [max(len(c), 7) for c in cells]
    row(cells, widths)
    print("|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|")
    return widths


def there_and_back(pair, prefix, small, large, dwell):
    """What two switches cost in a long text, in seconds: a turn of each model behind `prefix`."""
    turns = [("small", small), ("large", large)]
    begun = [("small", prefix), ("large", large)]  # both have read what stands before
    whole, before = (simulate(pair, x, 1, dwell) for x in (begun + turns, begun))
    return whole - before - small * pair["small"].token - large * pair["large"].token


def over_places(pair, prefix, o):
    """The mean over places within a block."""
    return statistics.mean(there_and_back(pair, prefix + k, o.turn, o.dwell, o.dwell) for k in range(0, 128, 3))


def switch_table(o):
    """Two switches, there and back, in ms."""
    if o.by == "latency":
        widths = head(["round trip ms", *(f"prefix {p}" for p in o.prefixes)])
        for rtt in o.rtts:
            row([f"{rtt:g}", *(f"{1e3 * there_and_back(pair_at(o, rtt), p, o.turn, o.dwell, o.dwell):.0f}"
                               for p in o.prefixes)], widths)
    else:
        widths = head(["block", *(f"prefix {p}" for p in o.prefixes)])
        for block in o.blocks:
            row([str(block or "none"), *(
                f"{1e3 * over_places(pair_at(o, block=block), p, o):.0f}" for p in o.prefixes)], widths)


def speed(o, share, dwell, rtt):
    """Tokens per second of the pair, as a multiple of the large model alone behind the same wire."""
    pair = pair_at(o, rtt)
    texts = [drawn(share, dwell, o.n, seed) for seed in range(o.seeds)]
    large, reads = pair["large"], o.prompt - 1
    mine = statistics.mean(simulate(pair, turns, o.prompt, dwell) for turns in texts) + reads * pair["small"].read
    alone = reads * large.read + o.n * large.token + -(-o.n // HELD) * (large.rtt + large.request)
    return alone / mine


def speed_table(o):
    widths = head(["round trip ms", *(f"share {s:g} dwell {d}" for s in o.shares for d in o.dwells)])
    for rtt in o.rtts:
        row([f"{rtt:g}", *(f"{speed(o, s, d, rtt):.2f}" for s in o.shares for d in o.dwells)], widths)


def stops_table(o):
    """The round trip at which the pair is no faster than the large model alone."""
    widths = head(["share", *(f"dwell {d}" for d in o.dwells)])
    for s in o.shares:
        cells = []
        for d in o.dwells:
            low, high = 0.0, 1000.0
            if speed(o, s, d, low) <= 1 or speed(o, s, d, high) > 1:
                cells.append("over 1 s" if speed(o, s, d, low) > 1 else "any")
                continue
            for _ in range(20):
                mid = (low + high) / 2
                low, high = (mid, high) if speed(o, s, d, mid) > 1 else (low, mid)
            cells.append(f"{low:.0f} ms")
        row([f"{s:g}", *cells], widths)


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(required=True)
    c = sub.add_parser("check")
    c.add_argument("points", nargs="+")
    c.set_defaults(run=check)
    for name, run in (("switch", switch_table), ("speed", speed_table), ("stops", stops_table)):
        s = sub.add_parser(name, help=run.__doc__)
        s.set_defaults(run=run)
        s.add_argument("--by", choices=("latency", "block"), default="latency")
        for option, value in (("small-token", 7.0), ("large-token", 25.0), ("small-read", 0.06), ("large-read", 0.3),
                              ("request", 4.0), ("rtt", 1.0)):
            s.add_argument(f"--{option}", type=float, default=value, help=f"ms (default: {value:g})")
        for option, value in (("block", 16), ("dwell", 10), ("turn", 30), ("n", 1000), ("prompt", 500), ("seeds", 20)):
            s.add_argument(f"--{option}", type=int, default=value, help=f"(default: {value})")
        s.add_argument("--near", action="store_true", help="the small model is at hand")
        for option, kind, value in (("rtts", float, [0.2, 1, 5, 20, 50, 100, 200]),
                                    ("prefixes", int, [256, 1024, 4096, 16384]), ("blocks", int, [1, 16, 32, 128, 0]),
                                    ("shares", float, [0.1, 0.25, 0.4]), ("dwells", int, [5, 10, 20])):
            s.add_argument(f"--{option}", type=kind, nargs="+", default=value)
    return p.parse_args()


def main():
    o = options()
    o.run(o)


if __name__ == "__main__":
    main()
