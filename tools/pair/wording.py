"""How a solution is worded. Authors vary their words where nothing depends on them: how a line opens, its
verb, how it comes to its result, how the answer is announced. Each is drawn from a stock, so that a reader
is often in doubt of the next word, before easy and hard calculations alike, and any word is harmless.

Words never see a number: a choice is made by a generator of its own, for a task, a lead and a place in the
line. Every kind of problem has its habits: what is the favourite in one place is rare in another, but the
weights of favourite, second and last are the same everywhere. `generate.py --check` proves both.
"""
import random
import re
from functools import lru_cache
from itertools import accumulate

# An opening word before the lead; the empty one leaves the lead as it is.
OPENERS = ("", "Now", "Here", "Then", "Next,", "Also", "Further,", "Again")
# Between a calculation and its result.
LINKS = ("It is", "This makes", "That gives", "We get", "So we have", "Hence we find", "Thus it equals",
         "Altogether")
PAIR_LINKS = ("They are", "These are", "We find", "So we take", "Hence we have", "Thus we choose", "Both fit:",
              "Possible are")
CLOSINGS = ("The answer is", "So the answer is", "Hence the answer is", "Thus the answer is", "Our answer is",
            "Therefore the answer is", "This gives the answer", "We answer")
# A lead that ends with one of these may end with any word of its row.
VERBS = {verb: row for row in (
    ("is", "equals", "makes", "becomes", "gives", "means", "reads", "yields"),
    ("have", "get", "see", "find", "write", "keep", "need", "reach"),
    ("are", "make", "give", "form", "equal", "mean", "count", "yield"),
    ("has", "gets", "shows", "leaves", "takes", "adds", "counts", "holds"),
) for verb in row}


@lru_cache(maxsize=None)
def weights(size):
    """Of favourite to last, summed up: as in Zipf's law, but flatter, since all of a stock are common words."""
    return tuple(accumulate(1 / (rank + 5) for rank in range(size)))


@lru_cache(maxsize=None)
def habit(task, lead, place, stock):
    """The stock of a place from favourite to last."""
    ranked = list(stock)
    random.Random(f"{task} {lead} {place}").shuffle(ranked)
    return ranked


class Words:
    """The words of one solution."""

    def __init__(self, task, seed):
        self.task, self.seed = task, seed
        self.start_over()

    def start_over(self):
        self.random = random.Random(self.seed)
        self.chosen = []  # (lead, place, stock, rank), for the check

    def choose(self, lead, place, stock):
        lead = re.sub(r"\d+", "0", lead)
        rank = self.random.choices(range(len(stock)), cum_weights=weights(len(stock)))[0]
        self.chosen.append((lead, place, stock, rank))
        return habit(self.task, lead, place, stock)[rank]
