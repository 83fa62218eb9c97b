#!/usr/bin/env python3
"""Draw what `ead eval` found as an SVG picture: accuracy against time, a point for each setting, with
its 95 % interval. Time has a logarithmic scale; numbers are those of the list beside, with a thin line to points
that stand too close to have them at hand. Only Python's standard library is used.

    tools/accuracy_svg.py DIR/summary.json picture.svg [--time modelled_time|time] [--title "..."]
"""
import argparse
import html
import json
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1100, 600, 64, 420, 48, 56
INK, PAPER, FAINT, RULE = "#1f2328", "#ffffff", "#6b7480", "#d8dee4"
HUES = ["#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#9a6700", "#0a7ea4", "#bf3989"]
SHAPES = ["circle", "square", "diamond"]
TIMES = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2]


def read(path, field):
    """[(setting, policy, time, accuracy, low, high)] of the settings that have both."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["rows"]
    return [(r["setting"], r["policy"], r[field], r["accuracy"], r["accuracy_low"], r["accuracy_high"])
            for r in rows if r[field] is not None and r["accuracy"] is not None]


def ticks(low, high):
    """Round numbers, about six, from low to high."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next((m for m in (1, 2, 5) if (high - low) / (step * m) <= 7), 10)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, int(high / step + 1e-9) + 1)]


class Axes:
    def __init__(self, points):
        self.x = min(p[2] for p in points) / 1.1, max(p[2] for p in points) * 1.1
        low, high = min(p[4] for p in points), max(p[5] for p in points)
        self.y = max(low - 0.02, 0), min(high + 0.02, 1)

    def across(self, x):
        return LEFT + math.log(x / self.x[0]) / math.log(self.x[1] / self.x[0]) * (WIDTH - LEFT - RIGHT)

    def down(self, y):
        return HEIGHT - BOTTOM - (y - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)


def line(x1, y1, x2, y2, color, width=1.0):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"/>'


def text(x, y, words, anchor="start", color=INK, size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}">'
            f'{html.escape(words)}</text>')


def frame(axes, field):
    for y in ticks(*axes.y):
        yield line(LEFT, axes.down(y), WIDTH - RIGHT, axes.down(y), RULE)
        yield text(LEFT - 8, axes.down(y) + 4, f"{100 * y:g} %", "end", FAINT)
    for x in (x for x in TIMES if axes.x[0] <= x <= axes.x[1]):
        yield line(axes.across(x), HEIGHT - BOTTOM, axes.across(x), HEIGHT - BOTTOM + 5, FAINT)
        yield text(axes.across(x), HEIGHT - BOTTOM + 20, f"{x:g}", "middle", FAINT)
    what = "modelled time" if field == "modelled_time" else "measured time"
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, f"{what}, the large model alone = 1", "middle")
    yield text(LEFT - 48, TOP - 14, "problems solved")


def mark(shape, x, y, color):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{color}"{turn}/>'


def place(x, y, taken):
    """Where a number has room near a point: beside it, or below others that stand there already."""
    left, at = x + 8, y + 4
    while any(abs(at - b) < 12 and abs(left - a) < 16 for a, b in taken):
        at += 12
    taken.append((left, at))
    return left, at


def short(setting):
    """Without the digest of a table, and as far as there is room."""
    words = " ".join(w for w in setting.split() if not w.startswith("table="))
    return words if len(words) <= 52 else words[:51] + "…"


def draw(points, field, title):
    axes, taken = Axes(points), []
    policies = list(dict.fromkeys(p[1] for p in points))
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'font-family="system-ui, sans-serif">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
    yield text(LEFT - 48, 22, title, size=15)
    yield from frame(axes, field)
    rows = sorted(points, key=lambda p: (p[2], -p[3]))
    for number, (setting, policy, time, accuracy, low, high) in enumerate(rows, 1):
        kind = policies.index(policy)
        color, x, y = HUES[kind % len(HUES)], axes.across(time), axes.down(accuracy)
        shape = SHAPES[kind // len(HUES) % len(SHAPES)]
        yield "<g>"
        yield f"<title>{html.escape(setting)}: {100 * accuracy:.1f} %, {time:.3f}</title>"
        yield line(x, axes.down(low), x, axes.down(high), color, 0.6)
        yield mark(shape, x, y, color)
        left, at = place(x, y, taken)
        if at > y + 16:
            yield line(x, y, left - 1, at - 4, color, 0.4)
        yield text(left, at, str(number), color=color, size=11)
        listed = TOP + 18 * (number - 1)
        yield mark(shape, WIDTH - RIGHT + 40, listed - 4, color)
        yield text(WIDTH - RIGHT + 28, listed, str(number), "end", color, 11)
        yield text(WIDTH - RIGHT + 52, listed, short(setting), size=11)
        yield "</g>"
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("summary")
    parser.add_argument("picture")
    parser.add_argument("--time", choices=["modelled_time", "time"], default="modelled_time")
    parser.add_argument("--title", default="Accuracy against time")
    args = parser.parse_args()
    points = read(args.summary, args.time)
    if not points:
        raise SystemExit(f"{args.summary}: no setting has both an accuracy and a time")
    with open(args.picture, "w", encoding="utf-8") as file:
        file.writelines(part + "\n" for part in draw(points, args.time, args.title))


if __name__ == "__main__":
    main()
