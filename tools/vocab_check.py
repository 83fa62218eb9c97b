#!/usr/bin/env python3
"""Compare the ids that ead and llama.cpp make of the same texts, and decode ead's ids again.

    VENV/bin/python tools/vocab_check.py FILE.gguf [-n 100000] [--seed 1] --texts FILE ...

The interpreter needs llama-cpp-python; build/vocab_stream is built with the tests. Texts are cut
from the files given, or put together from tokens of the vocabulary (whole or broken off), control
tokens, runs of white space and characters of many scripts; with and without BOS, special tokens
parsed or not. A tenth are bytes that are mostly no UTF-8: they must only come back, as ead means
to differ there. So it does about U+2581, which no text has (src/text/vocab.h).
Vocabularies that add a space before a text are compared, too, but the text that comes back is not.
The status is 1 where ids differ or a text does not come back; a difference where llama.cpp keeps
"</s>", a user-defined token, for a control token is counted apart.
"""
import argparse
import ctypes
import os
import random
import struct
import subprocess
import sys

import llama_cpp

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "\u2581".encode()
CONTROL, USER_DEFINED = 8, 16  # attributes of llama.cpp
BOS, SPECIAL = 1, 2            # flags of ead
SCRIPTS = [(0x20, 0x17f), (0x300, 0x36f), (0x400, 0x5ff), (0x600, 0x6ff), (0x900, 0xdff),
           (0x2000, 0x206f), (0x3040, 0x30ff), (0x4e00, 0x9fff), (0xac00, 0xd7a3),
           (0xe000, 0x10ffff), (0x1f1e6, 0x1faff)]


class Peer:
    def __init__(self, path):
        self.quiet = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self.quiet, ctypes.c_void_p(0))
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), params)
        if not self.model:
            sys.exit(f"vocab_check.py: llama.cpp does not open {path}")
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.size = llama_cpp.llama_vocab_n_tokens(self.vocab)

    def tokenize(self, text, flags):
        ids = (llama_cpp.llama_token * (len(text) + 8))()
        n = llama_cpp.llama_tokenize(self.vocab, text, len(text), ids, len(ids),
                                     bool(flags & BOS), bool(flags & SPECIAL))
        return list(ids[:n])

    def piece(self, i):
        out = ctypes.create_string_buffer(1024)
        n = llama_cpp.llama_token_to_piece(self.vocab, i, out, len(out), 0, True)
        return out.raw[:max(n, 0)]

    def special(self):
        return [self.piece(i) for i in range(self.size)
                if llama_cpp.llama_vocab_get_attr(self.vocab, i) & (CONTROL | USER_DEFINED)]

    def ends(self):
        return [i for i in range(self.size) if llama_cpp.llama_vocab_is_eog(self.vocab, i)]


def clean(text):
    return text.decode("utf-8", "ignore").encode().replace(MARK, b"")


def draw_part(draw, peer, special, files):
    kind = draw.random()
    if kind < 0.3:
        return peer.piece(draw.randrange(peer.size))
    if kind < 0.45 and special:
        token = draw.choice(special)
        return token if draw.random() < 0.8 else token[:draw.randrange(len(token) + 1)]
    if kind < 0.6:
        return draw.choice([b" ", b"\n", b"\t", b"\r\n", b" \n"]) * draw.choice(
            [1, 2, 3, 4, 5, 8, 15, 16, 17, 30, 31, 32, 33, 62, 63, 70])
    if kind < 0.8:
        codes = [draw.randint(*draw.choice(SCRIPTS)) for _ in range(draw.randrange(1, 6))]
        return "".join(map(chr, codes)).encode("utf-8", "ignore")
    return draw_cut(draw, files, 30)


def draw_cut(draw, files, most):
    text = draw.choice(files)
    at = draw.randrange(len(text))
    return text[at:at + draw.randrange(1, most)]


def draw_bytes(draw):
    some = draw.choice([range(256), b"\xe2\x96\x81\xf0\x9f\x98 \n\xc3ab\xed\xa0", b" \n\tab\xff"])
    return bytes(draw.choice(some) for _ in range(draw.randrange(80))).replace(MARK, b"")


def draw_text(draw, peer, special, files):
    if draw.random() < 0.1:
        return draw_bytes(draw)
    if draw.random() < 0.25:
        return clean(draw_cut(draw, files, 600))
    parts = draw.choice([1, 2, 3, 5, 8, 20])
    return clean(b"".join(draw_part(draw, peer, special, files) for _ in range(parts)))


def ask_ead(program, path, texts):
    sent = b"".join(struct.pack("<II", flags, len(text)) + text for flags, text in texts)
    got = subprocess.run([program, path], input=sent, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for _ in texts:
        n, = struct.unpack_from("<I", got, at)
        ids = list(struct.unpack_from(f"<{n}i", got, at + 4))
        at += 4 + 4 * n
        m, = struct.unpack_from("<I", got, at)
        yield ids, got[at + 4:at + 4 + m]
        at += 4 + m


def is_utf8(text):
    return text.decode("utf-8", "ignore").encode() == text


def judge(peer, flags, text, ids, back, no_prefix):
    """What is wrong, or "" ("struck" for the difference that is meant)."""
    bos = llama_cpp.llama_vocab_bos(peer.vocab)
    adds = flags & BOS and llama_cpp.llama_vocab_get_add_bos(peer.vocab)
    brings = adds and flags & SPECIAL and text.startswith(peer.piece(bos))
    if adds and not brings:
        back = back.removeprefix(peer.piece(bos))
    if is_utf8(text):
        want = peer.tokenize(text, flags)[1 if brings else 0:]  # ead adds no second BOS
        if ids != want:
            return "struck" if b"</s>" in text and not flags & SPECIAL else f"ids {ids} not {want}"
    return "does not come back" if no_prefix and back != text else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("-n", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", nargs="+", required=True)
    parser.add_argument("--program", default=os.path.join(HERE, "../build/vocab_stream"))
    args = parser.parse_args()

    peer, draw = Peer(args.model), random.Random(args.seed)
    files = [text for text in (clean(open(path, "rb").read()) for path in args.texts) if text]
    special = peer.special()
    texts = [(draw.randrange(4), draw_text(draw, peer, special, files)) for _ in range(args.n)]
    no_prefix = peer.piece(peer.tokenize(b"a", 0)[0])[:1] == b"a"
    wrong = struck = tokens = 0
    for (flags, text), (ids, back) in zip(texts, ask_ead(args.program, args.model, texts)):
        verdict = judge(peer, flags, text, ids, back, no_prefix)
        tokens += len(ids)
        struck += verdict == "struck"
        if verdict and verdict != "struck":
            wrong += 1
            if wrong < 10:
                print(f"flags {flags}, {text!r}: {verdict}")
    print(f"{len(texts)} texts, {tokens} tokens: {wrong} wrong, {struck} with </s> as text there")
    print("llama.cpp's ends:", " ".join(f"{i} {peer.piece(i)!r}" for i in peer.ends()))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
