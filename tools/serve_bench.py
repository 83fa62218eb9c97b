#!/usr/bin/env python3
"""serve_bench.py EAD --large L.gguf [--small S.gguf] ...: what company costs on `ead serve`.

Streams of random ids are written alone and side by side, a long prompt is read beside a stream, and
the first token of a short request is timed. Prints one line of JSON for each.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "server"))
import harness as h


def ids(n, seed, n_vocab=500):
    rng = random.Random(seed)
    return [rng.randrange(300, 300 + n_vocab) for _ in range(n)]


def arrivals(s, prompt, n, **more):
    """When the request was sent, and when each of n tokens came."""
    start, times = time.perf_counter(), []
    for e in s.stream("/v1/completions", prompt=prompt, max_tokens=n, ignore_eos=True, seed=1,
                      ead={"trace": True, **more.pop("ead", {})}, **more):
        if e != "[DONE]" and e["choices"] and e["choices"][0]["finish_reason"] is None:
            times.append(time.perf_counter())
    return start, times


def company(s, n_streams, n, **more):
    """Tokens per second of streams that run side by side, from the first token to the last."""
    all_times = h.in_parallel([lambda i=i: arrivals(s, ids(8, i + 100), n, **more)[1]
                               for i in range(n_streams)], n_streams)
    first = max(t[0] for t in all_times)  # from here on all of them are written
    last = min(t[-1] for t in all_times)
    count = sum(sum(first < x <= last for x in t) for t in all_times)
    return count / (last - first)


def beside(s, prompt_tokens, **more):
    """Gaps of a stream while a long prompt is read beside it, and that prompt's time alone and so."""
    alone = statistics.median(reading(s, prompt_tokens, 900 + k, **more) for k in range(2))
    gaps, told = [], {}

    def stream():
        told["times"] = arrivals(s, ids(8, 1), 400, **more)[1]
    writer = threading.Thread(target=stream)
    writer.start()
    time.sleep(1.5)
    begin = time.perf_counter()
    time_beside = reading(s, prompt_tokens, 950, **more)
    end = time.perf_counter()
    time.sleep(0.2)
    writer.join()
    times = told["times"]
    gaps = [b - a for a, b in zip(times, times[1:])]
    quiet = statistics.median(b - a for a, b in zip(times, times[1:]) if b < begin)
    during = [b - a for a, b in zip(times, times[1:]) if a < end and b > begin]
    return {"usual_ms": quiet * 1e3, "longest_gap_ms": max(during) * 1e3,
            "gap_in_steps": max(during) / quiet, "prompt_alone_s": alone, "prompt_beside_s": time_beside,
            "prompt_speed": alone / time_beside, "tokens_meanwhile": len(during)}


def gaps_beside(s, start_other, n_others, tokens, **more):
    """Median and 99th percentile of a stream's steps beside others, in milliseconds."""
    others = [start_other(k) for k in range(n_others)]
    time.sleep(0.5)
    times = arrivals(s, ids(8, 1), tokens, **more)[1]
    for stop in others:
        stop()
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    return statistics.median(gaps) * 1e3, gaps[int(len(gaps) * 0.99)] * 1e3


def slow_readers(s, n, tokens, **more):
    """A stream beside n clients that read, and beside n that ask for as much and read nothing."""
    def body(k):
        return json.dumps({"prompt": ids(8, 500 + k), "max_tokens": 1500, "ignore_eos": True, "stream": True,
                           "logprobs": 5, **more}).encode()

    def silent(k):
        c = socket.create_connection(("127.0.0.1", s.port))
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body(k)), body(k)))
        return c.close

    def reader(k):
        c = socket.create_connection(("127.0.0.1", s.port))
        c.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body(k)), body(k)))

        def read():
            try:
                while c.recv(65536):
                    pass
            except OSError:
                pass
        threading.Thread(target=read, daemon=True).start()
        return lambda: c.shutdown(socket.SHUT_RDWR)
    found = {"reading": [], "silent": []}
    for _ in range(3):
        found["reading"].append(gaps_beside(s, reader, n, tokens, **more))
        time.sleep(1)
        found["silent"].append(gaps_beside(s, silent, n, tokens, **more))
        time.sleep(1)
    medians = {k: (statistics.median(x[0] for x in v), statistics.median(x[1] for x in v)) for k, v in found.items()}
    return {"beside": n, **{f"{k}_median_ms": round(m, 2) for k, (m, _) in medians.items()},
            **{f"{k}_p99_ms": round(p, 2) for k, (_, p) in medians.items()},
            "median_ratio": round(medians["silent"][0] / medians["reading"][0], 3),
            "p99_ratio": round(medians["silent"][1] / medians["reading"][1], 3)}


def reading(s, n, seed, **more):
    start, times = arrivals(s, ids(n, seed), 1, **more)
    return times[0] - start


def first_tokens(s, a):
    """The first token of a short text here, and of `ead run`, whose time to open its files is left out."""
    text = "{} little stones lay by the river when the".format
    served, alone = [], []
    for k in range(10, 10 + a.first):
        start = time.perf_counter()
        next(s.stream("/v1/completions", prompt=text(k), max_tokens=1, model=a.model, ead={"trace": True}))
        served.append(time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        told = os.path.join(folder, "summary.json")
        models = [x for name in ("large", "small") if getattr(a, name) for x in (f"--{name}", getattr(a, name))]
        for k in range(10, 10 + a.first):
            subprocess.run([a.ead, "run", *models, "--raw", "-p", text(k), "-n", "1", "--json", told],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open(told) as f:
                alone.append(json.load(f)["seconds"])
    served, alone = statistics.median(served) * 1e3, statistics.median(alone) * 1e3
    return {"first_token_ms": round(served, 1), "run_ms": round(alone, 1), "ratio": round(served / alone, 3)}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("ead")
    args.add_argument("--large")
    args.add_argument("--small")
    args.add_argument("--model", default="ead")
    args.add_argument("--policy", default="{}", help="the request's \"ead\"")
    args.add_argument("--tokens", type=int, default=48)
    args.add_argument("--streams", default="1,8,1,8,1,8")
    args.add_argument("--prompt", type=int, default=1200, help="0: do not read a long prompt beside a stream")
    args.add_argument("--first", type=int, default=0, help="time so many first tokens, here and by `ead run`")
    args.add_argument("--slow", type=int, default=0, help="time a stream beside so many clients that do not read")
    args.add_argument("--serve", default="", help="further options of `ead serve`, as one word")
    a = args.parse_args()
    more = {"model": a.model, "ead": json.loads(a.policy), "temperature": 0}
    with h.Server(a.ead, "--ctx", "2048", "--slots", "16", *a.serve.split(), large=a.large, small=a.small) as s:
        arrivals(s, ids(8, 0), 4, **more)
        speeds = {}
        for n in map(int, a.streams.split(",") if a.streams else []):
            speeds.setdefault(n, []).append(company(s, n, a.tokens, **more))
        if speeds:
            best = max(speeds[1])
            print(json.dumps({"tokens_per_second": {n: [round(x, 2) for x in v] for n, v in speeds.items()},
                              "times": {n: round(statistics.median(v) / best, 2) for n, v in speeds.items()}}))
        if a.prompt:
            print(json.dumps({k: round(v, 3) for k, v in beside(s, a.prompt, **more).items()}))
        if a.slow:
            print(json.dumps(slow_readers(s, a.slow, 150, **more)))
        if a.first:
            print(json.dumps(first_tokens(s, a)))


if __name__ == "__main__":
    main()
