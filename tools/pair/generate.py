#!/usr/bin/env python3
"""Writes MATH-like problems with worked solutions: training text and three held-out sets.

    generate.py --write-sets DIR     calibration (500), test (1,000) and sample (20) in MATH's layout
    generate.py --write-train FILE   problems for training, one JSON object a line (train.py draws the
                                     same stream itself and needs no file)
    generate.py --check              verifies every calculation of many solutions, that no word tells
                                     of a number, and the split

A problem belongs to one split by a hash of its numbers, whatever its wording, its names and its level:
a held-out problem cannot return in training in other words.
"""
import argparse
import hashlib
import json
import os
import random
import re
import sys
from collections import Counter
from fractions import Fraction
from math import gcd

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from subjects import REGISTRY  # noqa: E402
from wording import Words  # noqa: E402
from work import Work  # noqa: E402

LEVELS = range(1, 6)
# Buckets of 64 by the hash of the numbers; the rest is training.
SPLITS = {"test": range(0, 3), "calibration": range(3, 5), "sample": range(5, 6)}
SIZES = {"calibration": 500, "test": 1000, "sample": 20}
TRAIN = "train"
KEYS = ("problem", "level", "type", "solution")  # of MATH's files


def split_of(name, numbers):
    digest = hashlib.blake2b(repr((name, numbers)).encode(), digest_size=8).digest()
    bucket = int.from_bytes(digest, "little") % 64
    return next((s for s, buckets in SPLITS.items() if bucket in buckets), TRAIN)


def record(cell, level, task, work):
    work.close(task.answer)
    return {"problem": task.problem, "level": f"Level {level}", "type": cell.subject,
            "solution": "\n".join([cell.plan, *work.lines]),
            "task": cell.name, "equations": work.equations, "words": work.words}


def draw_problem(rng, cell, level, split, tries=2000):
    """One problem of this task and level from this split, or None when it seems to have none."""
    for _ in range(tries):
        work = Work(Words(cell.name, rng.getrandbits(64)))
        task = cell.function(work, rng, level)
        if split_of(cell.name, task.numbers) == split:
            return record(cell, level, task, work)
    return None


def stream(seed, split=TRAIN):
    """Endless problems, task and level uniform. The same seed gives the same problems."""
    rng = random.Random(seed)
    while True:
        problem = draw_problem(rng, rng.choice(REGISTRY), rng.choice(LEVELS), split)
        if problem:
            yield problem


def normalise(text):
    return re.sub(r"\s+", "", text).lower()


def held_out(split, size, seed=2025):
    """A set of distinct problems that goes round all tasks and levels."""
    rng = random.Random(f"{seed} {split}")
    cells = [(cell, level) for cell in REGISTRY for level in LEVELS]
    rng.shuffle(cells)
    problems, seen = [], set()
    while len(problems) < size:
        for cell, level in cells:
            problem = draw_problem(rng, cell, level, split)
            if problem and normalise(problem["problem"]) not in seen and len(problems) < size:
                seen.add(normalise(problem["problem"]))
                problems.append(problem)
    return problems


def write_sets(directory):
    os.makedirs(directory, exist_ok=True)
    for split, size in SIZES.items():
        path = os.path.join(directory, split + ".jsonl")
        write_lines(path, held_out(split, size))
        print(f"{path}: {size} problems")


def write_lines(path, problems):
    with open(path, "w") as out:
        for problem in problems:
            out.write(json.dumps({k: problem[k] for k in KEYS}) + "\n")


# --- checks -----------------------------------------------------------------------------------------

def value(expression):
    """The number behind a calculation or its result; a root by its square."""
    text = expression.replace(r"\cdot", "*").replace(r"\bmod", "%").replace("{", "(").replace("}", ")")
    text = re.sub(r"\\frac(\([^()]+\))(\([^()]+\))", r"(\1/\2)", text)
    text = re.sub(r"\\log_(\d+) (\d+)", r"log(\1,\2)", text).replace(r"\gcd", "gcd")
    root = re.fullmatch(r"(\d*)\\sqrt\((\d+)\)", text)
    if root:
        text = f"{root[1] or 1}**2*{root[2]}"
    exact = re.sub(r"(\d+)", r"Fraction(\1)", text.replace("^", "**"))
    return eval(exact, {"Fraction": Fraction, "gcd": lambda a, b: gcd(int(a), int(b)), "log": whole_log})


def whole_log(base, n):
    power = 0
    while base ** power < n:
        power += 1
    assert base ** power == n
    return power


def check_equations(problem):
    """Every calculation must hold. Returns how many there were."""
    for expression, result in problem["equations"]:
        left, right = value(expression), value(result)
        if "sqrt" in expression and "sqrt" not in result:
            right *= right
        if left != right:
            raise AssertionError(f"false: {expression} = {result} in:\n{problem['solution']}")
    return len(problem["equations"])


class WordCheck:
    """Words tell nothing of numbers. Two ways of failing: a choice that cannot be repeated from its task, its
    lead and its generator alone, and ranks that are not equally frequent whatever the numbers beside them are."""

    LIMIT = 6.0  # standard deviations of a chi-square sum; chance alone passes it once in 10^9 tables

    def __init__(self):
        self.tables = {}  # (what, size of stock) -> {class: Counter of ranks}

    def add(self, problem):
        words = problem["words"]
        replayed = Words(problem["task"], words.seed)
        for lead, place, stock, _ in words.chosen:
            replayed.choose(lead, place, stock)
        if replayed.chosen != words.chosen:
            raise AssertionError(f"words that saw more than their place:\n{problem['solution']}")
        result = iter(problem["equations"])
        for lead, place, stock, rank in words.chosen:
            self.count("level", place, problem["level"], rank)
            if place == "link":
                expression, value = next(result)
                self.count("digits of the operands", place, sum(c.isdigit() for c in expression), rank)
                self.count("digits of the result", place, sum(c.isdigit() for c in value), rank)
                self.count("last digit of the result", place, value[-1], rank)

    def count(self, what, place, group, rank):
        self.tables.setdefault((what, place), {}).setdefault(group, Counter())[rank] += 1

    def finish(self):
        """Compares every group's ranks with those of all groups."""
        for (what, place), groups in self.tables.items():
            whole = sum(groups.values(), Counter())
            total, freedom, square = whole.total(), 0, 0.0
            for ranks in groups.values():
                expected = {rank: ranks.total() * n / total for rank, n in whole.items()}
                if min(expected.values()) < 5:
                    continue
                square += sum((ranks[rank] - e) ** 2 / e for rank, e in expected.items())
                freedom += len(whole) - 1
            if square - freedom > self.LIMIT * (2 * freedom) ** 0.5:
                raise AssertionError(f"the {place} tells of the {what}: chi-square {square:.0f} of {freedom}")
        return len(self.tables)


def check(count):
    problems = stream("check")
    verified, texts, words = 0, set(), WordCheck()
    for _ in range(count):
        problem = next(problems)
        verified += check_equations(problem)
        words.add(problem)
        texts.add(normalise(problem["problem"]))
    sets = {split: held_out(split, size) for split, size in SIZES.items()}
    names = [normalise(p["problem"]) for ps in sets.values() for p in ps]
    assert len(set(names)) == len(names), "the held-out sets share a problem"
    assert not texts & set(names), "a held-out problem occurs in training"
    for problems in sets.values():
        verified += sum(check_equations(p) for p in problems)
    print(f"{verified} calculations hold; {len(texts)} distinct training problems of {count}; no overlap; "
          f"words independent of numbers in {words.finish()} tables")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-sets", metavar="DIR")
    parser.add_argument("--write-train", metavar="FILE")
    parser.add_argument("--count", type=int, default=200000, help="problems for --write-train and --check")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.write_sets:
        write_sets(args.write_sets)
    if args.write_train:
        problems = stream(args.seed)
        write_lines(args.write_train, (next(problems) for _ in range(args.count)))
    if args.check:
        check(args.count)


if __name__ == "__main__":
    main()
