#!/usr/bin/env python3
"""Trains the pair. One command trains it from nothing, or goes on where an earlier run was cut off:

    train.py --out DIR --minutes 120

Problems are drawn without end from generate.stream, seeded by the step: the state of a run is its step,
its weights and its optimisers, saved every few minutes. The learning rate is constant (after a warm-up),
so that training can always go on; `--finish STEPS` lowers it to zero from the last checkpoint and writes
NAME.final.pt beside NAME.pt, which stays as it was. The script `retrain` holds the numbers of the shipped pair.
"""
import argparse
import itertools
import math
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from generate import stream  # noqa: E402
from model import SHAPES, Config, Model  # noqa: E402
from optimise import Optimiser  # noqa: E402
from tokenizer import Tokenizer, prompt, train_on_problems  # noqa: E402
from wording import LINKS, OPENERS  # noqa: E402

PIECES = 8  # a step's texts, sorted by length, go through the model in this many batches
RATE = {"large": 1.5e-3, "small": 3e-3}
WARM_UP = 200
SAVE_SECONDS = 180
WORD_WEIGHT = 0.25  # of a token outside $...$ in the loss; see README
DRILL_LENGTH = 113


def open_tokenizer(directory):
    path = os.path.join(directory, "vocab.json")
    if not os.path.exists(path):
        train_on_problems().save(path)
    return Tokenizer.load(path)


def weigh(tokenizer, ids, head):
    """The weight in the loss of every token after the first: none in the prompt, 1 inside $...$, less outside.
    What comes before a token decides, not the token itself, so the loss is least where it was: at the true
    probabilities."""
    weights, inside = [], False
    for at, i in enumerate(ids[:-1], 1):
        inside ^= tokenizer.dollars[i] % 2 == 1
        weights.append(0.0 if at < head else 1.0 if inside else WORD_WEIGHT)
    return weights


def problem_texts(tokenizer, seed, count):
    """Token ids of prompt, solution and end, and the weight of every token after the first."""
    for problem in itertools.islice(stream(seed), count):
        head = tokenizer.encode(prompt(problem["problem"]))
        ids = head + tokenizer.encode(" " + problem["solution"]) + [0]
        yield ids, weigh(tokenizer, ids, len(head))


def drill_texts(tokenizer, seed, count):
    """Calculations of training problems, of the harder levels more, with hardly a word: twice as many in as many
    tokens. Only results count in the loss, from the dollar that opens them."""
    rng, problems = random.Random(seed), stream(seed)
    for _ in range(count):
        ids, weights = [0], []
        while len(ids) < DRILL_LENGTH:
            problem = next(problems)
            if problem["level"] < "Level 3" and rng.random() < 0.6:
                continue
            for expression, result in problem["equations"]:
                line = f"{rng.choice(OPENERS[1:])} ${expression}$. {rng.choice(LINKS)} ${result}$.\n"
                dollars = 0
                for i in tokenizer.encode(line):
                    weights.append(float(dollars + tokenizer.dollars[i] >= 3))
                    dollars += tokenizer.dollars[i]
                    ids.append(i)
        yield ids[:DRILL_LENGTH], weights[:DRILL_LENGTH - 1]


def round_up(length):
    """Few different lengths, because every new shape costs the CPU library the making of new kernels."""
    return -(-length // 16) * 16


def batches(tokenizer, step, count, drills):
    """The texts of a step in batches of similar length: inputs, targets and weights."""
    texts = [*problem_texts(tokenizer, f"train {step}", count - drills),
             *drill_texts(tokenizer, f"drill {step}", drills)]
    texts.sort(key=lambda text: len(text[0]))
    size = count // PIECES
    for i in range(0, len(texts), size):
        piece = texts[i:i + size]
        longest = round_up(max(len(ids) for ids, _ in piece) - 1)
        inputs, targets = (torch.zeros(size, longest, dtype=torch.long) for _ in range(2))
        weights = torch.zeros(size, longest)
        for row, (ids, weight) in enumerate(piece):
            inputs[row, :len(ids) - 1] = torch.tensor(ids[:-1])
            targets[row, :len(ids) - 1] = torch.tensor(ids[1:])
            weights[row, :len(ids) - 1] = torch.tensor(weight)
        yield inputs, targets, weights


class Run:
    """One model in training."""

    def __init__(self, name, directory, device, finish, batch, drills, peak):
        self.name, self.device, self.batch, self.drills = name, device, batch, drills
        self.tokenizer = open_tokenizer(directory)
        torch.manual_seed(1)
        self.config = Config(len(self.tokenizer.tokens), **SHAPES[name])
        self.model = Model(self.config).to(device)
        self.optimiser = Optimiser(self.model, RATE[name])
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.decay_start, self.decay_steps, self.peak = None, 0, peak
        self.path = os.path.join(directory, f"{name}.pt")
        self.load()
        if finish:
            self.begin_finish(os.path.join(directory, f"{name}.final.pt"), finish)
        self.compiled = torch.compile(self.model.hidden, dynamic=True)
        self.map = map  # the first step compiles, in one thread

    def start_threads(self, count):
        """Each takes a batch at a time: threads that meet once a step lose less to a busy machine than threads
        that meet in every product."""
        if count > 1:
            self.map = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)).map

    def load(self):
        if not os.path.exists(self.path):
            return
        state = torch.load(self.path, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        for key in ("step", "tokens", "seconds", "decay_start", "decay_steps"):
            setattr(self, key, state[key])

    def begin_finish(self, path, steps):
        """Goes on with an unfinished decay from this very step, or starts one."""
        stable, self.path = self.step, path
        if os.path.exists(path):
            decay = torch.load(path, map_location="cpu")
            if decay["decay_start"] == stable and decay["decay_steps"] == steps:
                return self.load()
        self.decay_start, self.decay_steps = stable, steps

    def save(self):
        keys = ("step", "tokens", "seconds", "decay_start", "decay_steps", "name")
        state = {k: getattr(self, k) for k in keys}
        state |= {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(),
                  "config": self.config.to_dict()}
        torch.save(state, self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def factor(self):
        if self.decay_start is None:
            return min(1.0, (self.step + 1) / WARM_UP)
        return self.peak * (1 - (self.step - self.decay_start) / self.decay_steps)

    def finished(self):
        return self.decay_start is not None and self.step >= self.decay_start + self.decay_steps

    def train_step(self):
        """One update; returns the weighted mean loss of a token."""
        drills = int(self.batch * self.drills * self.factor())  # they fade as the rate does
        pieces = [[x.to(self.device) for x in piece]
                  for piece in batches(self.tokenizer, self.step, self.batch, drills)]
        weight = sum(weights.sum() for *_, weights in pieces)
        total = sum(self.map(lambda piece: self.add_gradient(*piece, weight), reversed(pieces)))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step(self.factor(), self.map)
        self.step += 1
        self.tokens += sum(inputs.numel() for inputs, *_ in pieces)
        return total

    def add_gradient(self, inputs, targets, weights, weight):
        """Of a batch's part in the loss, which it returns."""
        wanted = weights > 0
        with torch.autocast(self.device, torch.bfloat16):
            logits = self.model.logits(self.compiled(inputs)[wanted])
        losses = F.cross_entropy(logits.float(), targets[wanted], reduction="none")
        loss = (losses * weights[wanted]).sum() / weight
        loss.backward()
        return loss.item()

    def train(self, seconds, steps, threads):
        start = last_save = last_print = time.time()
        losses, stopped = [], []
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
        while time.time() - start < seconds and self.step < steps and not self.finished() and not stopped:
            began = time.time()
            losses.append(self.train_step())
            self.seconds += time.time() - began
            if len(losses) == 1 and self.map is map:
                self.start_threads(threads)
            if time.time() - last_print > 30:
                print(f"{self.name} step {self.step} loss {sum(losses) / len(losses):.4f} "
                      f"tokens {self.tokens / 1e6:.2f}M rate {self.tokens / self.seconds:.0f}/s", flush=True)
                losses, last_print = [], time.time()
            if time.time() - last_save > SAVE_SECONDS:
                self.save()
                last_save = time.time()
        self.save()
        if stopped:
            sys.exit(f"{self.name}: stopped and saved at step {self.step}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="directory of vocabulary and checkpoints")
    parser.add_argument("--model", choices=SHAPES, help="only this one; default: small, then large")
    parser.add_argument("--minutes", type=float, default=math.inf, help="for each model")
    parser.add_argument("--steps", type=int, default=sys.maxsize, help="stop at this step")
    parser.add_argument("--finish", type=int, default=0, metavar="STEPS",
                        help="lower the learning rate to zero")
    parser.add_argument("--peak", type=float, default=1, metavar="SHARE",
                        help="of the rate, from which --finish lowers it: less for weights that were finished before")
    parser.add_argument("--batch", type=int, default=64, help="texts a step, a multiple of 8")
    parser.add_argument("--drills", type=float, default=0, metavar="SHARE", help="of the texts that are drills")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(args.out, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for name in [args.model] if args.model else ["small", "large"]:
        run = Run(name, args.out, device, args.finish, args.batch, args.drills, args.peak)
        print(f"{name}: {run.model.parameter_count()} parameters, step {run.step}, {device}", flush=True)
        run.train(args.minutes * 60, args.steps, args.threads)


if __name__ == "__main__":
    main()
