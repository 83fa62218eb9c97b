from . import Task, draw, nonzero, task

SUBJECT = "Precalculus"
SPANS = ((1, 4), (1, 9), (-9, 9), (-12, 12), (-15, 20))


def column(values):
    return r"\begin{pmatrix}" + r"\\".join(map(str, values)) + r"\end{pmatrix}"


def matrix(rows):
    return r"\begin{pmatrix}" + r"\\".join("&".join(map(str, row)) for row in rows) + r"\end{pmatrix}"


@task(SUBJECT, "We multiply matching entries and add the products.")
def dot_product(work, rng, level):
    size = (2, 2, 2, 3, 3)[level - 1]
    u, v = ([nonzero(rng, *SPANS[level - 1]) for _ in range(size)] for _ in range(2))
    names = ("first", "second", "third")
    products = [work.product(f"The {n} product is", a, b) for n, a, b in zip(names, u, v)]
    value = work.total("We add", *products)
    return Task((*u, *v), f"What is the dot product of ${column(u)}$ and ${column(v)}$?", value)


@task(SUBJECT, "The determinant is the product on the main diagonal minus the other product.")
def determinant(work, rng, level):
    a, b, c, d = (nonzero(rng, *SPANS[level - 1]) for _ in range(4))
    main, other = work.product("The main diagonal gives", a, d), work.product("The other diagonal gives", b, c)
    value = work.difference("The determinant is", main, other)
    return Task((a, b, c, d), f"What is the determinant of ${matrix([(a, b), (c, d)])}$?", value)


@task(SUBJECT, "Each row of the matrix is multiplied by the vector.")
def matrix_vector(work, rng, level):
    span = ((1, 3), (1, 6), (1, 9), (-9, 9), (-12, 12))[level - 1]
    rows = [[nonzero(rng, *span) for _ in range(2)] for _ in range(2)]
    v = [nonzero(rng, *span) for _ in range(2)]
    out = []
    for name, row in zip(("upper", "lower"), rows):
        first = work.product(f"The {name} row starts with", row[0], v[0])
        second = work.product("It goes on with", row[1], v[1])
        out.append(work.sum("The entry is", first, second))
    return Task((*rows[0], *rows[1], *v), f"Compute ${matrix(rows)}{column(v)}$.", column(out))


@task(SUBJECT, "The length is the square root of the sum of the squares of the entries.")
def magnitude(work, rng, level):
    size = 2 if level < 4 else 3
    span = ((1, 5), (1, 9), (-12, 12), (-9, 9), (-12, 12))[level - 1]
    v = [nonzero(rng, *span) for _ in range(size)]
    names = ("first", "second", "third")
    squares = [work.square(f"The {n} square is", x) for n, x in zip(names, v)]
    total = work.total("We add", *squares)
    answer = work.root("The length is", total)
    return Task(tuple(v), f"What is the length of the vector ${column(v)}$?", answer)


# sin and cos of the multiples of 30 degrees, doubled where that is rational.
DOUBLE_SIN = {30: 1, 90: 2, 150: 1, 210: -1, 270: -2, 330: -1}
HALF = {1: r"\frac{1}{2}", 2: "1", -1: r"-\frac{1}{2}", -2: "-1"}


@task(SUBJECT, "We bring the angle into one turn and use the exact value.")
def sine_value(work, rng, level):
    """a sin A with an angle that must be brought into one turn first."""
    turns = draw(rng, level, (0, 0), (1, 1), (1, 2), (1, 4), (2, 7))
    base = rng.choice(list(DOUBLE_SIN))
    a = 2 * draw(rng, level, (1, 6), (2, 20), (5, 60), (11, 200), (60, 480))
    angle = base + 360 * turns
    if turns:
        full = work.product("Full turns are", 360, turns)
        work.difference("The angle is", angle, full)
    value = DOUBLE_SIN[base]
    work.say(f"We know $\\sin{base}^\\circ={HALF[value]}$.")
    half = work.quotient("Half of the factor is", a, 2)
    answer = work.product("The value is", half, value)
    return Task((a, angle), f"Compute ${a}\\sin{angle}^\\circ$.", answer)


@task(SUBJECT, "The exponents of equal bases are added and multiplied.")
def exponent_rules(work, rng, level):
    base = rng.choice("abxy")
    m, n = (draw(rng, level, (2, 5), (2, 9), (3, 12), (5, 30), (11, 60)) for _ in range(2))
    k = draw(rng, level, (2, 3), (2, 5), (2, 9), (3, 9), (4, 9))
    inner = work.sum("Inside the exponent is", m, n)
    outer = work.product("Outside it is", inner, k)
    ask = rng.choice(("Simplify", "Write as a single power:"))
    return Task((m, n, k), f"{ask} $({base}^{{{m}}}\\cdot {base}^{{{n}}})^{k}$.", f"{base}^{{{outer}}}")


@task(SUBJECT, "Logarithms of products are sums of logarithms.")
def logarithm(work, rng, level):
    base = draw(rng, level, (2, 3), (2, 3), (2, 5), (2, 6), (2, 7))
    top = {2: 8, 3: 5, 4: 4, 5: 4, 6: 3, 7: 3}[base]
    p, q = (rng.randint(1, min(top, level + 2)) for _ in range(2))
    a, b = (draw(rng, level, (1, 3), (2, 6), (2, 9), (3, 19), (6, 60)) for _ in range(2))
    values = []
    for name, power in (("first", p), ("second", q)):
        n = base ** power
        values.append(work.step(f"The {name} logarithm is", rf"\log_{base} {n}", power))
    left, right = work.product("The first term is", a, values[0]), work.product("The second term is", b, values[1])
    value = work.sum("Together this is", left, right)
    return Task((base, p, q, a, b), f"Compute ${a}\\log_{base} {base ** p}+{b}\\log_{base} {base ** q}$.", value)
