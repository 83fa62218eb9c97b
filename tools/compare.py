#!/usr/bin/env python3
"""Time ead and llama.cpp, or two programs of ead, in turn on the same files.

    tools/compare.py --peer-python VENV/bin/python -p 64,8,2 -g 16 -t 2 FILE.gguf ...
    tools/compare.py --ead BEFORE/ead --cpu avx2 FILE.gguf ...

In every round each program runs once on a file, and they take turns at going first. Prints a row
of a Markdown table for each file: rows (or tokens) per second, medians over the rounds, and the
median of the rounds' ratios with the smallest and the largest. The peer runs tools/peer_bench.py
with the interpreter that has its package; what that was built for is said on stderr. Only Python's
standard library is used here.

Threads of llama.cpp wait for each other, so beside other jobs its figures with two threads mean
little: there start this program under `chrt -f 10`, which both inherit.
"""
import argparse
import functools
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEER = os.path.join(HERE, "peer_bench.py")


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"compare.py: {command[0]} ended with status {done.returncode}")
    return done.stdout


@functools.lru_cache(maxsize=None)
def say_once(text):
    print(text, file=sys.stderr)


def common(args, path):
    return ["-m", path, "-p", args.p, "-g", str(args.g), "-r", str(args.r), "-t", str(args.t)]


def time_ead(program, args, path):
    """Name of each test and its median rate."""
    cpu = ["--cpu", args.cpu] if args.cpu else []
    report = json.loads(run([program, "bench", "--json"] + common(args, path) + cpu))
    return {name(result["test"], result["rows"]): result["per_second"]
            for result in report["results"]}


def time_peer(python, args, path):
    built, _, *lines = run([python, PEER] + common(args, path)).splitlines()
    say_once(built)
    fields = [line.split() for line in lines]
    return {name(test, int(rows)): float(rate) for test, rows, rate, *_ in fields}


def name(test, rows):
    return test if test == "decode" else str(rows)


def rounds(args, path, programs):
    """For each test the pairs of rates, one a round."""
    pairs = {}
    for r in range(args.rounds):
        rates = [None, None]
        for i in (0, 1) if r % 2 == 0 else (1, 0):
            rates[i] = programs[i](path)
        for test in rates[0]:
            pairs.setdefault(test, []).append((rates[0][test], rates[1][test]))
    return pairs


def brief(rate):
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"


def cell(pairs):
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    ratios = [a / b for a, b in pairs]
    return (f"{brief(ours)} / {brief(theirs)} = **{statistics.median(ratios):.2f}** "
            f"({min(ratios):.2f}–{max(ratios):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--program", default=os.path.join(HERE, "..", "build", "ead"),
                        metavar="PATH", help="in front of the slash: an ead (default: build/ead)")
    behind = parser.add_mutually_exclusive_group(required=True)
    behind.add_argument("--peer-python", metavar="PATH",
                        help="behind it: llama.cpp, whose package this Python has")
    behind.add_argument("--ead", metavar="OTHER", help="behind it: another ead")
    parser.add_argument("--cpu", metavar="LEVEL", help="level of every ead (default: its best)")
    parser.add_argument("-p", default="64,8,2", metavar="LIST",
                        help="rows of the passes (default: 64,8,2)")
    parser.add_argument("-g", type=int, default=16, metavar="N",
                        help="tokens to decode (default: 16)")
    parser.add_argument("-t", type=int, default=2, metavar="N", help="threads (default: 2)")
    parser.add_argument("-r", type=int, default=2, metavar="N",
                        help="runs of each test in a round (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(default: 5)")
    args = parser.parse_args()
    programs = [lambda path: time_ead(args.program, args, path),
                lambda path: time_ead(args.ead, args, path) if args.ead
                else time_peer(args.peer_python, args, path)]
    for i, path in enumerate(args.files):
        pairs = rounds(args, path, programs)
        if i == 0:
            print("| file | " + " | ".join(pairs) + " |\n|---|" + "---|" * len(pairs))
        print(f"| {os.path.basename(path)} | " + " | ".join(map(cell, pairs.values())) + " |",
              flush=True)


if __name__ == "__main__":
    main()
