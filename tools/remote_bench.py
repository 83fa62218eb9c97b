#!/usr/bin/env python3
"""remote_bench.py EAD --large L.gguf --small S.gguf [OPTION ...] [-- OPTION OF ead run ...]

A mixed pair across a wire: the small model at hand, the large one behind `ead serve` (or --url) in a
network namespace half a round trip away (tools/far_link.py; root). The times of both models are taken
from runs alone without delay, the turns from the trace of each text; docs/REMOTE.md's formula makes a
speed of them, and the ratio of what was measured to it is printed. One line of JSON for each text with
--points FILE, which tools/remote_sim.py check reads.
"""

import argparse
import contextlib
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import far_link
import remote_sim as sim

PROBLEMS = os.path.join(HERE, "..", "models", "problems", "test.jsonl")


@contextlib.contextmanager
def served(o, link):
    """The address of the large model at the other end of a link."""
    command = [*link.there, *o.run_with, o.ead, "serve", "--host", link.address, "--port", "0", "--large", o.large,
               "--slots", "4", "--ctx", str(o.ctx), *o.serve_with]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"https?://[^ ]*:(\d+)/", line):
                yield f"ead+http://{link.address}:{found.group(1)}/v1#large"
                break
        else:
            sys.exit("the server did not start: " + "".join(said))
    finally:
        process.terminate()
        process.stderr.close()
        process.wait()


def run(o, prompt, *options):
    """The trace of a text, and its summary."""
    with tempfile.TemporaryDirectory() as folder:
        trace, told = os.path.join(folder, "trace"), os.path.join(folder, "summary")
        command = [*o.run_with, o.ead, "run", "--ctx", str(o.ctx), "-p", prompt, "--trace", trace, "--json", told,
                   *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(command)}: {done.stderr}")
        with open(trace) as t, open(told) as s:
            return [json.loads(line) for line in t], json.load(s)


def gap(tokens):
    """Seconds from token to token, the first ones left out."""
    return statistics.median(t["ms"] for t in tokens[4:]) / 1e3


def alone(o, prompts, url):
    """Times of the two models, each alone: of a token, of a token of a prompt, of a request."""
    large = ("--large", url, "--vocab", o.large, "--policy", "large", "--ignore-eos")
    small = ("--small", o.small, "--policy", "small", "--ignore-eos")
    t_large, t_small, p_large, p_small, t_request = [], [], [], [], []
    for prompt in prompts:
        tokens, told = run(o, prompt, *large, "-n", "60")
        again = run(o, prompt, *large, "-n", "1")[0]
        rows = told["large"]["prompt_rows"]
        t_large.append(gap(tokens))
        t_request.append(again[0]["ms"] / 1e3 - t_large[-1])
        p_large.append((tokens[0]["ms"] - again[0]["ms"]) / 1e3 / (rows - 1))
        tokens, told = run(o, prompt, *small, "-n", "60")
        t_small.append(gap(tokens))
        p_small.append(told["small"]["prompt_seconds"] / told["small"]["prompt_rows"])
    middle = statistics.median
    return sim.Pair(t_small=middle(t_small), t_large=middle(t_large), p_small=middle(p_small),
                    p_large=max(0.0, middle(p_large)), t_request=max(0.0, middle(t_request)), dwell=o.dwell,
                    block=o.block)


def measure(o, link, url, prompt, pair, i):
    """One text at one round trip."""
    tokens, told = run(o, prompt, "--large", url, "--small", o.small, "--dwell", str(o.dwell), "-n", str(o.n),
                       "--seed", str(i), *o.more)
    turns = sim.turns_of(t["model"] for t in tokens)
    pair = sim.dataclasses.replace(pair, rtt=link.rtt)
    first = tokens[0]["ms"] / 1e3  # with the prompt's reading by the small model, which is no switch's
    seconds = told["seconds"] - first + pair.t_small
    rows = told["small"]["prompt_rows"]
    t, n = sim.follow(pair, turns, rows)
    return {"rtt": link.rtt, "tokens": len(tokens), "prompt": rows, "turns": turns,
            "seconds": seconds, "formula": sim.formula(pair, turns, rows), "simulated": sum(t.values()),
            "by": t, "counts": n, "told": told["large"], "pair": sim.dataclasses.asdict(pair)}


def report(points):
    print(f"{'round trip':>10} {'texts':>5} {'tokens/s':>9} {'formula':>9} {'ratio':>6} {'least':>6} {'simulated':>9} "
          f"{'ratio':>6} {'requests':>8} {'turns':>6} {'cached':>6}")
    for rtt in sorted({p["rtt"] for p in points}):
        own = [p for p in points if p["rtt"] == rtt]
        def total(key):
            return sum(p[key] for p in own)
        told = [p["told"] for p in own]
        ratios = [p["formula"] / p["seconds"] for p in own]
        prompt_tokens = sum(t["server_prompt_tokens"] for t in told)
        print(f"{1e3 * rtt:7.1f} ms {len(own):5} {total('tokens') / total('seconds'):9.2f} "
              f"{total('tokens') / total('formula'):9.2f} {statistics.median(ratios):6.3f} {min(ratios):6.3f} "
              f"{total('tokens') / total('simulated'):9.2f} {total('simulated') / total('seconds'):6.3f} "
              f"{sum(t['requests'] for t in told):8} {sum(p['counts']['turns'] for p in own):6} "
              f"{sum(t['server_cached_tokens'] for t in told) / max(1, prompt_tokens):6.3f}")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("ead")
    p.add_argument("--large", required=True)
    p.add_argument("--small", required=True)
    p.add_argument("--rtt", type=float, nargs="+", default=[0, 20], help="round trips in ms (default: 0 20)")
    p.add_argument("--texts", type=int, default=5)
    p.add_argument("-n", type=int, default=200, help="tokens of a text at most")
    p.add_argument("--dwell", type=int, default=10)
    p.add_argument("--ctx", type=int, default=512)
    p.add_argument("--block", type=int, default=1, help="of the server's prefix cache (ead serve: 1)")
    p.add_argument("--run-with", type=shlex.split, default=[], help="what every process is started with: 'chrt -f 10'")
    p.add_argument("--serve-with", type=shlex.split, default=[], help="options of ead serve")
    p.add_argument("--points", help="a file for one line of JSON for each text")
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    o = p.parse_args(words[:end])
    o.more = words[end + 1:] or ["--policy", "random", "--share", "0.4"]
    return o


def main():
    o = options()
    if not far_link.possible():
        sys.exit("a network namespace needs root and /dev/net/tun")
    with open(PROBLEMS) as f:
        prompts = [json.loads(line)["problem"] for line, _ in zip(f, range(o.texts))]
    points = []
    with far_link.Link(0.0) as still, served(o, still) as url:
        pair = alone(o, prompts[:3], url)
    told = ", ".join(f"{k} {1e3 * v:.3f} ms" for k, v in sim.dataclasses.asdict(pair).items() if isinstance(v, float) and v)
    print(told, flush=True)
    with contextlib.ExitStack() as stack:
        ends = []
        for ms in o.rtt:
            link = stack.enter_context(far_link.Link(ms / 1e3))
            ends.append((link, stack.enter_context(served(o, link))))
        for i, prompt in enumerate(prompts):  # in turn, so that a slow minute is everybody's
            for link, url in ends:
                points.append(measure(o, link, url, prompt, pair, i))
    if o.points:
        with open(o.points, "w") as f:
            f.writelines(json.dumps(p) + "\n" for p in points)
    report(points)


if __name__ == "__main__":
    main()
