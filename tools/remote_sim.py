#!/usr/bin/env python3
"""remote_sim.py: what a pair whose large model is behind an API would write at, and what its switches cost.

    remote_sim.py table --what latency|prefix|block|dwell [--model NAME=VALUE ...]
    remote_sim.py check POINTS.jsonl    beside what remote_bench.py measured

One text is followed turn by turn: the requests that `ead` makes (src/remote/engine.c), the round trip
of each, the prefix that the server's cache does not hold, connections that are closed and opened. The
closed formula of docs/REMOTE.md is the same without the connections. Standard library alone.
"""

import argparse
import dataclasses
import json
import random
import statistics
import sys

AHEAD, HELD = 32, 256  # WIRE_AHEAD and WIRE_HELD_MAX of src/remote/wire.h


@dataclasses.dataclass
class Pair:
    """Times in seconds. The small model is at hand, the large one behind a round trip of `rtt`."""
    t_small: float            # a token of the small model
    t_large: float            # a token of the large one, at its server
    p_small: float = 0.0      # a further token of a pass that reads several
    p_large: float = 0.0
    t_request: float = 0.0    # what a request costs the server, and the way to it, beside the round trip
    rtt: float = 0.0
    block: int = 1            # tokens of a block of the server's prefix cache; 0: it has none
    dwell: int = 10
    spares: bool = True       # a connection is kept open beside the one in use


def cached(pair, held, prefix):
    """Tokens of a prefix that the server need not read: whole blocks of what it held before, and
    never the last token, whose successor is wanted."""
    return min(held, prefix - 1) // pair.block * pair.block if pair.block else 0


def requests(pair, n):
    """How many tokens each request of a turn of n tokens asks for: those that are certain, then some
    where each may be the last."""
    asks = [min(pair.dwell, HELD) if pair.dwell > 1 else AHEAD]
    while sum(asks) < n:
        asks.append(AHEAD)
    return asks


def follow(pair, turns, prompt):
    """A text of turns [("small" or "large", tokens)] behind a prompt: seconds by what they went to, and
    counts."""
    t = dict.fromkeys(("small", "large", "wire", "prefix", "catchup", "connect"), 0.0)
    n = dict.fromkeys(("requests", "connects", "unread", "read", "turns"), 0)
    at, small_at, server_at = prompt, 0, 0
    clock, free_at = 0.0, [0.0]  # when each connection can take a request
    for who, tokens in turns:
        before = sum(t.values())
        if who == "small":
            behind = at - small_at  # the prompt's reading is not counted: it is no switch's
            t["catchup"] += (behind - 1) * pair.p_small if small_at else 0
            t["small"] += tokens * pair.t_small
            at += tokens
            small_at = at
        else:
            n["turns"] += 1
            left = tokens
            for ask in requests(pair, tokens):
                known = cached(pair, server_at, at)
                n["requests"] += 1
                n["read"] += at - known
                n["unread"] += known
                now = clock + sum(t.values()) - before
                ready = [i for i, f in enumerate(free_at) if f <= now]
                if ready:
                    used = ready[0]
                else:
                    free_at.append(now)
                    used = len(free_at) - 1
                    n["connects"] += 1
                    t["connect"] += pair.rtt
                t["wire"] += pair.rtt + pair.t_request
                t["prefix"] += (at - known - 1) * pair.p_large
                got = min(ask, left)
                t["large"] += got * pair.t_large
                at += got
                left -= got
                server_at = at
                now = clock + sum(t.values()) - before
                free_at[used] = now
                if got < ask:  # the stream is closed, and with it its connection
                    del free_at[used]
                    if pair.spares:  # another one: its handshake, and a request that proves it
                        free_at.append(now + 2 * pair.rtt)
        clock += sum(t.values()) - before
    return t, n


def formula(pair, turns, prompt):
    """docs/REMOTE.md: one round trip for each turn of the large model, nothing else of the wire."""
    t, n = follow(dataclasses.replace(pair, t_request=0.0, rtt=0.0), turns, prompt)
    return sum(t.values()) + n["turns"] * pair.rtt


def simulate(pair, turns, prompt):
    return sum(follow(pair, turns, prompt)[0].values())


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
    """The chance of the large model at a decision that gives this share in the long run, as
    src/decode/policy/random.c has it."""
    low, high = 0.0, 1.0
    for _ in range(60):
        a = (low + high) / 2
        small, large = dwell - 1 + 1 / a, dwell - 1 + 1 / (1 - a)
        low, high = (a, high) if large / (large + small) < share else (low, a)
    return low


def drawn(share, dwell, n, seed):
    """Writers of n tokens by policy random."""
    rng, rate, out, who, since = random.Random(seed), rate_for(share, dwell), [], "small", 0
    for _ in range(n):
        if since >= dwell:
            now = "large" if rng.random() < rate else "small"
            since, who = (0 if now != who else since), now
        out.append(who)
        since += 1
    return turns_of(out)
