"""A hub of models that is made up, with a CDN beside it: what `ead pull` is tested against."""

import contextlib
import hashlib
import http.server
import json
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "some-one/Tiny.Pair-GGUF"


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def give(self, status, body=b"", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class Hub:
    """Files by name, behind a redirection to a second server. What went over the wire is kept."""

    def __init__(self, files, repo=REPO, revision="main", **how):
        self.files, self.repo, self.revision, self.commit = dict(files), repo, revision, COMMIT
        self.sums = {name: digest(data) for name, data in files.items()}
        self.asked, self.served, self.keys, self.cdn_keys, self.sent = [], [], [], [], 0
        self.token = self.gated = None
        self.ranges, self.names_sums, self.hops, self.pause = True, True, 1, 0.0
        self.cuts = []   # bytes after which the next answers of the CDN break off
        self.failures = []  # statuses of the next answers of the hub
        self.link = None
        self.__dict__.update(how)
        outer = self

        class Front(Handler):
            def do_GET(self):
                outer.front(self)

        class Cdn(Handler):
            def do_GET(self):
                outer.cdn_keys.append(self.headers["Authorization"])
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    outer.serve(self)

        self.servers = [Quiet(("127.0.0.1", 0), Front), Quiet(("127.0.0.1", 0), Cdn)]
        self.url, self.cdn = (f"http://127.0.0.1:{s.server_port}" for s in self.servers)

    def front(self, handler):
        self.asked.append(handler.path)
        self.keys.append(handler.headers["Authorization"])
        if self.failures:
            status, headers = self.failures.pop(0)
            return handler.give(status, {"error": "busy"}, **headers)
        path, _, query = handler.path.partition("?")
        if self.token and handler.headers["Authorization"] != "Bearer " + self.token:
            return handler.give(401, {"error": "Invalid username or password."}, X_Error_Message="Invalid username")
        if path == f"/api/models/{self.repo}/revision/{self.revision}" and query == "blobs=true":
            return handler.give(200, self.listing(), Content_Type="application/json")
        start = f"/{self.repo}/resolve/{self.commit}/"
        name = urllib.parse.unquote(path.removeprefix(start))
        if not path.startswith(start) or name not in self.files:
            return handler.give(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        if self.gated:
            return handler.give(403, {"error": "Access to model is restricted"}, X_Error_Code="GatedRepo")
        hop = int(query or 0) + 1
        link = self.link or (self.cdn + "/" + urllib.parse.quote(name) + "?signature=" + "x" * 1500)
        link = link if hop >= self.hops else f"{path}?{hop}"
        handler.give(302, Location=link, X_Linked_Size=str(len(self.files[name])),
                     X_Linked_ETag=f'"{self.sums[name]}"')

    def listing(self):
        siblings = [{"rfilename": "README.md", "size": 5, "blobId": "a"}]
        for name, data in self.files.items():
            lfs = {"lfs": {"sha256": self.sums[name], "size": len(data), "pointerSize": 134}} if self.names_sums else {}
            siblings.append({"rfilename": name, "size": len(data), "blobId": "b", **lfs})
        return {"id": self.repo, "sha": self.commit, "siblings": siblings}

    def serve(self, handler):
        data = self.files[urllib.parse.unquote(handler.path.partition("?")[0][1:])]
        found = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "")
        begin = int(found.group(1)) if found and self.ranges else 0
        self.served.append(handler.headers["Range"])
        ranged = found and self.ranges
        handler.send_response(206 if ranged else 200)
        if ranged:
            handler.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Type", "application/octet-stream")
        handler.send_header("Content-Length", str(len(data) - begin))
        handler.end_headers()
        end = begin + self.cuts.pop(0) if self.cuts else len(data)
        for at in range(begin, min(end, len(data)), 16384):
            piece = data[at:min(at + 16384, end)]
            handler.wfile.write(piece)
            self.sent += len(piece)
            time.sleep(self.pause)
        handler.close_connection = end < len(data)

    def __enter__(self):
        for s in self.servers:
            threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for s in self.servers:
            s.shutdown()
            s.server_close()

    def use_tls(self, folder):
        """Put the hub, not its CDN, behind TLS; the path of its certificate."""
        key, cert = folder + "/key.pem", folder + "/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.servers[0].socket = context.wrap_socket(self.servers[0].socket, server_side=True)
        self.url = self.url.replace("http:", "https:")
        return cert
