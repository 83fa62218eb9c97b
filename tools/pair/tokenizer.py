"""A byte-level BPE vocabulary in the manner of GPT-2, with Qwen2's split (every digit alone).

It is trained on the generator's own text, so that a frequent word or LaTeX command is one token. Any
byte has a token; id 0 ends a text. In GGUF: tokenizer.ggml.model = gpt2, tokenizer.ggml.pre = qwen2.

    tokenizer.py FILE    trains and writes the vocabulary (JSON: the merges in order)
"""
import itertools
import json
import re
import sys
from collections import Counter

END = "<|endoftext|>"
VOCABULARY = 896
TRAINING_PROBLEMS = 30000

# Qwen2's expression for ASCII text; beyond ASCII a letter here is a symbol, which no problem contains.
SPLIT = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]"
                   r"| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_names():
    """The printable character by which GPT-2's files name each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    names = {b: chr(b) for b in plain}
    others = itertools.count(256)
    for b in range(256):
        if b not in names:
            names[b] = chr(next(others))
    return [names[b] for b in range(256)]


BYTE_NAMES = byte_names()


def spell(piece):
    return tuple(BYTE_NAMES[b] for b in piece.encode())


def merge_pair(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def train(texts, size=VOCABULARY):
    """The merges, most frequent pair first; ties go to the pair that sorts first."""
    words = Counter()
    for text in texts:
        words.update(SPLIT.findall(text))
    words = {spell(w): n for w, n in words.items()}
    merges = []
    while len(merges) < size - 257:
        pairs = Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        words = {merge_pair(word, best): n for word, n in words.items()}
    return merges


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.tokens = [END, *BYTE_NAMES, *(a + b for a, b in self.merges)]
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        self.bytes = {name: b for b, name in enumerate(BYTE_NAMES)}
        self.cache = {}
        self.dollars = [t.count("$") for t in self.tokens]

    @classmethod
    def load(cls, path):
        with open(path) as file:
            return cls(json.load(file)["merges"])

    def save(self, path):
        with open(path, "w") as file:
            json.dump({"merges": self.merges}, file)

    def piece(self, text):
        if text not in self.cache:
            word = spell(text)
            while len(word) > 1:
                pair = min(zip(word, word[1:]), key=lambda p: self.rank.get(p, len(self.rank)))
                if pair not in self.rank:
                    break
                word = merge_pair(word, pair)
            self.cache[text] = [self.ids[t] for t in word]
        return self.cache[text]

    def encode(self, text):
        return [i for piece in SPLIT.findall(text) for i in self.piece(piece)]

    def decode(self, ids):
        names = "".join(self.tokens[i] for i in ids if i)
        return bytes(self.bytes[c] for c in names).decode(errors="replace")


def prompt(problem):
    """The template: plain text, no roles."""
    return f"Problem: {problem}\nSolution:"


def train_on_problems():
    from generate import stream
    problems = itertools.islice(stream("tokenizer"), TRAINING_PROBLEMS)
    texts = (f"{prompt(p['problem'])} {p['solution']}" for p in problems)
    return Tokenizer(train(texts))


def main():
    tokenizer = train_on_problems()
    tokenizer.save(sys.argv[1])
    print(f"{len(tokenizer.tokens)} tokens")


if __name__ == "__main__":
    main()
