#!/usr/bin/env python3
"""remote_bench.py EAD --large L.gguf --small S.gguf [OPTION ...] [-- OPTION OF ead run ...]

A mixed pair across a wire: the small model at hand, the large one behind `ead serve` (or --port) in a
network namespace half a round trip away (tools/far_link.py; root). The times of both models are taken
from runs alone without delay, the turns from the trace of each text; docs/REMOTE.md's formula makes a
speed of them, and the ratio of what was measured to it is printed. One line of JSON for each text with
--points FILE, which tools/remote_sim.py check reads.
"""

import argparse
import contextlib
import itertools
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
    """The address of the large model at the other end of a link, and what runs at this one."""
    if o.port:  # it runs here already, so that the namespace is where the text is written
        yield f"{o.kind}+http://{link.here}:{o.port}/v1#large", link.there
        return
    command = [*link.there, *o.run_with, o.ead, "serve", "--host", link.address, "--port", "0", "--large", o.large,
               "--slots", "4", "--ctx", str(o.ctx), "--threads", str(o.threads)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"https?://[^ ]*:(\d+)/", line):
                yield f"ead+http://{link.address}:{found.group(1)}/v1#large", []
                break
        else:
            sys.exit("the server did not start: " + "".join(said))
    finally:
        process.terminate()
        process.stderr.close()
        process.wait()


def run(o, place, prompt, *options):
    """The trace of a text that is written at a place, and its summary."""
    with tempfile.TemporaryDirectory() as folder:
        trace, told = os.path.join(folder, "trace"), os.path.join(folder, "summary")
        command = [*place, *o.run_with, o.ead, "run", "--ctx", str(o.ctx), "--threads", str(o.threads), "-p", prompt,
                   "--trace", trace, "--json", told,
                   *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(command)}: {done.stderr}")
        with open(trace) as t, open(told) as s:
            return [json.loads(line) for line in t], json.load(s)


def name_of(o):
    small, large = (os.path.splitext(os.path.basename(x))[0] for x in (o.small, o.large))
    return f"{o.kind} {small} + {large}"


def alone(o, end, prompt):
    """Times of the two models, each alone, and [tokens read, seconds to the first one] of requests."""
    url, place = end
    large = ("--large", url, "--vocab", o.large, "--policy", "large")
    first, again = (run(o, place, prompt, *large, "-n", n)[1]["large"] for n in ("40", "10"))
    s = run(o, place, prompt, "--small", o.small, "--policy", "small", "-n", "60")[1]["small"]
    rows = first["prompt_rows"]
    had = sim.known(sim.Model(0, block=o.block), rows, rows)  # of the second one's prompt
    return {"large.token": first["writing_seconds"] / (first["tokens_received"] - 1),
            "small.token": s["step_ms"] / 1e3, "small.read": s["prompt_seconds"] / s["prompt_rows"],
            "reads": [(rows, first["waiting_seconds"]), (rows - had, again["waiting_seconds"])]}


def middle_of(times):
    """The models' times: medians, and for reading the median slope."""
    out = {k: statistics.median(t[k] for t in times) for k in times[0] if k != "reads"}
    reads = [r for t in times for r in t["reads"]]
    slopes = [(y - v) / (x - u) for (x, y), (u, v) in itertools.combinations(reads, 2) if abs(x - u) > 8]
    out["large.read"] = max(0.0, statistics.median(slopes))
    rest = statistics.median(y - (x - 1) * out["large.read"] for x, y in reads) - out["large.token"]
    return {**out, "large.request": max(0.0, rest)}


def measure(o, link, end, prompt, i):
    """One text at one round trip."""
    url, place = end
    tokens, told = run(o, place, prompt, "--large", url, "--small", o.small, "--dwell", str(o.dwell), "-n", str(o.n),
                       "--seed", str(i), *o.more)
    # The prompt's reading by the small model is no switch's.
    seconds = told["seconds"] - told["small"]["prompt_seconds"]
    return {"name": name_of(o), "rtt": link.rtt, "dwell": o.dwell, "tokens": len(tokens),
            "prompt": told["small"]["prompt_rows"], "turns": sim.turns_of(t["model"] for t in tokens), "seconds": seconds, "told": told["large"]}


def compute(o, points, times):
    """What the models' own times and the turns say of each text."""
    middle = middle_of(times)
    for p in points:
        small, large = ({k.split(".")[1]: v for k, v in middle.items() if k.startswith(who)} for who in sim.MODELS)
        pair = {"small": sim.Model(**small, far=False), "large": sim.Model(**large, rtt=p["rtt"], block=o.block)}
        text = (pair, p["turns"], p["prompt"], o.dwell)
        t, n = sim.follow(*text)
        p.update(formula=sim.formula(*text), simulated=sum(t.values()), by=t, counts=n,
                 pair={who: vars(pair[who]) for who in sim.MODELS})
    return middle


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
    p.add_argument("--threads", type=int, default=1, help="of each process; leave a core to the wire (default: 1)")
    p.add_argument("--block", type=int, default=1, help="of the server's prefix cache (ead serve: 1)")
    p.add_argument("--run-with", type=shlex.split, default=[], help="what every process is started with: 'chrt -f 10'")
    p.add_argument("--kind", default="ead", help="of the server (default: ead, which is started here)")
    p.add_argument("--port", type=int, help="of one that runs here and listens at every address, as model 'large'")
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
    points, times = [], []
    with contextlib.ExitStack() as stack:
        ends = []
        for ms in (0.0, *o.rtt):
            link = stack.enter_context(far_link.Link(ms / 1e3))
            ends.append((link, stack.enter_context(served(o, link))))
        alone(o, ends[0][1], prompts[-1])  # the weights come from the disk
        for i, prompt in enumerate(prompts):  # in turn, so that a slow minute is everybody's
            times.append(alone(o, ends[0][1], prompt))
            points += [measure(o, link, end, prompt, i) for link, end in ends[1:]]
    middle = compute(o, points, times)
    print(", ".join(f"{k} {1e3 * v:.3f} ms" for k, v in middle.items()))
    if o.points:
        with open(o.points, "w") as f:
            f.writelines(json.dumps(p) + "\n" for p in points)
    report(points)


if __name__ == "__main__":
    main()
