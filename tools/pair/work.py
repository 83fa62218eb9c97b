"""How a solution works: one calculation a line, stated first and then carried out.

    The area is $36\\cdot7$. Carefully, it is $252$.

The statement copies numbers, which both models learn; the result is found in the head, which is where
they differ. Between the two stands a remark, and remarks vary as an author's words do: nothing is said
about an easy calculation, and the harder it is the more ways there are of saying so. So a reader's doubt
about the next word grows before the hard part and not after it.
"""
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


def remark(rng, hardness):
    stock = REMARKS[hardness]
    return stock[max(0, rng.randint(-1, len(stock) - 1))]


def clamp(hardness):
    return max(0, min(len(REMARKS) - 1, hardness))


def carries(a, b):
    """How often a column of a+b exceeds nine."""
    count = carry = 0
    while a or b:
        carry = (a % 10 + b % 10 + carry) // 10
        count += carry
        a, b = a // 10, b // 10
    return count


def digits(n):
    return len(str(abs(n)))


def paren(n):
    return f"({n})" if n < 0 else str(n)


class Work:
    """The lines of a solution, and its equations for the check."""

    def __init__(self, rng):
        self.rng, self.lines, self.equations = rng, [], []

    def say(self, sentence):
        self.lines.append(sentence)

    def step(self, lead, expression, result, hardness):
        """A calculation; `result` is a number or its LaTeX."""
        self.equations.append((expression, str(result)))
        self.lines.append(f"{lead} ${expression}$. {remark(self.rng, clamp(hardness))}, it is ${result}$.")
        return result

    def sum(self, lead, a, b):
        hardness = digits(a + b) - 2 + carries(abs(a), abs(b)) if a >= 0 and b >= 0 else self.gap(a, b)
        return self.step(lead, f"{a}{b:+d}", a + b, hardness)

    @staticmethod
    def gap(a, b):
        """How hard a sum is that has a negative term."""
        low, high = sorted((abs(a), abs(b)))
        if a < 0 and b < 0:
            return digits(a + b) - 1 + carries(low, high)
        return digits(high) - 1 + carries(high - low, low)

    def difference(self, lead, a, b):
        return self.step(lead, f"{a}-{paren(b)}", a - b, self.gap(a, -b) - (b >= 0 and a < 20))

    def total(self, lead, *terms):
        """A sum of several terms, two at a time."""
        value = terms[0]
        for i, term in enumerate(terms[1:]):
            value = self.sum(lead if i == 0 else "Next comes", value, term)
        return value

    def product(self, lead, a, b):
        low, high = sorted((abs(a), abs(b)))
        hardness = 0 if low < 2 or high * low <= 20 else 1 if high <= 10 or low == 10 else digits(high)
        return self.step(lead, rf"{paren(a)}\cdot{paren(b)}", a * b, hardness + (low > 10))

    def square(self, lead, n):
        size = abs(n)
        return self.step(lead, f"{paren(n)}^2", n * n, 0 if size < 5 else 1 if size <= 10 else 2 + (size > 15))

    def quotient(self, lead, a, b):
        assert a % b == 0
        size = abs(a // b)
        hardness = 0 if size < 2 or abs(b) == 1 else 1 if size <= 10 and abs(b) <= 10 else digits(size)
        return self.step(lead, frac(a, b), a // b, hardness + (abs(b) > 10))

    def remainder(self, lead, a, m):
        hardness = 0 if a < m else 1 if a <= 30 else digits(a)
        return self.step(lead, rf"{a}\bmod{m}", a % m, hardness + (m > 10))

    def fraction(self, lead, a, b):
        """a/b in lowest terms."""
        hardness = 1 if b <= 12 else 2 + (gcd(a, b) > 10)
        return self.step(lead, frac(a, b), ratio(a, b), hardness)

    def root(self, lead, n):
        """The square root of n in simplest form."""
        hardness = 1 if n <= 50 else 2 if n <= 150 else 3
        return self.step(lead, rf"\sqrt{{{n}}}", surd(n), hardness)

    def pair(self, lead, p, q):
        """The two numbers p <= q behind their sum and their product."""
        size = max(abs(p), abs(q))
        hardness = (1 if size <= 5 else 2 if size <= 9 else 3) + (p < 0 < q)
        self.lines.append(f"{lead} sum ${p + q}$ and product ${p * q}$. "
                          f"{remark(self.rng, clamp(hardness))}, they are ${p}$ and ${q}$.")
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
