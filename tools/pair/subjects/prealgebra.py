from work import frac
from . import Task, draw, task

SUBJECT = "Prealgebra"
NAMES = ("Anna", "Ben", "Carla", "David", "Emma", "Frank")
THINGS = ("pens", "books", "apples", "tickets", "shirts", "cakes")


@task(SUBJECT, "Products come before sums and differences.")
def order_of_operations(work, rng, level):
    a = draw(rng, level, (2, 20), (10, 60), (20, 99), (20, 199), (100, 400))
    b = draw(rng, level, (2, 9), (3, 9), (5, 19), (11, 60), (11, 99))
    c = draw(rng, level, (2, 5), (2, 9), (3, 9), (3, 9), (4, 9))
    d = draw(rng, level, (1, 9), (5, 30), (10, 60), (10, 90), (30, 200))
    product = work.product("The product is", b, c)
    both = work.sum("Adding gives", a, product)
    value = work.difference("The rest is", both, d)
    ask = rng.choice(("Compute", "Evaluate", "Find the value of"))
    return Task((a, b, c, d), rf"{ask} ${a}+{b}\cdot{c}-{d}$.", value)


@task(SUBJECT, "We bring both fractions to a common denominator.")
def add_fractions(work, rng, level):
    b, d = (draw(rng, level, (2, 4), (2, 6), (2, 9), (3, 10), (4, 12)) for _ in range(2))
    a, c = rng.randint(1, b), rng.randint(1, d)
    if b == d:
        return add_fractions(work, rng, level)
    bottom = work.product("The denominator is", b, d)
    first, second = work.product("The first top is", a, d), work.product("The second top is", c, b)
    top = work.sum("The sum of the tops is", first, second)
    answer = work.fraction("In lowest terms we have", top, bottom)
    ask = rng.choice(("Compute", "Write as a single fraction in lowest terms:", "Simplify"))
    return Task((a, b, c, d), f"{ask} ${frac(a, b)}+{frac(c, d)}$.", answer)


@task(SUBJECT, "One percent is a hundredth of the whole.")
def percent_of(work, rng, level):
    p = draw(rng, level, (1, 9), (2, 12), (2, 30), (11, 60), (11, 99))
    part = draw(rng, level, (1, 9), (2, 12), (3, 20), (3, 30), (5, 9) if rng.random() < 0.5 else (2, 20))
    n = part * 100
    work.quotient("One percent is", n, 100)
    value = work.product("The part is", part, p)
    if level >= 3 and rng.random() < 0.5:
        rest = work.difference("The new price is", n, value)
        return Task((p, n, 1), f"A price of ${n}$ dollars falls by ${p}\\%$. What is the new price in dollars?", rest)
    ask = rng.choice((f"What is ${p}\\%$ of ${n}$?", f"Find ${p}\\%$ of ${n}$."))
    return Task((p, n, 0), ask, value)


@task(SUBJECT, "We find what each kind costs, add the costs and subtract.")
def shopping_change(work, rng, level):
    one, two = rng.sample(THINGS, 2)
    m, n = (draw(rng, level, (2, 4), (2, 6), (2, 9), (3, 9), (4, 9)) for _ in range(2))
    p, q = (draw(rng, level, (2, 5), (3, 12), (6, 30), (11, 60), (21, 99)) for _ in range(2))
    paid = m * p + n * q + draw(rng, level, (1, 20), (1, 40), (3, 90), (3, 200), (3, 400))
    first = work.product(f"The {one} cost", m, p)
    second = work.product(f"The {two} cost", n, q)
    both = work.sum("Together this is", first, second)
    left = work.difference("What is left is", paid, both)
    name = rng.choice(NAMES)
    ask = (f"{name} has ${paid}$ dollars and buys ${m}$ {one} at ${p}$ dollars each and ${n}$ {two} at ${q}$ "
           "dollars each. How many dollars are left?")
    return Task((paid, m, n, p, q), ask, left)


@task(SUBJECT, "The mean is the sum of the numbers divided by how many there are.")
def mean_of_list(work, rng, level):
    count = (2, 3, 3, 4, 4)[level - 1]
    mean = draw(rng, level, (4, 15), (8, 25), (20, 80), (20, 99), (60, 250))
    spread = (3, 6, 18, 19, 59)[level - 1]
    values = [mean + rng.randint(-spread, spread) for _ in range(count - 1)]
    values.append(count * mean - sum(values))
    if values[-1] <= 0:
        return mean_of_list(work, rng, level)
    total = work.total("The sum starts with", *values)
    work.quotient("The mean is", total, count)
    listed = ", ".join(map(str, values))
    word = rng.choice(("mean", "average"))
    return Task(tuple(values), f"What is the {word} of the numbers ${listed}$?", mean)


@task(SUBJECT, "We divide the whole into equal parts and take the parts of the larger share.")
def ratio_share(work, rng, level):
    a, b = (draw(rng, level, (1, 4), (1, 6), (1, 9), (2, 9), (3, 9)) for _ in range(2))
    if a == b:
        return ratio_share(work, rng, level)
    unit = draw(rng, level, (2, 5), (2, 9), (4, 19), (11, 50), (20, 90))
    parts = work.sum("The number of parts is", a, b)
    one = work.quotient("One part is", parts * unit, parts)
    share = work.product("The larger share is", one, max(a, b))
    first, second = rng.sample(NAMES, 2)
    ask = (f"{first} and {second} share ${parts * unit}$ dollars in the ratio ${a}:{b}$. "
           "How many dollars is the larger share?")
    return Task((a, b, unit), ask, share)


@task(SUBJECT, "We add what is given in each group and compare.")
def compare_groups(work, rng, level):
    span = ((1, 9), (5, 40), (20, 90), (50, 400), (150, 900))[level - 1]
    a, b, c = (rng.randint(*span) for _ in range(3))
    d = rng.randint(1, max(1, a + b + c - span[1])) if a + b + c > span[1] else 1
    both = work.sum("The first group has", a, b)
    other = work.sum("The second group has", c, d)
    if other > both:
        both, other, a, b, c, d = other, both, c, d, a, b
        work.say("The second group is larger.")
    gap = work.difference("The gap is", both, other)
    ask = (f"One class reads ${a}$ and ${b}$ pages, another reads ${c}$ and ${d}$ pages. "
           "By how many pages do they differ?")
    return Task((a, b, c, d), ask, gap)


@task(SUBJECT, "Speed times time is distance.")
def distance_travelled(work, rng, level):
    v, w = (draw(rng, level, (2, 9), (3, 20), (10, 60), (20, 99), (40, 180)) for _ in range(2))
    s, t = (draw(rng, level, (2, 3), (2, 5), (2, 8), (3, 9), (3, 9)) for _ in range(2))
    first, second = work.product("The first part is", v, s), work.product("The second part is", w, t)
    whole = work.sum("The whole way is", first, second)
    who = rng.choice(("train", "car", "bus"))
    ask = (f"A {who} goes ${v}$ miles an hour for ${s}$ hours and then ${w}$ miles an hour for ${t}$ hours. "
           "How many miles is that?")
    return Task((v, s, w, t), ask, whole)
