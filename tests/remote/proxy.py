"""A proxy between `ead` and a server that does, by a seed, what networks and servers do: it waits,
resets, cuts an event in the middle, says 429 or 500, sends garbage, stalls, or is not there for a while.

Standard library alone. It speaks HTTP/1.1 by itself, one request a connection at a time, and relays a
body as it comes.
"""

import http.client
import random
import socket
import struct
import threading
import time

FAULTS = ("reset", "cut", "status", "garbage", "stall", "away", "eof")


class Schedule:
    """What happens to each request, in order: a function of the seed alone."""

    def __init__(self, seed, rate, kinds=FAULTS, delay=0.0):
        self.rng = random.Random(seed)
        self.rate, self.kinds, self.delay = rate, kinds, delay
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            kind = self.rng.choice(self.kinds) if self.rng.random() < self.rate else None
            return kind, self.rng.randrange(1, 1500), self.rng.random()


class Proxy:
    """Listens on a free port for `target` (a port of this machine) until the block ends. `gap`: seconds between the
    last of a body and the word that it was that."""

    def __init__(self, target, schedule, stall=5.0, gap=0.0):
        self.target, self.schedule, self.stall, self.gap = target, schedule, stall, gap
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.away_until = 0.0
        self.happened = []
        self.accepted = 0
        self.open = True
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False
        self.socket.close()

    def _listen(self):
        while self.open:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            if time.monotonic() < self.away_until:
                reset(c)
                continue
            self.accepted += 1
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        try:
            with c, c.makefile("rb") as reader:
                while self.open and self._one(c, reader):
                    pass
        except OSError:
            pass

    def _one(self, c, reader):
        """One request; False when the connection is over."""
        head = read_head(reader)
        if not head:
            return False
        method, path, headers = head
        body = reader.read(int(headers.get("content-length", 0)))
        kind, where, chance = self.schedule.next()
        if self.schedule.delay:
            time.sleep(self.schedule.delay)
        if kind:
            self.happened.append(kind)
        if kind == "status":
            code = (429, 500, 502, 503)[where % 4]
            text = b"<html><title>gateway</title></html>" if code == 502 else b'{"error": {"message": "busy"}}'
            more = b"Retry-After: 0\r\n" if code in (429, 503) and chance < 0.5 else b""
            mime = b"text/html" if code == 502 else b"application/json"
            c.sendall(b"HTTP/1.1 %d No\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s"
                      % (code, mime, len(text), more, text))
            return True
        if kind == "away":
            self.away_until = time.monotonic() + 0.3 * chance
            reset(c)
            return False
        return self._relay(c, method, path, headers, body, kind, where)

    def _relay(self, c, method, path, headers, body, kind, where):
        up = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        sent = {k: v for k, v in headers.items() if k not in ("host", "connection")}
        try:
            up.request(method, path, body or None, {**sent, "Host": f"127.0.0.1:{self.target}"})
            answer = up.getresponse()
            c.sendall(b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
                      % (answer.status, (answer.getheader("Content-Type") or "").encode()))
            passed = 0
            while piece := answer.read1(65536):
                end = kind and passed + len(piece) > where
                piece = piece[:max(0, where - passed)] if end else piece
                if piece:
                    c.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                passed += len(piece)
                if end:
                    return self._break(c, kind)
                if gone(c):
                    return False
            time.sleep(self.gap)
            c.sendall(b"0\r\n\r\n")
            return True
        finally:
            up.close()

    def _break(self, c, kind):
        if kind == "garbage":
            noise = b"data: {\"choices\": [{\"text\": 7, \"logprobs\": nonsense\n\n"
            c.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(noise), noise))
            return True
        if kind == "stall":
            until = time.monotonic() + self.stall
            while time.monotonic() < until and self.open and not gone(c):
                time.sleep(0.02)
        elif kind == "eof":
            c.sendall(b"0\r\n\r\n")
            return True
        reset(c)
        return False


def read_head(reader):
    line = reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode().split()
    headers = {}
    while (line := reader.readline()).strip():
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    return method, path, headers


def gone(c):
    """Has the client left?"""
    c.setblocking(False)
    try:
        return c.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        c.setblocking(True)


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
