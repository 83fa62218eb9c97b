from work import add, coefficient, divide, paren, simplify_root, square, surd, times
from . import Task, draw, nonzero, task

SUBJECT = "Geometry"


@task(SUBJECT, "The area is length times width and the perimeter is twice their sum.")
def rectangle(rng, level):
    a, b = (draw(rng, level, (2, 12), (5, 30), (11, 60), (20, 99), (50, 300)) for _ in range(2))
    kind = rng.choice(("area", "perimeter", "width"))
    if kind == "area":
        ask = f"A rectangle is ${a}$ long and ${b}$ wide. What is its area?"
        return Task((a, b, kind), ask, [f"The area is ${times(a, b)}$."], a * b)
    p = 2 * (a + b)
    if kind == "perimeter":
        steps = [f"Half the perimeter is ${add(a, b)}$.", f"The perimeter is ${times(a + b, 2)}$."]
        ask = f"A rectangle is ${a}$ long and ${b}$ wide. What is its perimeter?"
        return Task((a, b, kind), ask, steps, p)
    steps = [f"Half the perimeter is ${divide(p, 2)}$.", f"The width is ${add(a + b, -a)}$.",
             f"The area is ${times(a, b)}$."]
    ask = f"A rectangle has perimeter ${p}$ and length ${a}$. What is its area?"
    return Task((a, b, kind), ask, steps, a * b)


@task(SUBJECT, "By the Pythagorean theorem the square of the hypotenuse is the sum of the squares of the legs.")
def right_triangle(rng, level):
    if level < 4:
        a, b = (draw(rng, level, (1, 9), (2, 12), (4, 20), (0, 0), (0, 0)) for _ in range(2))
        c2 = a * a + b * b
        steps = [f"${square(a)}$ and ${square(b)}$.", f"The sum is ${add(a * a, b * b)}$.",
                 f"The hypotenuse is ${simplify_root(c2)}$."]
        ask = f"A right triangle has legs ${a}$ and ${b}$. How long is the hypotenuse?"
        return Task((a, b, 0), ask, steps, surd(c2))
    a = draw(rng, level, (0, 0), (0, 0), (0, 0), (3, 20), (11, 40))
    c = a + draw(rng, level, (0, 0), (0, 0), (0, 0), (1, 12), (1, 20))
    b2 = c * c - a * a
    steps = [f"${square(c)}$ and ${square(a)}$.", f"The difference is ${add(c * c, -a * a)}$.",
             f"The other leg is ${simplify_root(b2)}$."]
    ask = f"A right triangle has hypotenuse ${c}$ and one leg ${a}$. How long is the other leg?"
    return Task((a, 0, c), ask, steps, surd(b2))


@task(SUBJECT, "The angles of a triangle add to $180$ degrees.")
def triangle_angles(rng, level):
    if level < 3:
        a, b = (draw(rng, level, (2, 8), (11, 85)) * (10 if level == 1 else 1) for _ in range(2))
        if level == 1:
            a += rng.randint(0, 9)
        steps = [f"The two angles add to ${add(a, b)}$.", f"The third is ${add(180, -a - b)}$."]
        ask = f"Two angles of a triangle are ${a}^\\circ$ and ${b}^\\circ$. How many degrees is the third?"
        return Task((a, b), ask, steps, 180 - a - b)
    ks = [draw(rng, level, (0, 0), (0, 0), (1, 5), (1, 8), (1, 9)) for _ in range(3)]
    shift = 0 if level == 3 else nonzero(rng, -40, 40)
    whole = sum(ks)
    if (180 - shift) % whole or len(set(ks)) == 1:
        return triangle_angles(rng, level)
    x = (180 - shift) // whole
    last = coefficient(ks[2], "x", True) + (coefficient(shift, "") if shift else "")
    steps = [f"The sum of the angles is $180$: ${add(*ks)}$."]
    if shift:
        steps.append(f"So ${whole}x={add(180, -shift)}$.")
    steps += [f"Then $x={divide(180 - shift, whole)}$.", f"The asked angle is ${times(x, ks[0])}$."]
    names = ", ".join(f"${coefficient(k, 'x', True)}$" for k in ks[:2])
    ask = (f"The angles of a triangle in degrees are {names} and ${last}$. "
           "How many degrees is the first?")
    return Task((*ks, shift), ask, steps, ks[0] * x)


@task(SUBJECT, r"The circumference is $2\pi r$ and the area is $\pi r^2$.")
def circle(rng, level):
    r = draw(rng, level, (2, 30), (5, 60), (11, 99), (11, 99), (11, 120))
    if level == 1:
        kind = rng.choice(("radius", "diameter"))
        start = r if kind == "radius" else 2 * r
        steps = [] if kind == "radius" else [f"The radius is ${divide(start, 2)}$."]
        steps.append(f"The circumference is $2\\cdot{r}\\cdot\\pi={2 * r}\\pi$.")
        ask = f"A circle has {kind} ${start}$. What is its circumference?"
        return Task((start, kind), ask, steps, rf"{2 * r}\pi")
    if level < 4:
        c = 2 * r
        steps = [f"The radius is ${divide(c, 2)}$.", f"${square(r)}$.", f"The area is ${r * r}\\pi$."]
        ask = rng.choice((f"circumference ${c}\\pi$", f"diameter ${c}$"))
        return Task((c, "area"), f"A circle has {ask}. What is its area?", steps, rf"{r * r}\pi")
    s = rng.randint(2, r - 1)
    steps = [f"${square(r)}$ and ${square(s)}$.", f"The difference is ${add(r * r, -s * s)}$."]
    ask = (f"Two circles with radii ${r}$ and ${s}$ have the same center. "
           "What is the area of the ring between them?")
    return Task((r, s, "ring"), ask, steps, rf"{r * r - s * s}\pi")


@task(SUBJECT, "A box has three pairs of equal faces, and its volume is the base times the height.")
def box(rng, level):
    a, b, c = (draw(rng, level, (2, 6), (2, 12), (3, 12), (5, 25), (11, 40)) for _ in range(3))
    if level in (1, 2, 4):
        steps = [f"The base is ${times(a, b)}$.", f"The volume is ${times(a * b, c)}$."]
        return Task((a, b, c, 0), f"A box measures ${a}$ by ${b}$ by ${c}$. What is its volume?", steps, a * b * c)
    half = a * b + a * c + b * c
    steps = [f"The faces are ${times(a, b)}$, ${times(a, c)}$ and ${times(b, c)}$.",
             f"Their sum is ${add(a * b, a * c, b * c)}$.", f"Twice that is ${times(half, 2)}$."]
    return Task((a, b, c, 1), f"A box measures ${a}$ by ${b}$ by ${c}$. What is its surface area?", steps, 2 * half)


@task(SUBJECT, "We find the differences of the coordinates and use the Pythagorean theorem.")
def distance(rng, level):
    span = ((0, 9), (0, 15), (-12, 12), (-20, 20), (-40, 40))[level - 1]
    x1, y1, x2, y2 = (rng.randint(*span) for _ in range(4))
    dx, dy = x2 - x1, y2 - y1
    if not (dx and dy):
        return distance(rng, level)
    n = dx * dx + dy * dy
    steps = [f"${x2}-{paren(x1)}={dx}$ and ${y2}-{paren(y1)}={dy}$.", f"${square(dx)}$ and ${square(dy)}$.",
             f"The sum is ${add(dx * dx, dy * dy)}$.", f"The distance is ${simplify_root(n)}$."]
    ask = f"What is the distance between $({x1},{y1})$ and $({x2},{y2})$?"
    return Task((x1, y1, x2, y2), ask, steps, surd(n))


@task(SUBJECT, "The area is half the sum of the bases times the height.")
def trapezoid(rng, level):
    a, b = (draw(rng, level, (2, 12), (4, 25), (8, 50), (15, 99), (30, 300)) for _ in range(2))
    h = draw(rng, level, (2, 8), (2, 12), (3, 20), (11, 40), (11, 90))
    if (a + b) % 2:
        return trapezoid(rng, level)
    steps = [f"The bases add to ${add(a, b)}$.", f"Half of that is ${divide(a + b, 2)}$.",
             f"The area is ${times((a + b) // 2, h)}$."]
    ask = f"A trapezoid has bases ${a}$ and ${b}$ and height ${h}$. What is its area?"
    return Task((a, b, h), ask, steps, (a + b) // 2 * h)
