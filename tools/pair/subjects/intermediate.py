from work import polynomial
from . import Task, draw, nonzero, task

SUBJECT = "Intermediate Algebra"


@task(SUBJECT, "By Vieta the sum of the squares of the roots is $s^2-2p$.")
def sum_of_squares_of_roots(work, rng, level):
    s = draw(rng, level, (2, 5), (3, 9), (4, 12), (-15, 15), (-20, 20))
    p = draw(rng, level, (1, 4), (1, 9), (1, 20), (-40, 40), (-90, 90))
    if s == 0 or p == 0:
        return sum_of_squares_of_roots(work, rng, level)
    square = work.square("The square of the sum is", s)
    double = work.product("Twice the product is", 2, p)
    value = work.difference("The value is", square, double)
    ask = f"What is the sum of the squares of the roots of ${polynomial([1, -s, p])}=0$?"
    return Task((s, p), ask, value)


@task(SUBJECT, "By the remainder theorem we need the value of the polynomial at one point.")
def remainder_theorem(work, rng, level):
    k = draw(rng, level, (1, 3), (1, 4), (2, 6), (-6, 8), (-9, 9))
    top = (3, 5, 7, 9, 9)[level - 1]
    cs = [rng.randint(1, top) for _ in range(3)] if level < 4 else [rng.randint(1, top), *(nonzero(rng, -top, top)
                                                                                        for _ in range(2))]
    if k in (0, -1):
        return remainder_theorem(work, rng, level)
    value = cs[0]
    for c in cs[1:]:
        value = work.sum("We add the next number:", work.product(f"Times ${k}$ we have", value, k), c)
    ask = f"What is the remainder when ${polynomial(cs)}$ is divided by ${polynomial([1, -k])}$?"
    return Task((*cs, k), ask, value)


@task(SUBJECT, "We write the terms one after the other and add them.")
def geometric_sum(work, rng, level):
    q = draw(rng, level, (2, 2), (2, 3), (2, 4), (2, 5), (3, 6))
    a = draw(rng, level, (1, 5), (1, 9), (2, 15), (3, 20), (3, 30))
    second = work.product("The second term is", a, q)
    third = work.product("The third term is", second, q)
    value = work.total("We add", a, second, third)
    ask = f"A geometric sequence starts with ${a}$ and has ratio ${q}$. What is the sum of its first $3$ terms?"
    return Task((a, q), ask, value)


@task(SUBJECT, "The graph opens upwards, so the minimum is at the vertex.")
def minimum_value(work, rng, level):
    a = draw(rng, level, (1, 1), (1, 1), (1, 3), (1, 5), (2, 9))
    h = draw(rng, level, (1, 4), (1, 9), (1, 9), (1, 12), (2, 15))
    k = draw(rng, level, (1, 9), (-20, 20), (-30, 50), (-99, 99), (-150, 300))
    b, c = -2 * a * h, a * h * h + k
    if not c:
        return minimum_value(work, rng, level)
    double = work.product("Twice the first number is", 2, a)
    vertex = work.quotient("The vertex is at", -b, double)
    square = work.square("Its square is", vertex)
    drop = work.product("The drop is", a, square)
    value = work.difference("The minimum is", c, drop)
    ask = f"What is the smallest value of ${polynomial([a, b, c])}$ for real $x$?"
    return Task((a, b, c), ask, value)


@task(SUBJECT, "The real part is $ac-bd$ and the imaginary part is $ad+bc$.")
def complex_product(work, rng, level):
    top = (3, 5, 9, 12, 15)[level - 1]
    a, b, c, d = (rng.randint(2, top) for _ in range(4))
    if a * c == b * d:
        return complex_product(work, rng, level)
    first, second = work.product("The first product is", a, c), work.product("The second product is", b, d)
    real = work.difference("The real part is", first, second)
    first, second = work.product("The third product is", a, d), work.product("The fourth product is", b, c)
    imaginary = work.sum("The imaginary part is", first, second)
    return Task((a, b, c, d), f"Compute $({a}+{b}i)({c}+{d}i)$, where $i^2=-1$.", f"{real}+{imaginary}i")


@task(SUBJECT, "With sum $s$ and product $p$ we have $x^2+y^2=s^2-2p$ and $(x-y)^2=s^2-4p$.")
def symmetric(work, rng, level):
    s = draw(rng, level, (2, 6), (3, 9), (5, 12), (6, 15), (9, 20))
    p = draw(rng, level, (1, 4), (1, 9), (2, 15), (3, 30), (11, 60))
    times = rng.choice((2, 4))
    square = work.square("The square of the sum is", s)
    multiple = work.product("The product gives", times, p)
    value = work.difference("The value is", square, multiple)
    ask = "x^2+y^2" if times == 2 else "(x-y)^2"
    return Task((s, p, times), f"If $x+y={s}$ and $xy={p}$, what is ${ask}$?", value)
