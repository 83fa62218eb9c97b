"""A server that speaks as `ead serve` does, with a made-up pair that obeys tau, window and dwell.

What it does with a message depends on the message's first word: slow, long, busy, break, short, fault, cut,
markup, refuse, struck; anything else is answered. The key is asked for once `key` is set.
"""
import collections
import http.server
import json
import os
import random
import re
import socket
import threading
import time

POLICY = ("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
          "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TEXT = ("Count the ways to tile a strip of 2 by n with dominoes. The first column is covered either by one standing "
        "domino, which leaves a strip of length n \u2212 1, or by two lying ones, which leave n \u2212 2.\n\n"
        "So the number of ways f(n) follows f(n) = f(n \u2212 1) + f(n \u2212 2), with f(1) = 1 and f(2) = 2. "
        "These are the Fibonacci numbers, one step ahead.\n\n"
        "Carry it to the strip that was asked for: 1, 2, 3, 5, 8, 13, 21, 34, 55, 89. Each number is the sum of the two "
        "before it, so nothing but addition is left, and the tenth of them is the answer.\n\n"
        "Hence there are 89 ways to tile a strip of 2 by 10.")
MARKUP = "<img src=x onerror=\"window.broken=1\"> <script>window.broken=1</script> **bold** caf\u00e9 \U0001f9ee\n\tend"


def page(root):
    """The page as cmake/embed.cmake puts it together, its parts in the order that cmake/apps.cmake names."""
    with open(os.path.join(root, "cmake/apps.cmake")) as file:
        parts = re.search(r"embed_page\(server page \S+ \S+ ([^)]*)\)", file.read()).group(1).split()
    read = lambda name: open(os.path.join(root, "apps/server", name), encoding="utf-8").read()
    return (read("page.html").replace("@STYLE@", read("page.css"))
            .replace("@SCRIPT@", "".join(read(p + ".js") for p in parts))).encode()


def options(tau):
    return [{"name": "tau", "type": "real", "low": None, "high": None, "default": tau,
             "help": "the large model writes while the rolling entropy is above this"},
            {"name": "window", "type": "int", "low": 1, "high": 4096, "default": 5, "help": "tokens in the rolling mean"},
            {"name": "dwell", "type": "int", "low": 1, "high": 2147483647, "default": 10,
             "help": "tokens a model writes at least before it hands over"},
            {"name": "start", "type": "word", "low": 0, "high": 1, "default": "small", "words": ["small", "large"], "help": "who writes first"}]


def models():
    large = {"name": "large.gguf", "parameters": 7615616512}
    small = {"name": "small.gguf", "parameters": 494032768}
    common = {"object": "model", "created": 1764400000, "owned_by": "ead", "max_model_len": 8192}
    pair = {"policy": "ead", "tau": 1.0, "window": 5, "dwell": 10, "context": 8192, "template": True, "large": large,
            "small": small, "options": options(1.0)}
    return {"object": "list", "data": [{"id": "ead", **common, "ead": pair}, {"id": "large", **common, "ead": large},
                                       {"id": "small", **common, "ead": small}]}


def story(pieces, model, ead):
    """Tokens with numbers, by the policy itself over entropies that are made up but always the same."""
    dice, window = random.Random(7), collections.deque(maxlen=int(ead.get("window", 5)))
    tau, dwell = 1.0 if ead.get("tau") is None else ead["tau"], ead.get("dwell", 10)
    writer, since, heat = "small" if model == "ead" else model, 0, 0.0
    for i, piece in enumerate(pieces):
        heat = 0.84 * heat + (dice.random() < 0.035) * dice.uniform(1.6, 3.4)
        entropy = max(0.002, (heat + dice.expovariate(6)) * dice.uniform(0.35, 1.1))
        window.append(entropy)
        rolling = sum(window) / len(window)
        wanted = "large" if rolling > tau else "small"
        switched = model == "ead" and since >= dwell and wanted != writer
        if switched:
            writer, since = wanted, 0
        since += 1
        yield {"i": i, "id": 100 + i, "text": piece, "model": writer, "entropy": entropy, "rolling": rolling,
               "log_prob": -entropy / 2, "switched": switched}


def usage(told, seconds):
    large = sum(t["model"] == "large" for t in told)
    n, share = len(told), large / max(1, len(told))
    return {"prompt_tokens": 21, "completion_tokens": n, "total_tokens": 21 + n, "prompt_tokens_details": {"cached_tokens": 0},
            "ead": {"tokens": {"small": n - large, "large": large}, "share": share, "switches": sum(t["switched"] for t in told),
                    "parameter_cost": round(0.07 + 0.93 * share, 4), "tokens_per_second": n / max(seconds, 1e-3)}}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root):
        super().__init__(("127.0.0.1", 0), Handler)
        self.root, self.key, self.busy, self.pace = root, None, 1, 0.004
        self.bodies, self.keys, self.gone = [], [], []
        self.url = "http://127.0.0.1:%d/" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, message, param=None, **headers):
        self.reply(status, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}, **headers)

    def allowed(self):
        self.server.keys.append(self.headers.get("Authorization"))
        if self.server.key is None or self.headers.get("Authorization") == "Bearer " + self.server.key:
            return True
        self.fail(401, "This server asks for an API key.")
        return False

    def do_GET(self):
        if self.path.split("?")[0] == "/":
            self.reply(200, page(self.server.root), "text/html; charset=utf-8", Content_Security_Policy=POLICY)
        elif self.path == "/v1/models":
            if self.allowed():
                self.reply(200, models())
        else:
            self.fail(404, "no such path")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.allowed():
            return
        self.server.bodies.append(body)
        word = body["messages"][-1]["content"].split()[0].lower()
        if word == "busy" and self.server.busy:
            self.server.busy -= 1
            self.fail(503, "All places are taken and the queue is full.", Retry_After="2")
        elif word == "refuse":
            self.fail(400, "must be from 0 to 2", "temperature")
        else:
            self.stream(body, word)

    # ---- a stream ----

    def put(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def chunk(self, delta, finish=None, ead=None, **more):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        if ead:
            choice["ead"] = ead
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764400000, "model": "ead",
                "choices": [choice], **more}

    def events(self, body, word):
        """(event, pause behind it); at the end None where the stream breaks off."""
        text = MARKUP if word in ("markup", "cut") else TEXT
        pieces = re.findall(r"\s?[A-Za-z\u00e9]+|\s?\d|\n+|\s?[^\sA-Za-z\d]", text)
        if word == "markup":
            pieces = [MARKUP]
        if word == "slow":
            pieces = pieces * 20
        if word == "long":
            pieces = (pieces * 40)[:4000]
        told, began = [], time.monotonic()
        yield self.chunk({"role": "assistant", "content": ""}), 0
        for t in story(pieces[:body.get("max_tokens", 10 ** 9)], body["model"], body.get("ead", {})):
            told.append(t)
            if word == "struck" and t["i"] % 10 == 3:
                t["lost"] = [t | {"text": " sum", "model": "small", "judged": {"p": 0.002, "max_p": 0.97}},
                             t | {"text": "\n<b>", "model": "small"}]
            traced = t if body.get("ead", {}).get("trace") else None
            yield self.chunk({"content": t["text"]}, ead=traced), 0.03 if word == "slow" else 0 if word == "long" else self.server.pace
            if len(told) == 20 and word == "break":
                yield None, 0
                return
            if len(told) == 20 and word == "fault":
                yield {"error": {"message": "the large model could not be read", "type": "server_error", "param": None, "code": None}}, 0
                return
        if word == "short":
            return
        yield self.chunk({}, "length" if len(told) < len(pieces) else "stop"), 0
        yield {"choices": [], "usage": usage(told, time.monotonic() - began)}, 0
        yield "[DONE]", 0

    def stream(self, body, word):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if word == "cut":
                self.cut(body)
            else:
                for event, pause in self.events(body, word):
                    if event is None:
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
                    self.put(b"data: " + data.encode() + b"\n\n")
                    time.sleep(pause)
            self.put(b"")
        except OSError:
            self.server.gone.append(word)

    def cut(self, body):
        """All that a reader of events must bear: cuts within lines, characters and line ends, comments, several
        lines of data, three kinds of line end."""
        out, ends = b": hello\r\n\r\n", [b"\r\n", b"\n", b"\r"]
        for i, (event, _) in enumerate(self.events(body, "cut")):
            data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, indent=1 if i % 3 == 0 else None)
            end = ends[i % 3]
            lines = [b"data:" + (b" " if i % 2 else b"") + line for line in data.encode().split(b"\n")]
            out += end.join([b": keep", b"event: message", *lines]) + end + end
        dice = random.Random(3)
        while out:
            n = dice.choice([1, 1, 2, 3, 5, 400])
            self.put(out[:n])
            out = out[n:]
            time.sleep(0.0005)
