"""The problems, one module a subject. A task is a function (work, rng, level) -> Task, which leaves the
lines of the solution in `work`; `task` registers it."""
from collections import namedtuple

# numbers: the parameters that make the problem (no names, no wording): the split is by their hash.
Task = namedtuple("Task", "numbers problem answer")

REGISTRY = []  # in the order of definition
Cell = namedtuple("Cell", "subject name plan function")


def task(subject, plan):
    """Registers a function; `plan` is the sentence that names the method and opens every solution."""
    def register(function):
        REGISTRY.append(Cell(subject, function.__name__, plan, function))
        return function
    return register


def draw(rng, level, *spans):
    """A whole number from the span of this level: draw(rng, level, (2, 9), ... five spans)."""
    return rng.randint(*spans[level - 1])


def nonzero(rng, low, high):
    while True:
        n = rng.randint(low, high)
        if n:
            return n


from . import (prealgebra, algebra, number_theory, counting, geometry,  # noqa: E402,F401
               intermediate, precalculus)
