from math import gcd, prod

from work import add, divide, times
from . import Task, draw, task

SUBJECT = "Number Theory"


def euclid(a, b):
    """One sentence a division, until the remainder is 0."""
    steps = []
    while b:
        q, r = divmod(a, b)
        steps.append(f"${a}={q}\\cdot{b}+{r}$.")
        a, b = b, r
    return steps


@task(SUBJECT, "We use the algorithm of Euclid and divide until the remainder is zero.")
def greatest_common_divisor(rng, level):
    g = draw(rng, level, (2, 9), (2, 12), (3, 20), (4, 30), (6, 60))
    a, b = (g * draw(rng, level, (2, 8), (2, 12), (4, 20), (6, 30), (8, 40)) for _ in range(2))
    if a <= b:
        return greatest_common_divisor(rng, level)
    steps = euclid(a, b)
    steps.append(f"The last divisor is ${gcd(a, b)}$.")
    ask = rng.choice(("What is the greatest common divisor of", "Find the greatest common factor of"))
    end = "?" if ask[0] == "W" else "."
    return Task((a, b), f"{ask} ${a}$ and ${b}${end}", steps, gcd(a, b))


@task(SUBJECT,
      "The least common multiple is the product divided by the greatest common divisor, which we find first.")
def least_common_multiple(rng, level):
    g = draw(rng, level, (1, 5), (2, 9), (2, 12), (3, 15), (4, 20))
    a, b = (g * draw(rng, level, (2, 6), (2, 9), (3, 12), (4, 16), (5, 24)) for _ in range(2))
    if a <= b:
        return least_common_multiple(rng, level)
    d = gcd(a, b)
    steps = euclid(a, b)
    steps += [f"The greatest common divisor is ${d}$.", f"Then ${divide(b, d)}$ and ${times(a, b // d)}$."]
    return Task((a, b), f"What is the least common multiple of ${a}$ and ${b}$?", steps, a * b // d)


@task(SUBJECT, "We divide digit by digit from the left and keep the remainder.")
def remainder(rng, level):
    m = draw(rng, level, (3, 9), (3, 12), (6, 20), (7, 30), (11, 60))
    n = draw(rng, level, (10, 99), (50, 300), (100, 900), (500, 5000), (2000, 30000))
    steps, rest = [], 0
    for digit in str(n):  # long division, one digit of the dividend a step
        rest = rest * 10 + int(digit)
        if rest < m:
            continue
        q = rest // m
        steps.append(f"${rest}={q}\\cdot{m}+{rest - q * m}$.")
        rest -= q * m
    ask = rng.choice((f"What is the remainder when ${n}$ is divided by ${m}$?",
                      f"Find the remainder of ${n}$ divided by ${m}$."))
    return Task((n, m), ask, steps + [f"The remainder is ${rest}$."], rest)


PRIMES = (2, 3, 5, 7, 11, 13)


def smooth(rng, low, high):
    while True:
        n = 1
        while n < low:
            n *= rng.choice(PRIMES)
        if n <= high:
            return n


@task(SUBJECT, "We factor the number into primes and count the choices of each exponent.")
def count_divisors(rng, level):
    n = smooth(rng, *((8, 100), (30, 250), (80, 600), (200, 1500), (600, 5000))[level - 1])
    steps, rest, powers = [], n, []
    for p in PRIMES:
        e = 0
        while rest % p == 0:
            if rest != p:
                steps.append(f"${rest}={p}\\cdot{rest // p}$.")
            rest //= p
            e += 1
        if e:
            powers.append((p, e))
    shown = r"\cdot".join(f"{p}^{e}" if e > 1 else str(p) for p, e in powers)
    count = prod(e + 1 for _, e in powers)
    steps.append(f"So ${n}={shown}$.")
    chain = [r"\cdot".join(f"({e}+1)" for _, e in powers), r"\cdot".join(str(e + 1) for _, e in powers)]
    if len(powers) > 1:
        chain.append(str(count))
    steps.append(f"The number of divisors is ${'='.join(chain)}$.")
    return Task((n,), f"How many positive divisors does ${n}$ have?", steps, count)


@task(SUBJECT, "We divide again and again and keep the remainders.")
def to_base(rng, level):
    b = draw(rng, level, (3, 9), (2, 9), (2, 9), (3, 9), (3, 9))
    n = draw(rng, level, (5, 40), (20, 100), (60, 250), (200, 999), (800, 4000))
    steps, rest, digits = [], n, ""
    while rest:
        q, d = divmod(rest, b)
        steps.append(f"${rest}={q}\\cdot{b}+{d}$.")
        digits, rest = str(d) + digits, q
    steps.append(f"Read the remainders upwards: ${digits}$.")
    return Task((n, b), f"Write ${n}$ in base ${b}$.", steps, f"{digits}_{b}")


@task(SUBJECT, "We start with the first digit, multiply by the base and add the next digit.")
def from_base(rng, level):
    b = draw(rng, level, (3, 9), (3, 9), (3, 9), (4, 9), (5, 9))
    length = (2, 3, 3, 4, 5)[level - 1]
    digits = [rng.randint(1, b - 1)] + [rng.randint(0, b - 1) for _ in range(length - 1)]
    value, steps = digits[0], [f"Start with ${digits[0]}$."]
    for d in digits[1:]:
        steps.append(f"${times(value, b)}$ and ${add(value * b, d)}$.")
        value = value * b + d
    text = "".join(map(str, digits))
    ask = rng.choice((f"Write the base ${b}$ number ${text}_{b}$ in base ten.",
                      f"What is ${text}_{b}$ in base ten?"))
    return Task((text, b), ask, steps, value)


@task(SUBJECT, "We multiply step by step and reduce to the remainder each time.")
def power_mod(rng, level):
    m = draw(rng, level, (5, 11), (5, 13), (7, 19), (11, 29), (13, 50))
    a = draw(rng, level, (2, 5), (2, 9), (2, 12), (3, 20), (5, 30)) % m
    k = draw(rng, level, (2, 3), (3, 5), (4, 6), (4, 8), (5, 9))
    if a < 2:
        return power_mod(rng, level)
    steps, value = [f"Multiply by ${a}$ and reduce by ${m}$ each time."], a
    for e in range(2, k + 1):
        product = value * a
        steps.append(f"${a}^{e}$: ${times(value, a)}$, remainder ${product % m}$.")
        value = product % m
    return Task((a, k, m), f"What is the remainder when ${a}^{k}$ is divided by ${m}$?", steps, value)
