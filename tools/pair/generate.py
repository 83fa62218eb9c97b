#!/usr/bin/env python3
"""Writes MATH-like problems with worked solutions: training text and three held-out sets.

    generate.py --write-sets DIR     calibration (500), test (1,000) and sample (20) in MATH's layout
    generate.py --write-train FILE   problems for training, one JSON object a line (train.py draws the
                                     same stream itself and needs no file)
    generate.py --check              verifies every calculation of many solutions, that no remark tells
                                     of a result, and the split

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
from math import gcd

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from subjects import REGISTRY  # noqa: E402
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
    answer = f"The answer is $\\boxed{{{task.answer}}}$."
    return {"problem": task.problem, "level": f"Level {level}", "type": cell.subject,
            "solution": "\n".join([cell.plan, *work.lines, answer]),
            "task": cell.name, "equations": work.equations, "ratings": work.ratings}


def draw_problem(rng, cell, level, split, tries=2000):
    """One problem of this task and level from this split, or None when it seems to have none."""
    for _ in range(tries):
        work = Work(rng)
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


def check_ratings(problem, known):
    """A remark is chosen by the shape of a calculation alone; `known`: the rating of every shape so far."""
    for shape, rating in problem["ratings"]:
        if known.setdefault(shape, rating) != rating:
            raise AssertionError(f"{shape} is rated {known[shape]} and {rating}, so its remark tells of the result")


def check(count):
    problems = stream("check")
    verified, texts, ratings = 0, set(), {}
    for _ in range(count):
        problem = next(problems)
        verified += check_equations(problem)
        check_ratings(problem, ratings)
        texts.add(normalise(problem["problem"]))
    sets = {split: held_out(split, size) for split, size in SIZES.items()}
    names = [normalise(p["problem"]) for ps in sets.values() for p in ps]
    assert len(set(names)) == len(names), "the held-out sets share a problem"
    assert not texts & set(names), "a held-out problem occurs in training"
    for problems in sets.values():
        verified += sum(check_equations(p) for p in problems)
    print(f"{verified} calculations hold; {len(texts)} distinct training problems of {count}; no overlap; "
          f"{len(ratings)} shapes rated")


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
