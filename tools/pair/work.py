"""How a solution works: one calculation a line, stated first and then carried out.

    The area is $36\\cdot7$. Carefully, it is $252$.

The statement copies numbers, which both models learn; the result is found in the head, which is where
they differ. Between the two stands a remark, and remarks vary as an author's words do: nothing is said
about an easy calculation, and the harder it looks the more ways there are of saying so. So a reader's doubt
about the next word grows before the hard part and not after it.

How hard it looks is read off the operands: their signs, how many digits they have, which is larger, and
whether one is 0, 1, 2 or 10. Nothing of the result enters (no carry, no common divisor), or a wrong remark
would tell a careful reader something false. `generate.py --check` holds the ratings to it (`shape`).
"""
import re
from math import gcd

# The remark before a result, by how hard the calculation is: one word and, in this vocabulary, one token.
# The first of a stock is said twice as often as each of the others, so that greedy decoding meets no tie.
REMARKS = (
    ("Thus",),
    ("So", "Hence"),
    ("Directly", "Evaluated", "Exactly", "Altogether", "Simplified", "Computed"),
    ("Carefully", "Slowly", "Patiently", "Precisely", "Gradually", "Thoroughly", "Cautiously", "Attentively",
     "Properly", "Rigorously", "Methodically", "Diligently", "Accurately", "Laboriously", "Stepwise",
     "Persistently"),
)
# How often an author's remark does not fit: so a reader learns to trust the operands and no remark.
SLIP = 0.01


def digits(n):
    return len(str(abs(n)))


def hard_sum(a, b):
    """a+b, or a-b as the sum of a and -b."""
    low, high = sorted((digits(a), digits(b)))
    return max(high + (low > 1) - 2 + ((a < 0) != (b < 0)), int(high > 1)) + 2 * (a < 0)


def hard_product(a, b):
    low, high = sorted((abs(a), abs(b)))
    if low < 2 or high < 10 or 10 in (low, high):
        return 0
    return digits(high) + (digits(low) > 1) - (low == 2)


def hard_quotient(a, b):
    """a/b, whether it is whole or not."""
    return 0 if abs(b) == 1 else digits(a) + digits(b) - 2 + (digits(a) > 2)


def hard_remainder(a, m):
    return 0 if a < m else digits(a) + digits(m) - 1


def hard_root(n):
    return 2 * digits(n) - 3


def hard_pair(product):
    """Two numbers from their product and their sum."""
    return digits(product) + (product < 0)


def shape(expression):
    """What a rating may look at: the numbers' lengths and order, and which of them is 0, 1, 2 or 10."""
    numbers = [int(n) for n in re.findall(r"\d+", expression)]
    order = [(a > b) - (a < b) for a, b in zip(numbers, numbers[1:])]
    masked = re.sub(r"\d+", lambda n: n[0] if n[0] in ("0", "1", "2", "10") else "9" * len(n[0]), expression)
    return masked, tuple(order)


def paren(n):
    return f"({n})" if n < 0 else str(n)


class Work:
    """The lines of a solution; for the check its equations, and what each remark was chosen by."""

    def __init__(self, rng):
        self.rng = rng
        self.start_over()

    def start_over(self):
        self.lines, self.equations, self.ratings = [], [], []

    def say(self, sentence):
        self.lines.append(sentence)

    def remark(self, seen, hardness):
        """Before the result of a calculation of which a reader has `seen` so much."""
        rating = max(0, min(len(REMARKS) - 1, hardness))
        self.ratings.append((shape(seen), rating))
        stock = self.rng.choice(REMARKS) if self.rng.random() < SLIP else REMARKS[rating]
        return stock[max(0, self.rng.randint(-1, len(stock) - 1))]

    def step(self, lead, expression, result, hardness):
        """A calculation; `result` is a number or its LaTeX, `hardness` one of the ratings above."""
        self.equations.append((expression, str(result)))
        self.lines.append(f"{lead} ${expression}$. {self.remark(expression, hardness)}, it is ${result}$.")
        return result

    def sum(self, lead, a, b):
        return self.step(lead, f"{a}{b:+d}", a + b, hard_sum(a, b))

    def difference(self, lead, a, b):
        return self.step(lead, f"{a}-{paren(b)}", a - b, hard_sum(a, -b))

    def total(self, lead, *terms):
        """A sum of several terms, two at a time."""
        value = terms[0]
        for i, term in enumerate(terms[1:]):
            value = self.sum(lead if i == 0 else "Next comes", value, term)
        return value

    def product(self, lead, a, b):
        return self.step(lead, rf"{paren(a)}\cdot{paren(b)}", a * b, hard_product(a, b))

    def square(self, lead, n):
        return self.step(lead, f"{paren(n)}^2", n * n, digits(n) - 1)

    def quotient(self, lead, a, b):
        assert a % b == 0
        return self.step(lead, frac(a, b), a // b, hard_quotient(a, b))

    def remainder(self, lead, a, m):
        return self.step(lead, rf"{a}\bmod{m}", a % m, hard_remainder(a, m))

    def fraction(self, lead, a, b):
        """a/b in lowest terms."""
        return self.step(lead, frac(a, b), ratio(a, b), hard_quotient(a, b))

    def root(self, lead, n):
        """The square root of n in simplest form."""
        return self.step(lead, rf"\sqrt{{{n}}}", surd(n), hard_root(n))

    def pair(self, lead, p, q):
        """The two numbers p <= q behind their sum and their product."""
        seen = f"sum ${p + q}$ and product ${p * q}$"
        remark = self.remark(seen, hard_pair(p * q))
        self.lines.append(f"{lead} {seen}. {remark}, they are ${p}$ and ${q}$.")
        self.equations.append((f"{p}+{paren(q)}", str(p + q)))


def frac(a, b):
    return rf"\frac{{{a}}}{{{b}}}"


def ratio(a, b):
    """a/b in lowest terms, as it is boxed."""
    if b < 0:
        a, b = -a, -b
    g = gcd(a, b)
    a, b = a // g, b // g
    if b == 1:
        return str(a)
    return ("-" if a < 0 else "") + frac(abs(a), b)


def coefficient(n, symbol, first=False):
    """A term of a polynomial: 3x, -x, +x; nothing when n is zero."""
    if n == 0:
        return ""
    body = symbol if abs(n) == 1 and symbol else f"{abs(n)}{symbol}"
    sign = "-" if n < 0 else ("" if first else "+")
    return sign + body


def polynomial(coefficients, symbol="x"):
    """Highest power first."""
    out = ""
    for i, c in enumerate(coefficients):
        power = len(coefficients) - 1 - i
        name = "" if power == 0 else symbol if power == 1 else f"{symbol}^{power}"
        out += coefficient(c, name, first=not out)
    return out or "0"


def surd(n):
    """\\sqrt{n} in simplest form, as it is boxed."""
    k = int(n ** 0.5)
    while n % (k * k):
        k -= 1
    rest = n // (k * k)
    if rest == 1:
        return str(k)
    return rf"\sqrt{{{n}}}" if k == 1 else rf"{k}\sqrt{{{rest}}}"
