"""What the tests of `ead serve` share: a server that is started and stopped, and requests to it.

Standard library alone. A test is a function whose name begins with test_; main() runs all of a module,
or those that the command line names.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

SKIPPED = 77
PAPER = ("--policy", "ead", "--tau", "0.2", "--dwell", "8")  # the paper's rule, whatever the pair's profile has


class Server:
    """`ead serve` on a free port, ended with the block."""

    def __init__(self, ead, *options, small=None, large=None, env=None):
        models = [*(("--small", small) if small else ()), *(("--large", large) if large else ())]
        self.process = subprocess.Popen(
            [ead, "serve", "--port", "0", *models, *options], stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})})
        self.said = []
        self.port = None
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"https?://[^ ]*:(\d+)/", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            raise RuntimeError("the server did not start: " + "".join(self.said))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=120)
        assert status == 0, f"the server ended with {status}: " + "".join(self.said)

    def connect(self, timeout=300):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, raw=None):
        """Status, headers and body of an answer; a JSON body is read."""
        c = self.connect()
        sent = {"Content-Type": "application/json"} if body is not None or raw is not None else {}
        sent.update(headers or {})
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        c.request(method, path, data, sent)
        answer = c.getresponse()
        text = answer.read()
        c.close()
        if "json" in (answer.getheader("Content-Type") or ""):
            text = json.loads(text)
        return answer.status, dict(answer.getheaders()), text

    def post(self, path, **body):
        """The answer to a request that must succeed."""
        status, _, answer = self.request("POST", path, body)
        assert status == 200, (status, answer)
        return answer

    def chat(self, text, **more):
        return self.post("/v1/chat/completions", messages=[{"role": "user", "content": text}], **more)

    def complete(self, prompt, **more):
        return self.post("/v1/completions", prompt=prompt, **more)

    def stream(self, path, **body):
        """The events of a stream, as they come: JSON, or the text [DONE]."""
        c = self.connect()
        c.request("POST", path, json.dumps({**body, "stream": True}),
                  {"Content-Type": "application/json"})
        answer = c.getresponse()
        assert answer.status == 200, (answer.status, answer.read())
        assert answer.getheader("Content-Type").startswith("text/event-stream")
        for event in events(answer):
            yield event
        c.close()

    def metrics(self):
        status, _, text = self.request("GET", "/metrics")
        assert status == 200
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.decode().splitlines() if not line.startswith("#")}


def events(answer):
    kept = b""
    while True:
        piece = answer.read1(65536)
        if not piece:
            assert not kept, kept
            return
        kept += piece
        while b"\n\n" in kept:
            event, kept = kept.split(b"\n\n", 1)
            assert event.startswith(b"data: "), event
            text = event[6:].decode()
            yield text if text == "[DONE]" else json.loads(text)


def content(events):
    """The text of choice 0 of a stream."""
    out = ""
    for e in events:
        if e == "[DONE]" or not e["choices"]:
            continue
        choice = e["choices"][0]
        out += choice["delta"].get("content", "") if "delta" in choice else choice["text"]
    return out


def in_parallel(calls, n):
    """The results of calls, n at a time, in their order."""
    results, lock, todo = [None] * len(calls), threading.Lock(), list(range(len(calls)))

    def work():
        while True:
            with lock:
                if not todo:
                    return
                i = todo.pop(0)
            try:
                results[i] = calls[i]()
            except Exception as e:  # told to the caller
                results[i] = e
    threads = [threading.Thread(target=work) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        if isinstance(r, Exception):
            raise r
    return results


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def resident(pid):
    """Anonymous memory of a process, in bytes."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no RssAnon")


def run(module, names, *args):
    """Run the tests of a module; the exit status."""
    failed = 0
    for name, test in sorted(vars(module).items(), key=lambda kv: getattr(
            getattr(kv[1], "__code__", None), "co_firstlineno", 0)):
        if not name.startswith("test_") or (names and name not in names):
            continue
        try:
            test(*args)
            print(f"ok    {name}", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED {name}", flush=True)
    return 1 if failed else 0
