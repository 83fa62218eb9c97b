from work import add, paren, simplify_root, square, surd, times
from . import Task, draw, nonzero, task

SUBJECT = "Precalculus"
SPANS = ((1, 9), (-9, 9), (-12, 15), (-20, 25), (-40, 40))


def column(values):
    return r"\begin{pmatrix}" + r"\\".join(map(str, values)) + r"\end{pmatrix}"


def matrix(rows):
    return r"\begin{pmatrix}" + r"\\".join("&".join(map(str, row)) for row in rows) + r"\end{pmatrix}"


def dot_steps(u, v):
    """One sentence of products, and the chain that adds them."""
    products = [a * b for a, b in zip(u, v)]
    return ", ".join(f"${times(a, b)}$" for a, b in zip(u, v)), add(*products), sum(products)


@task(SUBJECT, "We multiply matching entries and add the products.")
def dot_product(rng, level):
    size = (2, 2, 3, 3, 3)[level - 1]
    u, v = ([nonzero(rng, *SPANS[level - 1]) for _ in range(size)] for _ in range(2))
    products, chain, value = dot_steps(u, v)
    steps = [f"Multiply: {products}.", f"Add: ${chain}$."]
    ask = f"What is the dot product of ${column(u)}$ and ${column(v)}$?"
    return Task((*u, *v), ask, steps, value)


@task(SUBJECT, "The determinant is the product on the main diagonal minus the other product.")
def determinant(rng, level):
    a, b, c, d = (nonzero(rng, *SPANS[level - 1]) for _ in range(4))
    steps = [f"Main diagonal: ${times(a, d)}$.", f"Other diagonal: ${times(b, c)}$.",
             f"Then ${a * d}-{paren(b * c)}={a * d - b * c}$."]
    ask = f"What is the determinant of ${matrix([(a, b), (c, d)])}$?"
    return Task((a, b, c, d), ask, steps, a * d - b * c)


@task(SUBJECT, "Each row of the matrix is multiplied by the vector.")
def matrix_vector(rng, level):
    span = ((1, 6), (1, 9), (-9, 9), (-12, 15), (-20, 25))[level - 1]
    rows = [[nonzero(rng, *span) for _ in range(2)] for _ in range(2)]
    v = [nonzero(rng, *span) for _ in range(2)]
    steps, out = [], []
    for name, row in zip(("First", "Second"), rows):
        products, chain, value = dot_steps(row, v)
        steps.append(f"{name} row: {products}, so ${chain}$.")
        out.append(value)
    ask = f"Compute ${matrix(rows)}{column(v)}$."
    return Task((*rows[0], *rows[1], *v), ask, steps, column(out))


@task(SUBJECT, "The length is the square root of the sum of the squares of the entries.")
def magnitude(rng, level):
    size = 2 if level < 3 else 3
    span = ((1, 12), (-15, 15), (-12, 12), (-20, 20), (-30, 30))[level - 1]
    v = [nonzero(rng, *span) for _ in range(size)]
    squares = [x * x for x in v]
    steps = ["Square: " + ", ".join(f"${square(x)}$" for x in v) + ".", f"Add: ${add(*squares)}$.",
             f"So ${simplify_root(sum(squares))}$."]
    return Task(tuple(v), f"What is the length of the vector ${column(v)}$?", steps, surd(sum(squares)))


@task(SUBJECT, "Each component of the cross product is a difference of two products.")
def cross_component(rng, level):
    span = ((1, 6), (1, 9), (-9, 9), (-12, 15), (-25, 25))[level - 1]
    u, v = ([nonzero(rng, *span) for _ in range(3)] for _ in range(2))
    which = rng.randrange(3)
    i, j = ((1, 2), (2, 0), (0, 1))[which]
    p, q = u[i] * v[j], u[j] * v[i]
    steps = [f"We need ${u[i]}\\cdot{paren(v[j])}-{paren(u[j])}\\cdot{paren(v[i])}$." if u[i] >= 0 else
             f"We need $({u[i]})\\cdot{paren(v[j])}-{paren(u[j])}\\cdot{paren(v[i])}$.",
             f"${times(u[i], v[j])}$ and ${times(u[j], v[i])}$.", f"Then ${p}-{paren(q)}={p - q}$."]
    place = ("first", "second", "third")[which]
    ask = f"What is the {place} component of the cross product ${column(u)}\\times{column(v)}$?"
    return Task((*u, *v, which), ask, steps, p - q)


# sin and cos of the multiples of 30 and 60 degrees whose value is rational, doubled.
DOUBLE_SIN = {0: 0, 30: 1, 90: 2, 150: 1, 180: 0, 210: -1, 270: -2, 330: -1}


@task(SUBJECT, "We bring the angles into one turn and use the exact values.")
def trig_sum(rng, level):
    """a sin A + b cos B with angles that must be brought into one turn first."""
    turns = (0, 1, 2, 4, 6)[level - 1]
    a, b = (2 * draw(rng, level, (1, 12), (2, 20), (3, 40), (6, 60), (11, 99)) for _ in range(2))
    base_a = rng.choice([k for k in DOUBLE_SIN if k])
    base_b = rng.choice([(k + 270) % 360 for k in DOUBLE_SIN])
    angle_a, angle_b = (base + 360 * rng.randint(0, turns) for base in (base_a, base_b))
    sin2, cos2 = DOUBLE_SIN[base_a], DOUBLE_SIN[(base_b + 90) % 360]
    half = {0: "0", 1: r"\frac{1}{2}", 2: "1", -1: r"-\frac{1}{2}", -2: "-1"}
    steps = []
    for angle, base in ((angle_a, base_a), (angle_b, base_b)):
        if angle != base:
            steps.append(f"${angle}-{angle - base}={base}$.")
    p, q = a // 2 * sin2, b // 2 * cos2
    steps += [f"$\\sin{base_a}^\\circ={half[sin2]}$ and $\\cos{base_b}^\\circ={half[cos2]}$.",
              f"The terms are ${p}$ and ${q}$, so ${add(p, q)}$."]
    ask = f"Compute ${a}\\sin{angle_a}^\\circ+{b}\\cos{angle_b}^\\circ$."
    return Task((a, b, angle_a, angle_b), ask, steps, p + q)
