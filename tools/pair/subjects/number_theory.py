from math import gcd

from . import Task, draw, task

SUBJECT = "Number Theory"


@task(SUBJECT, "We divide by the smaller number until the remainder is zero.")
def greatest_common_divisor(work, rng, level):
    g = draw(rng, level, (2, 5), (2, 9), (2, 12), (3, 20), (4, 30))
    a, b = (g * draw(rng, level, (2, 6), (2, 9), (2, 12), (3, 15), (4, 20)) for _ in range(2))
    if a <= b:
        return greatest_common_divisor(work, rng, level)
    pair = (a, b)
    while b:
        a, b = b, work.remainder("The next remainder is", a, b)
    work.say(f"The last divisor is ${a}$.")
    ask = rng.choice(("What is the greatest common divisor of", "Find the greatest common factor of"))
    end = "?" if ask[0] == "W" else "."
    return Task(pair, f"{ask} ${pair[0]}$ and ${pair[1]}${end}", gcd(*pair))


@task(SUBJECT, "The least common multiple is one number times what the other adds to it.")
def least_common_multiple(work, rng, level):
    g = draw(rng, level, (1, 4), (2, 6), (2, 9), (3, 12), (3, 15))
    p, q = (draw(rng, level, (1, 5), (2, 7), (2, 9), (3, 10), (4, 13)) for _ in range(2))
    a, b = g * p, g * q
    if a <= b or gcd(p, q) > 1:
        return least_common_multiple(work, rng, level)
    work.step("The greatest common divisor is", rf"\gcd({a},{b})", g)
    factor = work.quotient("The second adds", b, g)
    value = work.product("The multiple is", a, factor)
    return Task((a, b), f"What is the least common multiple of ${a}$ and ${b}$?", value)


@task(SUBJECT, "We take the remainder of each factor first.")
def product_remainder(work, rng, level):
    m = draw(rng, level, (3, 5), (3, 9), (4, 12), (5, 15), (7, 20))
    a, b = (draw(rng, level, (4, 15), (6, 30), (10, 60), (20, 99), (30, 150)) for _ in range(2))
    first, second = work.remainder("The first leaves", a, m), work.remainder("The second leaves", b, m)
    product = work.product("Their product is", first, second)
    value = work.remainder("This leaves", product, m)
    ask = rng.choice((f"What is the remainder when ${a}\\cdot{b}$ is divided by ${m}$?",
                      f"Find the remainder of ${a}\\cdot{b}$ divided by ${m}$."))
    return Task((a, b, m), ask, value)


@task(SUBJECT, "We divide by the base and keep the remainders.")
def to_base(work, rng, level):
    b = draw(rng, level, (3, 9), (3, 9), (3, 9), (4, 9), (5, 9))
    n = draw(rng, level, (5, 20), (10, 48), (20, 99), (60, 250), (100, 500))
    rest, out = n, ""
    while rest:
        digit = work.remainder("The remainder is", rest, b)
        out, rest = str(digit) + out, (rest - digit) // b
        if rest:
            work.step("The quotient is", rf"\frac{{{rest * b + digit}-{digit}}}{{{b}}}", rest)
    work.say(f"We read the remainders upwards: ${out}$.")
    return Task((n, b), f"Write ${n}$ in base ${b}$.", f"{out}_{b}")


@task(SUBJECT, "We multiply by the base and add the next digit.")
def from_base(work, rng, level):
    b = draw(rng, level, (3, 6), (3, 9), (3, 9), (4, 9), (6, 9))
    length = (2, 2, 3, 3, 4)[level - 1]
    ds = [rng.randint(1, b - 1)] + [rng.randint(0, b - 1) for _ in range(length - 1)]
    value = ds[0]
    for d in ds[1:]:
        value = work.sum("With the next digit we have", work.product("Times the base it is", value, b), d)
    text = "".join(map(str, ds))
    ask = rng.choice((f"Write the base ${b}$ number ${text}_{b}$ in base ten.", f"What is ${text}_{b}$ in base ten?"))
    return Task((text, b), ask, value)


@task(SUBJECT, "We multiply step by step and reduce to the remainder each time.")
def power_mod(work, rng, level):
    m = draw(rng, level, (4, 7), (5, 9), (5, 12), (7, 15), (9, 19))
    a = draw(rng, level, (2, 4), (2, 6), (2, 9), (3, 12), (3, 15)) % m
    k = draw(rng, level, (2, 2), (2, 3), (3, 3), (3, 4), (4, 4))
    if a < 2:
        return power_mod(work, rng, level)
    value = a
    for _ in range(k - 1):
        value = work.remainder("This leaves", work.product("The next product is", value, a), m)
    return Task((a, k, m), f"What is the remainder when ${a}^{k}$ is divided by ${m}$?", value)


@task(SUBJECT, "We divide and look at what is left over.")
def share_out(work, rng, level):
    m = draw(rng, level, (2, 5), (3, 9), (4, 12), (6, 15), (7, 20))
    n = draw(rng, level, (5, 20), (10, 50), (40, 120), (100, 300), (200, 600))
    left = work.remainder("What is left over is", n, m)
    full = work.difference("Shared out are", n, left)
    each = work.quotient("Each one gets", full, m)
    things = rng.choice(("cards", "coins", "stones"))
    if rng.random() < 0.5:
        ask = f"As many as possible of ${n}$ {things} are shared equally by ${m}$ players. How many does each get?"
        return Task((n, m), ask, each)
    ask = f"As many as possible of ${n}$ {things} are shared equally by ${m}$ players. How many {things} is that?"
    return Task((n, m), ask, full)
