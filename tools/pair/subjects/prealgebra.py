from math import gcd

from work import add, divide, frac, ratio, reduce_fraction, sum_expression, times
from . import Task, draw, task

SUBJECT = "Prealgebra"
NAMES = ("Anna", "Ben", "Carla", "David", "Emma", "Frank")
THINGS = ("pens", "books", "apples", "tickets", "shirts", "cakes")


@task(SUBJECT, "Products come before sums and differences.")
def order_of_operations(rng, level):
    a = draw(rng, level, (2, 20), (10, 60), (20, 99), (20, 99), (100, 400))
    b = draw(rng, level, (2, 9), (3, 9), (11, 40), (11, 60), (11, 60))
    c = draw(rng, level, (2, 9), (3, 9), (3, 9), (4, 9), (11, 30))
    d = draw(rng, level, (1, 9), (5, 30), (10, 60), (4, 9), (11, 30))
    e = draw(rng, level, (1, 1), (1, 1), (1, 1), (11, 40), (4, 9))
    two = level >= 4
    tail = rf"{d}\cdot{e}" if two else str(d)
    steps = [f"Multiply first: ${times(b, c)}$" + (f" and ${times(d, e)}$." if two else ".")]
    steps.append(f"Then ${add(a, b * c, -d * e)}$.")
    ask = rng.choice(("Compute", "Evaluate", "Find the value of"))
    return Task((a, b, c, d, e), rf"{ask} ${a}+{b}\cdot{c}-{tail}$.", steps, a + b * c - d * e)


@task(SUBJECT, "We bring both fractions to a common denominator.")
def add_fractions(rng, level):
    b, d = (draw(rng, level, (2, 6), (2, 9), (3, 12), (4, 15), (6, 24)) for _ in range(2))
    a, c = rng.randint(1, b), rng.randint(1, d)
    op = "+" if level < 3 or rng.random() < 0.5 or a * d <= c * b else "-"
    common = b * d // gcd(b, d)
    p, q = a * (common // b), c * (common // d)
    top = p + q if op == "+" else p - q
    steps = [f"The common denominator of ${b}$ and ${d}$ is ${common}$.",
             f"Rewrite: ${frac(a, b)}={frac(p, common)}$ and ${frac(c, d)}={frac(q, common)}$.",
             f"Then ${p}{op}{q}={top}$, so we get ${reduce_fraction(top, common)}$."]
    ask = rng.choice(("Compute", "Write as a single fraction in lowest terms:", "Simplify"))
    return Task((a, b, c, d, op), f"{ask} ${frac(a, b)}{op}{frac(c, d)}$.", steps, ratio(top, common))


def percent_steps(p, n, level):
    """Level 1 goes by tens of percent, level 2 by fives, unless one percent is a whole number."""
    if n % 100 == 0:
        return [f"One percent of ${n}$ is ${divide(n, 100)}$.", f"Then ${times(n // 100, p)}$."]
    tenth = f"Ten percent of ${n}$ is ${divide(n, 10)}$."
    if level == 2:
        return [tenth, f"Five percent is ${divide(n, 20)}$.", f"Then ${times(n // 20, p // 5)}$."]
    return [tenth, f"We need ${divide(p, 10)}$ times that.", f"Then ${times(n // 10, p // 10)}$."]


@task(SUBJECT, "We find a simple part first and multiply it.")
def percent_of(rng, level):
    p = draw(rng, level, (1, 9), (1, 19), (2, 99), (11, 99), (11, 99))
    p = p * 10 if level == 1 else p * 5 if level == 2 else p
    n = draw(rng, level, (1, 20), (1, 20), (1, 9), (2, 30), (11, 60))
    n *= 10 if level == 1 else 20 if level == 2 else 100
    part = n * p // 100
    steps = percent_steps(p, n, level)
    extra = rng.random() < 0.5 and level >= 4
    if extra:
        steps.append(f"The new price is ${add(n, -part)}$.")
        ask = f"A price of ${n}$ dollars falls by ${p}\\%$. What is the new price in dollars?"
    else:
        ask = rng.choice((f"What is ${p}\\%$ of ${n}$?", f"Find ${p}\\%$ of ${n}$."))
    return Task((p, n, extra), ask, steps, n - part if extra else part)


@task(SUBJECT, "We find what each kind costs, add the costs and subtract.")
def shopping_change(rng, level):
    kinds = 2 if level < 4 else 3
    things = rng.sample(THINGS, kinds)
    counts = [draw(rng, level, (2, 5), (2, 9), (3, 9), (3, 12), (6, 25)) for _ in things]
    prices = [draw(rng, level, (2, 6), (3, 12), (6, 30), (6, 40), (11, 60)) for _ in things]
    costs = [c * p for c, p in zip(counts, prices)]
    paid = sum(costs) + draw(rng, level, (1, 20), (1, 40), (3, 90), (3, 200), (3, 400))
    bought = ", ".join(f"${c}$ {t} at ${p}$ dollars each" for c, t, p in zip(counts, things, prices))
    steps = [f"The {t} cost ${times(p, c)}$ dollars." for t, c, p in zip(things, counts, prices)]
    steps += [f"Together they cost ${add(*costs)}$ dollars.", f"What is left is ${add(paid, -sum(costs))}$."]
    name = rng.choice(NAMES)
    ask = f"{name} has ${paid}$ dollars and buys {bought}. How many dollars are left?"
    return Task((paid, *counts, *prices), ask, steps, paid - sum(costs))


@task(SUBJECT, "The mean is the sum of the numbers divided by how many there are.")
def mean_of_list(rng, level):
    count = (3, 4, 4, 5, 6)[level - 1]
    mean = draw(rng, level, (4, 15), (10, 30), (20, 80), (30, 99), (60, 300))
    spread = (3, 8, 18, 29, 59)[level - 1]
    values = [mean + rng.randint(-spread, spread) for _ in range(count - 1)]
    values.append(count * mean - sum(values))
    if values[-1] <= 0:
        return mean_of_list(rng, level)
    listed = ", ".join(map(str, values))
    steps = [f"The sum is ${add(*values)}$.", f"There are ${count}$ numbers, so the mean is "
             f"${divide(sum(values), count)}$."]
    word = rng.choice(("mean", "average"))
    return Task(tuple(values), f"What is the {word} of the numbers ${listed}$?", steps, mean)


@task(SUBJECT, "We divide the whole into equal parts and take the parts of the larger share.")
def ratio_share(rng, level):
    a, b = (draw(rng, level, (1, 5), (1, 9), (2, 9), (3, 15), (5, 25)) for _ in range(2))
    if a == b:
        return ratio_share(rng, level)
    unit = draw(rng, level, (2, 9), (3, 15), (6, 30), (11, 50), (20, 90))
    whole, big = (a + b) * unit, max(a, b)
    first, second = rng.sample(NAMES, 2)
    steps = [f"There are ${add(a, b)}$ parts.", f"One part is ${divide(whole, a + b)}$.",
             f"The larger share is ${times(unit, big)}$."]
    ask = (f"{first} and {second} share ${whole}$ dollars in the ratio ${a}:{b}$. "
           "How many dollars is the larger share?")
    return Task((a, b, unit), ask, steps, unit * big)


PLACES = ("Ones", "Tens", "Hundreds", "Thousands", "Ten thousands")


@task(SUBJECT, "We add the columns from right to left and carry.")
def column_addition(rng, level):
    digits = (2, 3, 3, 4, 5)[level - 1]
    numbers = [rng.randint(10 ** (digits - 1), 10 ** digits - 1) for _ in range(2 if level < 3 else 3)]
    steps, carry, shown = [], 0, 0
    for place in range(digits):
        column = [n // 10 ** place % 10 for n in numbers] + ([carry] if carry else [])
        value = sum(column)
        shown += value % 10 * 10 ** place
        carry = value // 10
        last = place == digits - 1
        keep = f"write ${value % 10}$, carry ${carry}$" if not last else f"write ${value}$"
        steps.append(f"{PLACES[place]}: ${sum_expression(column)}={value}$, {keep}.")
    ask = rng.choice(("Add", "Find the sum"))
    return Task(tuple(numbers), f"{ask}: ${sum_expression(numbers)}$.", steps, sum(numbers))
