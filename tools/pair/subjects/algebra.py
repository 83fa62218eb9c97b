from work import polynomial
from . import Task, draw, nonzero, task

SUBJECT = "Algebra"


@task(SUBJECT, "We bring the numbers to the right and divide.")
def linear_equation(work, rng, level):
    x = draw(rng, level, (1, 9), (2, 12), (3, 30), (5, 60), (11, 99))
    a = draw(rng, level, (2, 5), (2, 9), (3, 9), (3, 12), (4, 19))
    b = draw(rng, level, (1, 20), (-30, 30), (-50, 50), (-90, 90), (-200, 200))
    if b == 0:
        return linear_equation(work, rng, level)
    c = a * x + b
    v = rng.choice("xyn")
    right = work.difference("On the right we have", c, b)
    work.quotient(f"The unknown ${v}$ is", right, a)
    ask = rng.choice((f"Solve for ${v}$:", f"Find ${v}$ if"))
    return Task((a, b, c), f"{ask} ${polynomial([a, b], v)}={c}$.", x)


@task(SUBJECT, "We collect the unknown on the left and the numbers on the right.")
def two_sided_equation(work, rng, level):
    x = draw(rng, level, (1, 6), (1, 9), (2, 20), (3, 40), (11, 90))
    c = draw(rng, level, (1, 3), (1, 6), (2, 9), (2, 12), (3, 30))
    a = c + draw(rng, level, (1, 3), (2, 6), (2, 9), (3, 9), (3, 12))
    b = draw(rng, level, (1, 9), (1, 20), (1, 60), (5, 99), (11, 300))
    d = (a - c) * x + b
    left = work.difference("On the left we keep", a, c)
    right = work.difference("On the right we keep", d, b)
    work.quotient("The unknown $x$ is", right, left)
    ask = rng.choice(("Solve for $x$:", "Find $x$ if"))
    return Task((a, b, c, d), f"{ask} ${polynomial([a, b])}={polynomial([c, d])}$.", x)


@task(SUBJECT, "Adding the equations leaves one unknown.")
def sum_and_difference(work, rng, level):
    y = draw(rng, level, (1, 6), (1, 12), (5, 60), (20, 160), (60, 400))
    x = y + draw(rng, level, (1, 6), (1, 20), (5, 40), (11, 99), (21, 400))
    s, d = x + y, x - y
    double = work.sum("Twice the larger is", s, d)
    large = work.quotient("The larger is", double, 2)
    if level < 3:
        return Task((s, d, 0), f"Two numbers have sum ${s}$ and difference ${d}$. What is the larger?", large)
    small = work.difference("The smaller is", s, large)
    return Task((s, d, 1), f"Two numbers have sum ${s}$ and difference ${d}$. What is the smaller?", small)


@task(SUBJECT, "We put the number in place of the variable and work out each term.")
def evaluate_quadratic(work, rng, level):
    k = draw(rng, level, (1, 4), (2, 6), (2, 9), (-9, 12), (-12, 15))
    a = draw(rng, level, (1, 2), (1, 4), (2, 6), (2, 9), (3, 9))
    b = draw(rng, level, (1, 5), (1, 9), (-9, 9), (-12, 12), (-20, 20))
    c = draw(rng, level, (1, 9), (1, 20), (-30, 30), (-60, 60), (-200, 200))
    if 0 in (k, b, c):
        return evaluate_quadratic(work, rng, level)
    square = work.square("The square is", k)
    first = work.product("The first term is", a, square)
    second = work.product("The second term is", b, k)
    value = work.total("We add", first, second, c)
    f = rng.choice("fgp")
    ask = rng.choice((f"Find ${f}({k})$.", f"What is ${f}({k})$?"))
    return Task((a, b, c, k), f"Let ${f}(x)={polynomial([a, b, c])}$. {ask}", value)


@task(SUBJECT, "We multiply each term of the first factor by each term of the second.")
def expand_product(work, rng, level):
    a = draw(rng, level, (1, 1), (1, 2), (1, 4), (2, 6), (2, 9))
    c = draw(rng, level, (1, 1), (1, 3), (1, 5), (2, 6), (2, 9))
    b, d = (draw(rng, level, (1, 6), (1, 9), (-9, 9), (-12, 12), (-15, 15)) for _ in range(2))
    if b == 0 or d == 0:
        return expand_product(work, rng, level)
    square = work.product("The square term has", a, c)
    outer, inner = work.product("The outer term has", a, d), work.product("The inner term has", b, c)
    middle = work.sum("Their sum is", outer, inner)
    constant = work.product("The constant is", b, d)
    ask = f"Expand $({polynomial([a, b])})({polynomial([c, d])})$."
    return Task((a, b, c, d), ask, polynomial([square, middle, constant]))


@task(SUBJECT, "The slope is the rise divided by the run.")
def line_intercept(work, rng, level):
    m = draw(rng, level, (1, 3), (1, 6), (2, 9), (-9, 12), (-15, 20))
    run = draw(rng, level, (1, 3), (2, 5), (2, 8), (2, 9), (3, 9))
    x1 = draw(rng, level, (1, 3), (1, 6), (1, 9), (2, 12), (3, 15))
    b = draw(rng, level, (1, 9), (1, 20), (-20, 30), (-50, 60), (-99, 150))
    if m == 0:
        return line_intercept(work, rng, level)
    x2, y1, y2 = x1 + run, m * x1 + b, m * (x1 + run) + b
    rise = work.difference("The rise is", y2, y1)
    width = work.difference("The run is", x2, x1)
    slope = work.quotient("The slope is", rise, width)
    step = work.product("From the axis it rises by", slope, x1)
    work.difference("The intercept is", y1, step)
    ask = f"A line passes through $({x1},{y1})$ and $({x2},{y2})$. What is its $y$-intercept?"
    return Task((x1, y1, x2, y2), ask, b)


@task(SUBJECT, "We factor the left side and read off the solutions.")
def factor_quadratic(work, rng, level):
    span = ((1, 5), (1, 8), (-9, 9), (-12, 12), (-15, 15))[level - 1]
    p, q = (nonzero(rng, *span) for _ in range(2))
    if p in (q, -q):
        return factor_quadratic(work, rng, level)
    p, q = min(p, q), max(p, q)
    work.pair("We need two numbers with", p, q)
    work.say(f"The equation is $({polynomial([1, -p])})({polynomial([1, -q])})=0$.")
    ask = f"What is the larger solution of ${polynomial([1, -(p + q), p * q])}=0$?"
    return Task((p, q), ask, q)


@task(SUBJECT, "The terms grow by the same difference each time.")
def arithmetic_sequence(work, rng, level):
    a = draw(rng, level, (1, 9), (1, 20), (1, 40), (10, 99), (20, 400))
    d = draw(rng, level, (2, 5), (3, 9), (3, 15), (6, 30), (11, 99))
    n = draw(rng, level, (4, 7), (5, 10), (5, 10), (5, 10), (5, 10))
    shown = ",".join(str(a + i * d) for i in range(3))
    step = work.difference("The difference is", a + d, a)
    count = work.difference("The steps are", n, 1)
    grown = work.product("Together they make", step, count)
    last = work.sum("The term is", a, grown)
    ask = f"What is term number ${n}$ of the arithmetic sequence ${shown},\\ldots$?"
    return Task((a, d, n), ask, last)


@task(SUBJECT, "We work from the inside to the outside.")
def composition(work, rng, level):
    a, c = (draw(rng, level, (2, 3), (2, 5), (2, 9), (3, 9), (3, 9)) for _ in range(2))
    b, d = (draw(rng, level, (1, 5), (1, 9), (-12, 20), (-30, 40), (-50, 90)) for _ in range(2))
    k = draw(rng, level, (1, 4), (1, 6), (2, 9), (3, 12), (3, 15))
    if 0 in (b, d):
        return composition(work, rng, level)
    inner = work.sum("The inner value is", work.product("Inside we have", c, k), d)
    value = work.sum("The outer value is", work.product("Outside we have", a, inner), b)
    ask = f"Let $f(x)={polynomial([a, b])}$ and $g(x)={polynomial([c, d])}$. What is $f(g({k}))$?"
    return Task((a, b, c, d, k), ask, value)
