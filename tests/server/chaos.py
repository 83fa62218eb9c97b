#!/usr/bin/env python3
"""chaos.py EAD [--clients N] [--seconds S] [--seed N]: clients that connect, stream, stall and vanish.

Every answer that comes whole must be the one that its request has alone; memory must stay what it is
once all places have been used. Prints a line of JSON; exit status 1 after a wrong answer.
"""

import argparse
import json
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h

QUESTIONS = [f"What is {a} + {b}?" for a in range(1, 9) for b in range(3, 8)]


def request_of(rng, i):
    body = {"messages": [{"role": "user", "content": QUESTIONS[i]}], "max_tokens": 20 + i,
            "temperature": 0, "model": ("ead", "small", "large")[i % 3]}
    if i % 4 == 0:
        body.update(temperature=1, seed=i)
    return body


def head_of(path, body, close):
    text = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Connection: {'close' if close else 'keep-alive'}\r\nContent-Length: {len(text)}\r\n\r\n"
            ).encode() + text


class Client(threading.Thread):
    def __init__(self, port, seed, until, known):
        super().__init__(daemon=True)
        self.port, self.until, self.known = port, until, known
        self.rng = random.Random(seed)
        self.count = {"whole": 0, "streamed": 0, "vanished": 0, "stalled": 0, "refused": 0, "garbage": 0}
        self.wrong = []

    def run(self):
        while time.monotonic() < self.until:
            try:
                self.visit()
            except (ConnectionError, TimeoutError, BrokenPipeError, socket.timeout) as e:
                self.wrong.append(f"{type(e).__name__}: {e}")

    def visit(self):
        rng, i = self.rng, self.rng.randrange(len(self.known))
        what = rng.random()
        body = request_of(rng, i)
        if what < 0.5:
            body["stream"] = True
        c = socket.create_connection(("127.0.0.1", self.port), timeout=300)
        try:
            if what < 0.05:
                c.sendall(os.urandom(rng.randrange(1, 400)))
                self.count["garbage"] += 1
                return
            data = head_of("/v1/chat/completions", body, close=True)
            if what > 0.9:  # a slow sender, who may give up
                for k in range(0, len(data), 40):
                    c.sendall(data[k:k + 40])
                    time.sleep(rng.random() * 0.01)
                    if rng.random() < 0.05:
                        self.count["vanished"] += 1
                        return
            else:
                c.sendall(data)
            if rng.random() < 0.25:
                time.sleep(rng.random() * 0.2)
                self.count["vanished"] += 1
                return
            self.check(i, self.read(c))
        finally:
            c.close()

    def read(self, c):
        got = b""
        stalls = self.rng.random() < 0.2
        self.count["stalled"] += stalls
        while True:
            piece = c.recv(64 if stalls else 65536)
            if not piece:
                return got
            got += piece
            if stalls:
                time.sleep(self.rng.random() * 0.02)

    def check(self, i, answer):
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == 503:
            self.count["refused"] += 1
            return
        if b"chunked" in head.lower():
            body = dechunk(body)
        if b"text/event-stream" in head:
            parts = body.decode().split("\n\n")
            if parts[-2] != "data: [DONE]":
                self.wrong.append(f"{QUESTIONS[i]}: a stream without an end: {parts[-3:]}")
                return
            found = h.content([json.loads(p[6:]) for p in parts[:-2]])
            self.count["streamed"] += 1
        else:
            found = json.loads(body)["choices"][0]["message"]["content"]
            self.count["whole"] += 1
        if found != self.known[i]:
            self.wrong.append(f"{QUESTIONS[i]}: expected {self.known[i]!r}, found {found!r}")


def dechunk(body):
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        n = int(size, 16)
        out += rest[:n]
        body = rest[n + 2:]
    return out


def run(ead, clients, seconds, seed, options=()):
    with h.Server(ead, "--queue", "400", *options) as s:
        rng = random.Random(seed)
        known = []
        for i in range(len(QUESTIONS)):
            known.append(s.post("/v1/chat/completions", **request_of(rng, i))["choices"][0]["message"]["content"])
        start = time.monotonic()
        crowd = [Client(s.port, seed * 1000 + k, start + seconds, known) for k in range(clients)]
        for c in crowd:
            c.start()
        memory = []
        while any(c.is_alive() for c in crowd):
            time.sleep(min(5, seconds / 8))
            memory.append(h.resident(s.process.pid))
            assert s.request("GET", "/health")[0] == 200
        h.wait_until(lambda: s.metrics()["ead_texts_live"] == 0)
        count = {k: sum(c.count[k] for c in crowd) for k in crowd[0].count}
        wrong = [w for c in crowd for w in c.wrong]
        half = memory[len(memory) // 2:]
        return {"seconds": round(time.monotonic() - start, 1), **count, "wrong": len(wrong),
                "MiB": [m >> 20 for m in memory[:1] + half[:1] + half[-1:]]}, wrong


def main():
    args = argparse.ArgumentParser()
    args.add_argument("ead")
    args.add_argument("--clients", type=int, default=200)
    args.add_argument("--seconds", type=float, default=600)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    told, wrong = run(a.ead, a.clients, a.seconds, a.seed)
    print(json.dumps(told))
    print("\n".join(wrong[:10]), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
