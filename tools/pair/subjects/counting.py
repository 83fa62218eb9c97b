from math import comb, factorial, perm, prod

from work import add, divide, frac, ratio, reduce_fraction, times
from . import Task, draw, task

SUBJECT = "Counting & Probability"


def product_steps(factors):
    """The running product, one multiplication a sentence."""
    value, steps = factors[0], []
    for f in factors[1:]:
        steps.append(f"${times(value, f)}$.")
        value *= f
    return steps


@task(SUBJECT, "The order matters, so we multiply the choices that are left each time.")
def permutations(rng, level):
    k = draw(rng, level, (2, 2), (2, 3), (3, 3), (3, 4), (4, 5))
    n = draw(rng, level, (4, 30), (5, 20), (8, 25), (7, 20), (7, 12))
    people = rng.choice(("runners", "students", "players", "singers"))
    factors = [n - i for i in range(k)]
    steps = ["The choices are $" + r"\cdot".join(map(str, factors)) + "$."] + product_steps(factors)
    ask = rng.choice((f"ways can ${k}$ different prizes be given to ${n}$ {people}, at most one each?",
                      f"orders can ${k}$ of ${n}$ {people} stand in a line?"))
    return Task((n, k), f"In how many {ask}", steps, perm(n, k))


@task(SUBJECT, "We count the ordered choices and divide by the number of orders of a group.")
def combinations(rng, level):
    k = draw(rng, level, (2, 2), (2, 3), (3, 3), (3, 4), (4, 4))
    n = draw(rng, level, (4, 30), (5, 16), (8, 24), (8, 20), (9, 20))
    extra = 0 if level < 4 else rng.randint(2, 9)
    people = rng.choice(("students", "players", "teachers", "friends"))
    factors = [n - i for i in range(k)]
    steps = ["In order there are $" + r"\cdot".join(map(str, factors)) + "$ choices."] + product_steps(factors)
    steps.append(f"Each group is counted ${factorial(k)}$ times: ${divide(perm(n, k), factorial(k))}$.")
    tail = ""
    if extra:
        steps.append(f"With the place: ${times(comb(n, k), extra)}$.")
        tail = f" and one of ${extra}$ places to meet"
    ask = f"In how many ways can we choose a team of ${k}$ from ${n}$ {people}{tail}?"
    return Task((n, k, extra), ask, steps, comb(n, k) * (extra or 1))


@task(SUBJECT, "We multiply the chances of the first draw and of the second draw.")
def draw_two(rng, level):
    red, blue = (draw(rng, level, (2, 6), (2, 9), (3, 12), (4, 16), (6, 24)) for _ in range(2))
    green = 0 if level < 4 else rng.randint(1, 9)
    n = red + blue + green
    mixed = level >= 3 and rng.random() < 0.5
    contents = f"${red}$ red, ${blue}$ blue and ${green}$ green" if green else f"${red}$ red and ${blue}$ blue"
    top = 2 * red * blue if mixed else red * (red - 1)
    second = blue if mixed else red - 1
    orders = r"2\cdot" if mixed else ""
    steps = [f"There are ${add(red, blue, *([green] if green else []))}$ balls.",
             f"The chance is ${orders}{frac(red, n)}\\cdot{frac(second, n - 1)}$.",
             f"Above: ${times(red, second)}$" + (f" and ${times(red * second, 2)}$." if mixed else "."),
             f"Below: ${times(n, n - 1)}$.", f"So ${reduce_fraction(top, n * (n - 1))}$."]
    event = "one is red and one is blue" if mixed else "both are red"
    ask = (f"A bag holds {contents} balls. Two are drawn without replacement. "
           f"What is the probability that {event}?")
    return Task((red, blue, green, mixed), ask, steps, ratio(top, n * (n - 1)))


@task(SUBJECT, "The choices are independent, so we multiply them.")
def code_words(rng, level):
    length = (2, 2, 3, 3, 4)[level - 1]
    sizes = [draw(rng, level, (2, 9), (5, 20), (4, 12), (6, 26), (5, 26)) for _ in range(length)]
    listed = ", ".join(f"${s}$" for s in sizes[:-1]) + f" and ${sizes[-1]}$"
    total, banned = prod(sizes), 0
    steps = ["Multiply the choices: $" + r"\cdot".join(map(str, sizes)) + "$."] + product_steps(sizes)
    ask = "How many codes are there?"
    if level in (2, 4, 5):
        banned = rng.randint(2, min(60, total - 1))
        steps.append(f"Remove the forbidden ones: ${add(total, -banned)}$.")
        ask = f"If ${banned}$ codes are forbidden, how many are allowed?"
    ask = f"A code has ${length}$ places with {listed} choices for the places in order. {ask}"
    return Task((*sizes, banned), ask, steps, total - banned)


@task(SUBJECT, "We count the multiples up to the end and take away those before the start.")
def multiples_in_range(rng, level):
    k = draw(rng, level, (2, 9), (3, 9), (3, 12), (6, 20), (7, 40))
    a = draw(rng, level, (1, 20), (5, 60), (20, 150), (50, 400), (100, 999))
    b = a + draw(rng, level, (10, 60), (30, 120), (60, 300), (100, 600), (300, 2000))
    high, low = b // k, (a - 1) // k
    steps = [f"Up to ${b}$: ${b}={high}\\cdot{k}+{b % k}$, so ${high}$.",
             f"Up to ${a - 1}$: ${a - 1}={low}\\cdot{k}+{(a - 1) % k}$, so ${low}$.",
             f"Then ${high}-{low}={high - low}$."]
    ask = f"How many multiples of ${k}$ are there from ${a}$ to ${b}$?"
    return Task((k, a, b), ask, steps, high - low)


@task(SUBJECT, "We add the two groups and subtract those who were counted twice.")
def inclusion_exclusion(rng, level):
    both = draw(rng, level, (1, 9), (3, 20), (5, 50), (20, 99), (50, 400))
    only = [draw(rng, level, (1, 12), (5, 30), (10, 80), (30, 200), (99, 900)) for _ in range(2)]
    none = 0 if level < 2 else draw(rng, level, (0, 0), (1, 20), (2, 50), (10, 99), (30, 400))
    a, b = only[0] + both, only[1] + both
    union = a + b - both
    one, two = rng.sample(("chess", "tennis", "music", "art", "French"), 2)
    facts = f"${a}$ students take {one}, ${b}$ take {two} and ${both}$ take both"
    steps = [f"At least one: ${add(a, b, -both)}$."]
    if level < 2:
        return Task((a, b, both, 0), f"In a club {facts}. How many take at least one?", steps, union)
    whole = union + none
    steps.append(f"Neither: ${whole}-{union}={none}$.")
    ask = f"In a school with ${whole}$ students {facts}. How many take neither?"
    return Task((a, b, both, whole), ask, steps, none)


@task(SUBJECT, "We count all orders and divide by the orders of equal letters.")
def letter_words(rng, level):
    """Arrangements of a made-up word; letters may repeat from level 2 on."""
    length = draw(rng, level, (3, 5), (3, 6), (4, 7), (5, 8), (6, 9))
    letters = rng.sample("ABCDEKLMNORST", length)
    repeats = 1 if level == 1 else rng.randint(2, min(4, length - 1))
    letters[1:repeats] = [letters[0]] * (repeats - 1)
    shuffled = letters[:]
    rng.shuffle(shuffled)
    word = "".join(shuffled)
    steps = [f"There are ${length}$ letters: ${length}!={factorial(length)}$."]
    if repeats > 1:
        steps.append(f"The letter {letters[0]} occurs ${repeats}$ times: ${repeats}!={factorial(repeats)}$.")
        steps.append(f"Then ${divide(factorial(length), factorial(repeats))}$.")
    ask = f"How many different words can be made with the letters of {' '.join(word)}?"
    return Task((word,), ask, steps, factorial(length) // factorial(repeats))
