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
from wording import OPENERS, VERBS, Words  # noqa: E402
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


LINE = re.compile(r"(?P<lead>[^$]*(\$[^$]*\$[^$]*)?) \$(?P<seen>[^$]*)\$\. (?P<link>[^$]*) \$(?P<result>[^$]*)\$\.")
FREE = {word.rstrip(",").lower() for word in (*OPENERS, *VERBS)}


class WordCheck:
    """Words tell nothing of numbers. Three ways of failing: a choice that cannot be repeated from its task, its lead
    and its generator alone; a lead that differs where lines are otherwise worded alike; and, in the text as it is
    read, words that are more frequent beside some numbers than beside others in such lines."""

    LIMIT = 6.0  # standard deviations of chi-square that chance may explain
    LEAST = 2  # a word must be expected that often beside the numbers of a group

    def __init__(self):
        self.leads = {}  # rest of the line: what its words were chosen by
        self.tables = {}  # (what, place) -> {rest of the line: {group: Counter of words}}

    def add(self, problem):
        words = problem["words"]
        replayed = Words(problem["task"], words.seed)
        for lead, place, stock, _ in words.chosen:
            replayed.choose(lead, place, stock)
        if replayed.chosen != words.chosen:
            raise AssertionError(f"words that saw more than their place:\n{problem['solution']}")
        leads = [lead for lead, place, *_ in words.chosen if place == "link"]
        lines = [line for line in problem["solution"].split("\n") if "$. " in line]
        for lead, line in zip(leads, map(LINE.fullmatch, lines), strict=True):
            if line:
                self.add_line(problem, lead, line)

    def add_line(self, problem, lead, line):
        said = re.sub(r"\d+", "0", line["lead"]).lower().split()
        rest = (problem["task"], *(word for word in said if word.rstrip(",") not in FREE))
        if self.leads.setdefault(rest, lead) != lead:
            raise AssertionError(f"worded by '{lead}' and by '{self.leads[rest]}': {line[0]}")
        places = {"opener": said[0], "verb": said[-1], "link": line["link"]}
        groups = {"level": problem["level"], "operands": sum(map(str.isdigit, line["seen"])),
                  "length of the result": len(line["result"]), "end of the result": line["result"][-1]}
        for place, word in places.items():
            for what, group in groups.items():
                table = self.tables.setdefault((what, place), {}).setdefault(rest, {})
                table.setdefault(group, Counter())[word] += 1

    def finish(self):
        """Compares every group's words with those of all groups. Returns how many comparisons there were."""
        degrees = 0
        for (what, place), lines in self.tables.items():
            square, freedom = map(sum, zip(*(self.compare(groups) for groups in lines.values())))
            if square - freedom > self.LIMIT * (2 * freedom) ** 0.5:
                raise AssertionError(f"the {place} tells of the {what}: chi-square {square:.0f} of {freedom}")
            degrees += freedom
        return degrees

    def compare(self, groups):
        """Chi-square and its degrees of freedom over the groups that are large enough."""
        whole = sum(groups.values(), Counter())
        enough = whole.total() * self.LEAST / min(whole.values())
        large = [ranks for ranks in groups.values() if ranks.total() >= enough]
        if len(large) < 2:
            return 0.0, 0
        whole = sum(large, Counter())
        square = sum((words[word] - words.total() * n / whole.total()) ** 2 / (words.total() * n / whole.total())
                     for words in large for word, n in whole.items())
        return square, (len(large) - 1) * (len(whole) - 1)


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
          f"words independent of numbers in {words.finish()} degrees of freedom")


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
