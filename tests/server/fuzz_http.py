#!/usr/bin/env python3
"""fuzz_http EAD [SECONDS [SEED]]: malformed HTTP thrown at `ead serve`.

Heads and bodies are cut, stretched, repeated, sent in pieces, in one, or not to their end. The server
must stay alive: whatever answers comes back has a sane status and, below its head, JSON where it says
so; a plain request works in between; nothing is live at the end, and it ends as it should.
"""

import json
import os
import random
import select
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness as h

BODIES = [json.dumps(b).encode() for b in (
    {"prompt": "Once", "max_tokens": 2}, {"prompt": [5, 6], "max_tokens": 1, "stream": True},
    {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2},
    {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2, "stream": True},
    {"tokens": [5, 6]}, {"content": "a"}, {"prompt": "a", "n": 99}, [], {})]
PATHS = [b"/v1/completions", b"/v1/chat/completions", b"/tokenize", b"/detokenize", b"/tokenizer_info",
         b"/v1/models", b"/health", b"/metrics", b"/", b"/../etc/passwd", b"/%00", b"/%", b"*", b"",
         b"http://x/v1/models", b"//", b"/v1/models/" + b"a" * 3000]
METHODS = [b"POST"] * 6 + [b"GET", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"TRACE", b"CONNECT", b"G\0T", b"",
                           b"post", b"A" * 200]
LENGTHS = [b"-1", b"0", b"1", b"99999999999999999999", b"18446744073709551615", b"0x10", b"1 2", b"", b"+5", b"1e3"]


def chunked(r, body):
    out = b""
    while body:
        n = r.randint(1, max(1, len(body)))
        size = r.choice([b"%x" % n] * 8 + [b"%x" % (n + 1), b"ffffffffffffffff", b"-1", b"zz", b"%x;a=b" % n])
        out += size + b"\r\n" + body[:n] + r.choice([b"\r\n"] * 8 + [b"\n", b""])
        body = body[n:]
    return out + r.choice([b"0\r\n\r\n"] * 4 + [b"0\r\nX: y\r\n\r\n", b"", b"0\r\n"])


def request(r, port):
    body = r.choice(BODIES) if r.random() < 0.8 else r.randbytes(r.randint(0, 300))
    lines = [b"%s %s %s" % (r.choice(METHODS), r.choice(PATHS), r.choice(
        [b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/9.9", b"HTTP/", b"", b"ICY"]))]
    heads = [b"Host: localhost:%d" % port, b"Content-Type: application/json"]
    if r.random() < 0.3:
        heads.append(b"Transfer-Encoding: " + r.choice([b"chunked"] * 4 + [b"gzip", b"chunked, chunked", b""]))
        sent = chunked(r, body)
    else:
        heads.append(b"Content-Length: " + (b"%d" % len(body) if r.random() < 0.8 else r.choice(LENGTHS)))
        sent = body
    more = [b"X-Long: " + b"a" * r.choice([10, 5000, 40000, 200000]), b"Expect: 100-continue", b"Connection: close",
            b"Connection: upgrade", b"Origin: http://evil.example", b"Authorization: Bearer x", b": empty", b"NoColon",
            b" folded", b"X\0Y: 1", b"Cookie: " + b"a=b; " * 500, b"Host: evil.example",
            b"Content-Length: 7", b"Content-Type: text/plain", b"Accept-Encoding: gzip", b"Upgrade: h2c"]
    heads += [r.choice(more) for _ in range(r.choice([0, 0, 0, 1, 2, 5]))]
    if r.random() < 0.02:
        heads += [b"X-%d: y" % i for i in range(3000)]
    if r.random() < 0.1:
        r.shuffle(heads)
    end = b"\r\n" if r.random() < 0.95 else b"\n"
    return end.join(lines + heads) + end + end + sent


def mutate(r, data):
    data = bytearray(data)
    for _ in range(r.choice([0, 0, 0, 1, 1, 3, 10])):
        at = r.randrange(len(data) + 1)
        kind = r.randrange(5)
        if kind == 0:
            data[at:at] = r.randbytes(r.randint(1, 8))
        elif kind == 1:
            del data[at:at + r.randint(1, 20)]
        elif kind == 2 and at < len(data):
            data[at] ^= 1 << r.randrange(8)
        elif kind == 3:
            data[at:at] = r.choice([b"\0", b"\r\n\r\n", b"\n", b"\r", b"\xff", b"%00"])
        else:
            data[at:at] = data[max(0, at - r.randint(1, 50)):at]
    return bytes(data)


def answers(data):
    """Check what came back, as far as it goes."""
    n = 0
    while data.startswith(b"HTTP/"):
        head, blank, rest = data.partition(b"\r\n\r\n")
        if not blank:
            break
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        assert 100 <= status < 600 and status != 500, head
        fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
        n += status != 100
        if b"content-length" not in fields:
            break
        length = int(fields[b"content-length"])
        if b"json" in fields.get(b"content-type", b"") and 0 < length <= len(rest) and \
                not rest.startswith(b"HTTP/"):  # the answer to HEAD has none
            json.loads(rest[:length])
            rest = rest[length:]
        elif status != 100:
            break
        data = rest
    return n


def throw(r, port):
    """One connection; returns how many answers it got."""
    data = b"".join(mutate(r, request(r, port)) for _ in range(r.choice([1, 1, 1, 2, 5])))
    if r.random() < 0.2:
        data = data[:r.randrange(len(data) + 1)]
    c = socket.create_connection(("127.0.0.1", port), timeout=5)
    got = b""
    try:
        while data:
            n = len(data) if r.random() < 0.7 else r.randint(1, 100)
            c.sendall(data[:n])
            data = data[n:]
        how = r.random()
        if how < 0.3:
            return 0  # gone, with whatever is on its way
        if how < 0.6:
            c.shutdown(socket.SHUT_WR)
        while select.select([c], [], [], 0.1)[0]:
            some = c.recv(65536)
            if not some:
                break
            got += some
    except OSError:
        pass
    finally:
        c.close()
    return answers(got)


def main():
    ead, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    r, sent, got = random.Random(seed), 0, 0
    with h.Server(ead, "--slots", "2", "--ctx", "64", "--connections", "64") as s:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got += throw(r, s.port)
            sent += 1
            if sent % 50 == 0:
                assert s.process.poll() is None, "".join(s.said)
                assert s.request("GET", "/health")[0] == 200
                s.post("/v1/completions", prompt="Once", max_tokens=1)
        h.wait_until(lambda: s.metrics()["ead_texts_live"] == 0)
    print(f"{sent} connections, {got} answers, seed {seed}")
    assert got > sent / 10
    return 0


sys.exit(main())
