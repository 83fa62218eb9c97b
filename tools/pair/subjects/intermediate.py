from work import add, paren, polynomial, signed, square, times
from . import Task, draw, nonzero, task

SUBJECT = "Intermediate Algebra"


@task(SUBJECT, "By Vieta we know the sum and the product of the roots, and $s^2-2p$ is the sum of the squares.")
def sum_of_squares_of_roots(rng, level):
    s = draw(rng, level, (2, 9), (3, 12), (-15, 15), (-30, 30), (-60, 60))
    p = draw(rng, level, (1, 9), (1, 20), (-30, 30), (-99, 99), (-300, 300))
    if s == 0 or p == 0:
        return sum_of_squares_of_roots(rng, level)
    steps = [f"The sum of the roots is ${s}$ and the product is ${p}$.", f"${square(s)}$ and ${times(p, 2)}$.",
             f"Then ${s * s}-{paren(2 * p)}={s * s - 2 * p}$."]
    ask = f"What is the sum of the squares of the roots of ${polynomial([1, -s, p])}=0$?"
    return Task((s, p), ask, steps, s * s - 2 * p)


@task(SUBJECT, "By the remainder theorem we need the value of the polynomial at one point.")
def remainder_theorem(rng, level):
    degree = (2, 3, 3, 3, 4)[level - 1]
    k = draw(rng, level, (1, 4), (1, 3), (-4, 5), (-8, 9), (-9, 9))
    top = (5, 5, 7, 9, 9)[level - 1]
    cs = [rng.randint(1, top)] + [rng.randint(-top, top) for _ in range(degree)]
    if k in (0, -1) or not cs[-1]:
        return remainder_theorem(rng, level)
    value, steps = cs[0], [f"Put $x={k}$ and work from the left, starting with ${cs[0]}$."]
    for c in cs[1:]:
        steps.append(f"${times(value, k)}$ and ${add(value * k, c)}$.")
        value = value * k + c
    ask = f"What is the remainder when ${polynomial(cs)}$ is divided by ${polynomial([1, -k])}$?"
    return Task((*cs, k), ask, steps, value)


@task(SUBJECT, "We write the terms one after the other and add them.")
def geometric_sum(rng, level):
    q = draw(rng, level, (2, 3), (2, 3), (2, 4), (2, 5), (2, 6))
    n = draw(rng, level, (3, 3), (4, 4), (4, 5), (5, 5), (5, 6))
    a = draw(rng, level, (1, 30), (1, 30), (2, 20), (3, 25), (3, 30))
    terms, steps = [a], []
    for _ in range(n - 1):
        steps.append(f"${times(terms[-1], q)}$.")
        terms.append(terms[-1] * q)
    steps.append(f"The sum is ${add(*terms)}$.")
    ask = f"A geometric sequence starts with ${a}$ and has ratio ${q}$. What is the sum of its first ${n}$ terms?"
    return Task((a, q, n), ask, steps, sum(terms))


@task(SUBJECT, "The graph opens upwards, so the minimum is at the vertex.")
def minimum_value(rng, level):
    a = draw(rng, level, (1, 1), (1, 1), (1, 3), (1, 6), (2, 9))
    h = nonzero(rng, *((1, 9), (-12, 12), (-12, 12), (-15, 15), (-25, 25))[level - 1])
    k = draw(rng, level, (-20, 20), (-50, 50), (-99, 99), (-99, 99), (-300, 300))
    b, c = -2 * a * h, a * h * h + k
    if not c:
        return minimum_value(rng, level)
    steps = [f"The minimum is at $x=\\frac{{{-b}}}{{{2 * a}}}={h}$.", f"${square(h)}$ and ${times(h * h, a)}$.",
             f"Then ${times(b, h)}$.", f"So the minimum is ${add(a * h * h, b * h, c)}$."]
    ask = f"What is the smallest value of ${polynomial([a, b, c])}$ for real $x$?"
    return Task((a, b, c), ask, steps, k)


def complex_number(re, im):
    return f"{re}{signed(im) if abs(im) != 1 else ('+' if im > 0 else '-')}i"


@task(SUBJECT, "We multiply out and collect the real and the imaginary part.")
def complex_product(rng, level):
    span = ((1, 6), (-6, 9), (-12, 12), (-20, 20), (-40, 40))[level - 1]
    a, b, c, d = (nonzero(rng, *span) for _ in range(4))
    re, im = a * c - b * d, a * d + b * c
    if not (re and im):
        return complex_product(rng, level)
    real, imaginary = f"{a * c}-{paren(b * d)}={re}", add(a * d, b * c)
    steps = [f"The real part: ${times(a, c)}$ and ${times(b, d)}$, so ${real}$.",
             f"The imaginary part: ${times(a, d)}$ and ${times(b, c)}$, so ${imaginary}$."]
    ask = f"Compute $({complex_number(a, b)})({complex_number(c, d)})$, where $i^2=-1$."
    return Task((a, b, c, d), ask, steps, complex_number(re, im))


@task(SUBJECT, "With sum $s$ and product $p$ we have $x^3+y^3=s(s^2-3p)$.")
def sum_of_cubes(rng, level):
    """x^3+y^3 from the sum and the product of x and y."""
    s = draw(rng, level, (2, 6), (3, 9), (4, 12), (5, 20), (11, 30))
    p = draw(rng, level, (1, 9), (1, 15), (2, 30), (3, 60), (11, 99))
    inner = s * s - 3 * p
    steps = [f"Here $s={s}$ and $p={p}$.", f"${square(s)}$ and ${times(p, 3)}$.",
             f"${add(s * s, -3 * p)}$.", f"Then ${times(inner, s)}$."]
    return Task((s, p), f"If $x+y={s}$ and $xy={p}$, what is $x^3+y^3$?", steps, s * inner)
