"""Worked arithmetic: how a solution writes a sum, a product, a fraction.

Every subject writes its computations through these functions, so that one notation is learned once
and used everywhere. A function that ends in a result returns a chain `expression=...=result`.
"""
from math import gcd


def paren(n):
    return f"({n})" if n < 0 else str(n)


def signed(n):
    """A later term of a sum, with its sign: +3 or -3."""
    return f"+{n}" if n >= 0 else str(n)


def sum_expression(terms):
    return str(terms[0]) + "".join(signed(t) for t in terms[1:])


def add(*terms):
    """`a+b+c=s+c=total`, from left to right, one addition a step."""
    rest = list(terms)
    chain = [sum_expression(rest)]
    while len(rest) > 1:
        rest[:2] = [rest[0] + rest[1]]
        chain.append(sum_expression(rest))
    return "=".join(chain)


def places(n):
    """The nonzero decimal places of n > 0, highest first: 408 -> [400, 8]."""
    digits = str(n)
    return [int(d) * 10 ** (len(digits) - 1 - i) for i, d in enumerate(digits) if d != "0"]


def times(a, b):
    """`a\\cdot b=product`; with two long factors, the second is split into its decimal places."""
    head = rf"{paren(a)}\cdot{paren(b)}"
    if abs(a) < 10 or len(places(abs(b) or 1)) == 1:
        return f"{head}={a * b}"
    if abs(b) < 10 or len(places(abs(a))) == 1:
        return f"{head}={a * b}"
    parts = places(abs(b))
    sign = "-" if (a < 0) != (b < 0) else ""
    a = abs(a)
    if sign:  # settle the sign first, then the size
        head += rf"=-{a}\cdot{abs(b)}"
        inner = "+".join(rf"{a}\cdot{p}" for p in parts)
        steps = add(*[a * p for p in parts]).split("=")
        return f"{head}=-({inner})=" + "=".join(f"-({s})" if "+" in s else f"-{s}" for s in steps)
    inner = "+".join(rf"{a}\cdot{p}" for p in parts)
    return f"{head}={inner}={add(*[a * p for p in parts])}"


def square(n):
    """`n^2=...`, a product for n of several digits."""
    base = f"{paren(n)}^2"
    n = abs(n)
    return f"{base}={n * n}" if n <= 12 else f"{base}={times(n, n)}"


def frac(a, b):
    return rf"\frac{{{a}}}{{{b}}}"


def divide(a, b):
    """An exact division."""
    assert a % b == 0
    return f"{frac(a, b)}={a // b}"


def ratio(a, b):
    """a/b in lowest terms, as it is boxed."""
    if b < 0:
        a, b = -a, -b
    g = gcd(a, b)
    a, b = a // g, b // g
    if b == 1:
        return str(a)
    return ("-" if a < 0 else "") + frac(abs(a), b)


def reduce_fraction(a, b):
    """`\\frac{a}{b}=lowest terms`, or the fraction alone when it is in lowest terms."""
    head = ("-" if a < 0 else "") + frac(abs(a), b)
    return head if head == ratio(a, b) else f"{head}={ratio(a, b)}"


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


def largest_square_factor(n):
    k = int(n ** 0.5)
    while n % (k * k):
        k -= 1
    return k


def surd(n):
    """\\sqrt{n} in simplest form, as it is boxed."""
    k = largest_square_factor(n)
    rest = n // (k * k)
    if rest == 1:
        return str(k)
    return rf"\sqrt{{{n}}}" if k == 1 else rf"{k}\sqrt{{{rest}}}"


def simplify_root(n):
    """`\\sqrt{n}=\\sqrt{k^2\\cdot m}=k\\sqrt{m}`, as far as it goes."""
    k = largest_square_factor(n)
    rest = n // (k * k)
    head = rf"\sqrt{{{n}}}"
    if k == 1:
        return head
    if rest == 1:
        return f"{head}={k}"
    return rf"{head}=\sqrt{{{k * k}\cdot{rest}}}={surd(n)}"
