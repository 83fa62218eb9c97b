from work import coefficient, surd
from . import Task, draw, task

SUBJECT = "Geometry"


@task(SUBJECT, "The perimeter is twice the sum of length and width.")
def rectangle(work, rng, level):
    a = draw(rng, level, (2, 9), (4, 20), (8, 60), (20, 99), (50, 300))
    b = draw(rng, level, (2, 5), (2, 9), (3, 9), (4, 9), (5, 9))
    p = 2 * (a + b)
    if rng.random() < 0.5:
        half = work.sum("Length and width make", a, b)
        value = work.product("The perimeter is", half, 2)
        return Task((a, b, 0), f"A rectangle is ${a}$ long and ${b}$ wide. What is its perimeter?", value)
    half = work.quotient("Half the perimeter is", p, 2)
    width = work.difference("The width is", half, a)
    value = work.product("The area is", a, width)
    return Task((a, b, 1), f"A rectangle has perimeter ${p}$ and length ${a}$. What is its area?", value)


@task(SUBJECT, "The square of the hypotenuse is the sum of the squares of the legs.")
def right_triangle(work, rng, level):
    a, b = (draw(rng, level, (1, 4), (1, 6), (2, 9), (3, 12), (5, 15)) for _ in range(2))
    if rng.random() < 0.5:
        first, second = work.square("The first square is", a), work.square("The second square is", b)
        square = work.sum("Their sum is", first, second)
        answer = work.root("The side is", square)
        return Task((a, b, 0), f"A right triangle has legs ${a}$ and ${b}$. How long is the hypotenuse?", answer)
    c = a + b
    first, second = work.square("The larger square is", c), work.square("The smaller square is", a)
    square = work.difference("The difference is", first, second)
    answer = work.root("The side is", square)
    assert answer == surd(c * c - a * a)
    ask = f"A right triangle has hypotenuse ${c}$ and one leg ${a}$. How long is the other leg?"
    return Task((a, c, 1), ask, answer)


@task(SUBJECT, "The angles of a triangle add to $180$ degrees.")
def triangle_angles(work, rng, level):
    if level < 4:
        a, b = (draw(rng, level, (2, 8), (3, 17), (21, 85)) * (10, 5, 1)[level - 1] for _ in range(2))
        both = work.sum("Two angles make", a, b)
        rest = work.difference("The third is", 180, both)
        ask = f"Two angles of a triangle are ${a}^\\circ$ and ${b}^\\circ$. How many degrees is the third?"
        return Task((a, b), ask, rest)
    ks = [draw(rng, level, (0, 0), (0, 0), (0, 0), (1, 5), (1, 9)) for _ in range(3)]
    shift = draw(rng, level, (0, 0), (0, 0), (0, 0), (1, 40), (1, 60))
    whole = sum(ks)
    if (180 - shift) % whole or len(set(ks)) == 1:
        return triangle_angles(work, rng, level)
    total = work.total("The multiples of $x$ make", *ks)
    right = work.difference("On the right we keep", 180, shift)
    x = work.quotient("The unknown $x$ is", right, total)
    value = work.product("The first angle is", ks[0], x)
    names = ", ".join(f"${coefficient(k, 'x', True)}$" for k in ks[:2])
    ask = (f"The angles of a triangle in degrees are {names} and ${coefficient(ks[2], 'x', True)}+{shift}$. "
           "How many degrees is the first?")
    return Task((*ks, shift), ask, value)


@task(SUBJECT, r"The area of a circle is $\pi r^2$.")
def circle(work, rng, level):
    r = draw(rng, level, (2, 6), (2, 10), (5, 15), (6, 15), (9, 20))
    if level < 4:
        half = work.quotient("The radius is", 2 * r, 2)
        square = work.square("Its square is", half)
        ask = rng.choice((f"circumference ${2 * r}\\pi$", f"diameter ${2 * r}$"))
        return Task((r, 0), f"A circle has {ask}. What is its area?", rf"{square}\pi")
    s = rng.randint(2, r - 1)
    outer, inner = work.square("The outer square is", r), work.square("The inner square is", s)
    gap = work.difference("The difference is", outer, inner)
    ask = (f"Two circles with radii ${r}$ and ${s}$ have the same center. "
           "What is the area of the ring between them?")
    return Task((r, s), ask, rf"{gap}\pi")


@task(SUBJECT, "A box has three pairs of equal faces, and its volume is the base times the height.")
def box(work, rng, level):
    a, b, c = (draw(rng, level, (2, 4), (2, 6), (2, 9), (3, 10), (4, 15)) for _ in range(3))
    base = work.product("The base is", a, b)
    if level < 5 and rng.random() < 0.5:
        c = min(c, 9)
        volume = work.product("The volume is", base, c)
        return Task((a, b, c, 0), f"A box measures ${a}$ by ${b}$ by ${c}$. What is its volume?", volume)
    front, side = work.product("The front is", a, c), work.product("The side is", b, c)
    half = work.total("The faces add to", base, front, side)
    value = work.product("The surface is", half, 2)
    return Task((a, b, c, 1), f"A box measures ${a}$ by ${b}$ by ${c}$. What is its surface area?", value)


@task(SUBJECT, "We find the differences of the coordinates and add their squares.")
def distance(work, rng, level):
    top = (5, 8, 12, 20, 40)[level - 1]
    reach = (4, 6, 9, 12, 15)[level - 1]
    x1, y1 = (rng.randint(0, top) for _ in range(2))
    x2, y2 = x1 + rng.randint(1, reach), y1 + rng.randint(1, reach)
    dx, dy = work.difference("Across it is", x2, x1), work.difference("Upwards it is", y2, y1)
    first, second = work.square("The first square is", dx), work.square("The second square is", dy)
    square = work.sum("Their sum is", first, second)
    answer = work.root("The distance is", square)
    return Task((x1, y1, x2, y2), f"What is the distance between $({x1},{y1})$ and $({x2},{y2})$?", answer)


@task(SUBJECT, "The area is half the sum of the bases times the height.")
def trapezoid(work, rng, level):
    a, b = (draw(rng, level, (2, 6), (2, 12), (6, 40), (15, 90), (40, 200)) for _ in range(2))
    h = draw(rng, level, (2, 4), (2, 6), (3, 9), (3, 9), (4, 9))
    if (a + b) % 2:
        return trapezoid(work, rng, level)
    bases = work.sum("The bases make", a, b)
    half = work.quotient("Half of that is", bases, 2)
    area = work.product("The area is", half, h)
    return Task((a, b, h), f"A trapezoid has bases ${a}$ and ${b}$ and height ${h}$. What is its area?", area)
