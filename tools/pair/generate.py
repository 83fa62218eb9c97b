#!/usr/bin/env python3
"""Writes MATH-like problems with worked solutions: training text and three held-out sets.

    generate.py --write-sets DIR     calibration (500), test (1,000) and sample (20) in MATH's layout
    generate.py --write-train FILE   problems for training, one JSON object a line (train.py draws the
                                     same stream itself and needs no file)
    generate.py --check              verifies every equation of many solutions, and the split

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
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from subjects import REGISTRY  # noqa: E402

LEVELS = range(1, 6)
# Buckets of 64 by the hash of the numbers; the rest is training.
SPLITS = {"test": range(0, 3), "calibration": range(3, 5), "sample": range(5, 6)}
SIZES = {"calibration": 500, "test": 1000, "sample": 20}
TRAIN = "train"


def split_of(name, numbers):
    digest = hashlib.blake2b(repr((name, numbers)).encode(), digest_size=8).digest()
    bucket = int.from_bytes(digest, "little") % 64
    return next((s for s, buckets in SPLITS.items() if bucket in buckets), TRAIN)


def record(cell, level, task):
    answer = f"The answer is $\\boxed{{{task.answer}}}$."
    return {"problem": task.problem, "level": f"Level {level}", "type": cell.subject,
            "solution": "\n".join([cell.plan, *task.steps, answer]), "task": cell.name}


def draw_problem(rng, cell, level, split, tries=2000):
    """One problem of this task and level from this split, or None when it seems to have none."""
    for _ in range(tries):
        task = cell.function(rng, level)
        if split_of(cell.name, task.numbers) == split:
            return record(cell, level, task)
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
            out.write(json.dumps({k: v for k, v in problem.items() if k != "task"}) + "\n")


# --- checks -----------------------------------------------------------------------------------------

def value(expression):
    """The value of a purely numeric LaTeX expression, or None when it holds anything else."""
    text = expression.replace(r"\cdot", "*").replace("{", "(").replace("}", ")")
    text = re.sub(r"\\frac(\(\d+\))(\(\d+\))", r"(\1/\2)", text)
    text = re.sub(r"(\d+)!", r"factorial(\1)", text).replace("^", "**")
    if not re.fullmatch(r"[-+*/()\d]+|factorial\(\d+\)", text):
        return None
    exact = re.sub(r"\b(\d+)\b", r"Fraction(\1)", text) if "factorial" not in text else text
    from math import factorial
    return eval(exact, {"Fraction": Fraction, "factorial": factorial})


def check_equations(solution):
    """Every chain a=b=c of numbers must hold. Returns how many equalities were verified."""
    verified = 0
    for formula in re.findall(r"\$([^$]*)\$", solution):
        values = [value(side) for side in formula.split("=")]
        known = [v for v in values if v is not None]
        if any(v != known[0] for v in known):
            raise AssertionError(f"false equation {formula!r} in:\n{solution}")
        verified += max(0, len(known) - 1)
    return verified


def check(count):
    problems = stream("check")
    verified, texts = 0, set()
    for _ in range(count):
        problem = next(problems)
        verified += check_equations(problem["solution"])
        texts.add(normalise(problem["problem"]))
    sets = {split: held_out(split, size) for split, size in SIZES.items()}
    names = [normalise(p["problem"]) for ps in sets.values() for p in ps]
    assert len(set(names)) == len(names), "the held-out sets share a problem"
    assert not texts & set(names), "a held-out problem occurs in training"
    for problems in sets.values():
        verified += sum(check_equations(p["solution"]) for p in problems)
    print(f"{verified} equations hold; {len(texts)} distinct training problems of {count}; no overlap")


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
