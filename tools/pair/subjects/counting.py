from math import comb, factorial

from . import Task, draw, task

SUBJECT = "Counting & Probability"


@task(SUBJECT, "The order matters, so we multiply the choices that are left each time.")
def permutations(work, rng, level):
    k = (2, 2, 2, 3, 3)[level - 1]
    n = draw(rng, level, (3, 6), (4, 12), (11, 25), (4, 9), (6, 12))
    people = rng.choice(("runners", "students", "players", "singers"))
    value = work.product("Two of them give", n, n - 1)
    if k == 3:
        value = work.product("The third makes", value, n - 2)
    ask = rng.choice((f"ways can ${k}$ different prizes be given to ${n}$ {people}, at most one each?",
                      f"orders can ${k}$ of ${n}$ {people} stand in a line?"))
    return Task((n, k), f"In how many {ask}", value)


@task(SUBJECT, "We count the ordered choices and divide by the number of orders of a group.")
def combinations(work, rng, level):
    k = (2, 2, 2, 3, 3)[level - 1]
    n = draw(rng, level, (3, 6), (4, 12), (11, 25), (5, 9), (6, 12))
    people = rng.choice(("students", "players", "teachers", "friends"))
    ordered = work.product("Two in order give", n, n - 1)
    if k == 3:
        ordered = work.product("The third makes", ordered, n - 2)
    value = work.quotient("Groups without order are", ordered, factorial(k))
    ask = rng.choice((f"In how many ways can we choose a team of ${k}$ from ${n}$ {people}?",
                      f"How many groups of ${k}$ can be formed from ${n}$ {people}?"))
    return Task((n, k), ask, value)


@task(SUBJECT, "We multiply the chances of the first draw and of the second draw.")
def draw_two(work, rng, level):
    red, blue = (draw(rng, level, (2, 3), (2, 5), (2, 7), (3, 9), (4, 12)) for _ in range(2))
    mixed = level >= 2 and rng.random() < 0.5
    n = work.sum("The number of balls is", red, blue)
    top = work.product("Good draws in order are", red, blue if mixed else red - 1)
    if mixed:
        top = work.product("Both orders make", top, 2)
    bottom = work.product("All draws in order are", n, n - 1)
    answer = work.fraction("The chance is", top, bottom)
    event = "one is red and one is blue" if mixed else "both are red"
    ask = (f"A bag holds ${red}$ red and ${blue}$ blue balls. Two are drawn without replacement. "
           f"What is the probability that {event}?")
    return Task((red, blue, mixed), ask, answer)


@task(SUBJECT, "The choices are independent, so we multiply them.")
def code_words(work, rng, level):
    a, b = (draw(rng, level, (2, 5), (3, 9), (4, 12), (3, 12), (5, 15)) for _ in range(2))
    banned = draw(rng, level, (1, 3), (1, 8), (2, 15), (3, 60), (20, 99))
    total = work.product("Two places give", a, b)
    sizes = [a, b]
    if level > 3:
        sizes.append(rng.randint(2, 9))
        total = work.product("The third makes", total, sizes[2])
    if banned >= total:
        work.start_over()
        return code_words(work, rng, level)
    allowed = work.difference("Allowed are", total, banned)
    listed = " and ".join(f"${s}$" for s in sizes)
    ask = (f"A code has ${len(sizes)}$ places with {listed} choices in order, and ${banned}$ codes are "
           "forbidden. How many are allowed?")
    return Task((*sizes, banned), ask, allowed)


@task(SUBJECT, "We add the two groups and subtract those who were counted twice.")
def inclusion_exclusion(work, rng, level):
    both = draw(rng, level, (1, 4), (1, 9), (3, 30), (10, 60), (20, 150))
    a, b = (both + draw(rng, level, (1, 9), (3, 25), (5, 60), (20, 150), (60, 500)) for _ in range(2))
    none = draw(rng, level, (1, 5), (1, 9), (1, 30), (2, 90), (10, 200))
    pair = work.sum("Both groups make", a, b)
    union = work.difference("At least one takes", pair, both)
    one, two = rng.sample(("chess", "tennis", "music", "art", "French"), 2)
    facts = f"${a}$ students take {one}, ${b}$ take {two} and ${both}$ take both"
    if level < 3:
        return Task((a, b, both, 0), f"In a club {facts}. How many take at least one?", union)
    rest = work.difference("Neither takes", union + none, union)
    ask = f"In a school with ${union + none}$ students {facts}. How many take neither?"
    return Task((a, b, both, none), ask, rest)


@task(SUBJECT, "We multiply the numbers of ways of the two independent choices.")
def two_teams(work, rng, level):
    m, n = (draw(rng, level, (2, 4), (3, 6), (3, 9), (4, 10), (6, 12)) for _ in range(2))
    first = work.quotient("Pairs of boys are", m * (m - 1), 2) if level > 1 else m
    second = work.product("Pairs in order are", n, n - 1)
    second = work.quotient("Pairs of girls are", second, 2)
    value = work.product("Together this makes", first, second)
    who = "2$ boys" if level > 1 else "1$ boy"
    ask = f"In how many ways can ${who} and $2$ girls be chosen from ${m}$ boys and ${n}$ girls?"
    assert value == (comb(m, 2) if level > 1 else m) * comb(n, 2)
    return Task((m, n, level > 1), ask, value)
