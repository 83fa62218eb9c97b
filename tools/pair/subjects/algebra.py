from work import add, coefficient, divide, paren, polynomial, square, times
from . import Task, draw, nonzero, task

SUBJECT = "Algebra"


@task(SUBJECT, "We bring the unknown to the left and the numbers to the right.")
def linear_equation(rng, level):
    x = draw(rng, level, (1, 12), (2, 20), (-15, 30), (-30, 60), (-40, 99))
    a = draw(rng, level, (2, 9), (2, 9), (3, 12), (11, 30), (11, 40))
    b = draw(rng, level, (1, 20), (-30, 30), (-50, 50), (-90, 90), (-200, 200))
    c = 0 if level < 3 else nonzero(rng, -9, 9)
    if a == c or b == 0:
        return linear_equation(rng, level)
    d = a * x + b - c * x
    v = rng.choice("xyn")
    right = polynomial([c, d], v) if c else str(d)
    steps = []
    if c:
        steps.append(f"Collect ${v}$ on the left: ${add(a, -c)}$.")
    steps += [f"Collect the numbers on the right: ${add(d, -b)}$.",
              f"So ${coefficient(a - c, v, True)}={d - b}$.",
              f"Then ${v}={divide(d - b, a - c)}$."]
    ask = rng.choice((f"Solve for ${v}$:", f"Find ${v}$ if"))
    return Task((a, b, c, d), f"{ask} ${polynomial([a, b], v)}={right}$.", steps, x)


@task(SUBJECT, "We combine the equations so that one unknown goes away.")
def two_equations(rng, level):
    x, y = (draw(rng, level, (1, 12), (1, 30), (-9, 12), (-12, 20), (-20, 40)) for _ in range(2))
    if level < 3:
        s, d = x + y, x - y
        steps = ["Add the equations.", f"We get $2x={add(s, d)}$, so $x={divide(s + d, 2)}$."]
        return Task((s, d, 1, 1), f"If $x+y={s}$ and $x-y={d}$, what is $x$?", steps, x)
    top = (9, 9, 9, 12, 15)[level - 1]
    a, c = rng.randint(2, top), rng.randint(2, top)
    b = rng.randint(2, 9)
    if a == c:
        return two_equations(rng, level)
    p, q = a * x + b * y, c * x + b * y
    steps = [f"Subtract the second equation from the first: ${add(a, -c)}$ and ${add(p, -q)}$.",
             f"So ${coefficient(a - c, 'x', True)}={p - q}$ and $x={divide(p - q, a - c)}$.",
             f"Then ${b}y={p}-{paren(a)}\\cdot{paren(x)}$ with ${times(a, x)}$, so ${b}y={p - a * x}$.",
             f"Hence $y={divide(p - a * x, b)}$."]
    ask = f"If ${a}x+{b}y={p}$ and ${c}x+{b}y={q}$, what is $y$?"
    return Task((a, b, c, p, q), ask, steps, y)


@task(SUBJECT, "We put the number in place of the variable and work out each term.")
def evaluate_quadratic(rng, level):
    k = draw(rng, level, (1, 6), (2, 9), (-9, 12), (-12, 12), (-20, 25))
    a = draw(rng, level, (1, 3), (1, 5), (2, 9), (2, 9), (3, 12))
    b = draw(rng, level, (1, 6), (1, 9), (-9, 9), (-20, 20), (-30, 30))
    c = draw(rng, level, (1, 9), (1, 20), (-30, 30), (-99, 99), (-200, 200))
    if 0 in (k, b, c):
        return evaluate_quadratic(rng, level)
    terms = (a * k * k, b * k, c)
    steps = [f"Square: ${square(k)}$.", f"So ${times(k * k, a)}$ and ${times(b, k)}$.",
             f"Then ${add(*terms)}$."]
    f = rng.choice("fgp")
    ask = rng.choice((f"Find ${f}({k})$.", f"What is ${f}({k})$?"))
    return Task((a, b, c, k), f"Let ${f}(x)={polynomial([a, b, c])}$. {ask}", steps, sum(terms))


@task(SUBJECT, "We multiply each term of the first factor by each term of the second.")
def expand_product(rng, level):
    a = draw(rng, level, (1, 1), (1, 3), (1, 6), (2, 9), (3, 12))
    c = draw(rng, level, (1, 1), (1, 3), (1, 6), (2, 9), (3, 12))
    b, d = (draw(rng, level, (1, 12), (-9, 9), (-12, 12), (-15, 15), (-25, 25)) for _ in range(2))
    if b == 0 or d == 0:
        return expand_product(rng, level)
    middle = a * d + b * c
    steps = [f"The square term is ${times(a, c)}$.", f"The cross terms are ${times(a, d)}$ and ${times(b, c)}$.",
             f"Their sum is ${add(a * d, b * c)}$.", f"The constant is ${times(b, d)}$."]
    ask = f"Expand $({polynomial([a, b])})({polynomial([c, d])})$."
    return Task((a, b, c, d), ask, steps, polynomial([a * c, middle, b * d]))


@task(SUBJECT, "We find the slope first and then go back to the $y$-axis.")
def line_intercept(rng, level):
    m = draw(rng, level, (1, 5), (1, 9), (-9, 9), (-12, 12), (-25, 25))
    run = draw(rng, level, (1, 4), (1, 6), (2, 8), (2, 9), (3, 15))
    x1 = draw(rng, level, (1, 5), (1, 9), (-9, 9), (-12, 12), (-15, 15))
    b = draw(rng, level, (0, 9), (0, 20), (-20, 20), (-50, 50), (-99, 99))
    if m == 0 or x1 == 0 or x1 + run == 0:
        return line_intercept(rng, level)
    x2, y1, y2 = x1 + run, m * x1 + b, m * (x1 + run) + b
    steps = [f"The rise is ${y2}-{paren(y1)}={y2 - y1}$ and the run is ${x2}-{paren(x1)}={run}$.",
             f"The slope is ${divide(y2 - y1, run)}$.", f"Then ${times(m, x1)}$.",
             f"So the intercept is ${y1}-{paren(m * x1)}={b}$."]
    ask = f"A line passes through $({x1},{y1})$ and $({x2},{y2})$. What is its $y$-intercept?"
    return Task((x1, y1, x2, y2), ask, steps, b)


@task(SUBJECT, "We factor the left side and read off the solutions.")
def factor_quadratic(rng, level):
    span = ((1, 9), (1, 12), (-12, 12), (-20, 20), (-35, 35))[level - 1]
    p, q = (nonzero(rng, *span) for _ in range(2))
    if p == q or p == -q:
        return factor_quadratic(rng, level)
    p, q = min(p, q), max(p, q)
    steps = [f"Two numbers with product ${p * q}$ and sum ${-(p + q)}$ are needed.",
             f"They are ${-p}$ and ${-q}$.", f"Check: ${times(-p, -q)}$ and ${add(-p, -q)}$.",
             f"So $({polynomial([1, -p])})({polynomial([1, -q])})=0$."]
    ask = f"What is the larger solution of ${polynomial([1, -(p + q), p * q])}=0$?"
    return Task((p, q), ask, steps, q)


@task(SUBJECT, "The terms grow by the same difference each time.")
def arithmetic_sequence(rng, level):
    a = draw(rng, level, (1, 20), (1, 50), (1, 40), (-40, 99), (-99, 200))
    d = draw(rng, level, (2, 9), (3, 15), (2, 9), (3, 15), (11, 30))
    n = draw(rng, level, (5, 10), (8, 30), (6, 16), (10, 30), (12, 50))
    last = a + (n - 1) * d
    shown = ",".join(str(a + i * d) for i in range(3))
    steps = [f"The difference is ${a + d}-{paren(a)}={d}$.", f"Then ${times(d, n - 1)}$.",
             f"Term ${n}$ is ${add(a, (n - 1) * d)}$."]
    if level < 3:
        ask = f"What is term number ${n}$ of the arithmetic sequence ${shown},\\ldots$?"
        return Task((a, d, n), ask, steps, last)
    ends = a + last
    steps.append(f"The first and last add to ${add(a, last)}$.")
    if n % 2 == 0:
        steps += [f"There are ${divide(n, 2)}$ pairs.", f"So the sum is ${times(ends, n // 2)}$."]
    elif ends % 2 == 0:
        steps += [f"Half of that is ${divide(ends, 2)}$.", f"So the sum is ${times(ends // 2, n)}$."]
    ask = f"What is the sum of the first ${n}$ terms of the arithmetic sequence ${shown},\\ldots$?"
    return Task((a, d, n), ask, steps, n * ends // 2)


@task(SUBJECT, "We work from the inside to the outside.")
def composition(rng, level):
    a, c = (draw(rng, level, (2, 4), (2, 6), (2, 9), (-9, 12), (-15, 20)) for _ in range(2))
    b, d = (draw(rng, level, (1, 9), (-9, 9), (-20, 20), (-40, 40), (-90, 90)) for _ in range(2))
    k = draw(rng, level, (1, 5), (1, 9), (2, 12), (-12, 15), (-20, 20))
    if 0 in (a, b, c, d, k):
        return composition(rng, level)
    g = c * k + d
    steps = [f"First ${times(c, k)}$, so $g({k})={add(c * k, d)}$.", f"Then ${times(a, g)}$.",
             f"So $f({g})={add(a * g, b)}$."]
    ask = f"Let $f(x)={polynomial([a, b])}$ and $g(x)={polynomial([c, d])}$. What is $f(g({k}))$?"
    return Task((a, b, c, d, k), ask, steps, a * g + b)
