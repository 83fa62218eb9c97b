"""How a solution works: one calculation a line, stated first and then carried out.

    Now the area is $36\\cdot7$. This makes $252$.

The statement copies numbers, which both models learn; the result is found in the head, which is where
they differ. The words around the two are chosen by `wording` and say nothing of either.
"""
from math import gcd

from wording import CLOSINGS, LINKS, OPENERS, PAIR_LINKS, VERBS


def paren(n):
    return f"({n})" if n < 0 else str(n)


class Work:
    """The lines of a solution, and its equations for the check. `words` chooses the wording."""

    def __init__(self, words):
        self.words = words
        self.start_over()

    def start_over(self):
        self.lines, self.equations = [], []
        self.words.start_over()

    def say(self, sentence):
        self.lines.append(sentence)

    def open(self, lead):
        """A lead in one of its wordings: an opening word, and another verb where it ends with one."""
        subject, _, verb = lead.rpartition(" ")
        opener = self.words.choose(lead, "opener", OPENERS)
        said = f"{subject} {self.words.choose(lead, 'verb', VERBS[verb])}" if verb in VERBS else lead
        return f"{opener} {said[0].lower()}{said[1:]}" if opener else said

    def step(self, lead, expression, result):
        """A calculation; `result` is a number or its LaTeX."""
        self.equations.append((expression, str(result)))
        link = self.words.choose(lead, "link", LINKS)
        self.lines.append(f"{self.open(lead)} ${expression}$. {link} ${result}$.")
        return result

    def close(self, answer):
        self.lines.append(f"{self.words.choose('', 'closing', CLOSINGS)} $\\boxed{{{answer}}}$.")

    def sum(self, lead, a, b):
        return self.step(lead, f"{a}{b:+d}", a + b)

    def difference(self, lead, a, b):
        return self.step(lead, f"{a}-{paren(b)}", a - b)

    def total(self, lead, *terms):
        """A sum of several terms, two at a time."""
        value = terms[0]
        for i, term in enumerate(terms[1:]):
            value = self.sum(lead if i == 0 else "The running sum is", value, term)
        return value

    def product(self, lead, a, b):
        return self.step(lead, rf"{paren(a)}\cdot{paren(b)}", a * b)

    def square(self, lead, n):
        return self.step(lead, f"{paren(n)}^2", n * n)

    def quotient(self, lead, a, b):
        assert a % b == 0
        return self.step(lead, frac(a, b), a // b)

    def remainder(self, lead, a, m):
        return self.step(lead, rf"{a}\bmod{m}", a % m)

    def fraction(self, lead, a, b):
        """a/b in lowest terms."""
        return self.step(lead, frac(a, b), ratio(a, b))

    def root(self, lead, n):
        """The square root of n in simplest form."""
        return self.step(lead, rf"\sqrt{{{n}}}", surd(n))

    def pair(self, lead, p, q):
        """The two numbers p <= q behind their sum and their product."""
        link = self.words.choose(lead, "link", PAIR_LINKS)
        self.lines.append(f"{self.open(lead)} sum ${p + q}$ and product ${p * q}$. {link} ${p}$ and ${q}$.")
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
