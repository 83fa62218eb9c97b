#!/usr/bin/env python3
"""Draw what `ead eval` found as an SVG picture: accuracy against time, a point for each setting, with
its 95 % interval. Only Python's standard library is used.

    tools/accuracy_svg.py DIR/summary.json picture.svg [--time modelled_time|time] [--title "..."]
"""
import argparse
import html
import json
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 560, 64, 24, 48, 56
INK, PAPER, FAINT, RULE = "#1f2328", "#ffffff", "#6b7480", "#d8dee4"
HUES = ["#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#9a6700", "#0a7ea4", "#bf3989"]
SHAPES = ["circle", "square", "diamond"]


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


def bounds(values, room):
    low, high = min(values), max(values)
    more = max((high - low) * room, 1e-3)
    return max(low - more, 0), high + more


class Axes:
    def __init__(self, points):
        self.x = bounds([p[2] for p in points], 0.06)
        self.y = bounds([p[4] for p in points] + [p[5] for p in points], 0.04)

    def across(self, x):
        return LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)

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
    for x in ticks(*axes.x):
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


def place(x, y, words, taken):
    """Where a label of these words has room near a point; below others that stand there already."""
    width, right = 6.3 * len(words), x + 9
    left = right if right + width < WIDTH - RIGHT else x - 9 - width
    at = y + 4
    while any(abs(at - b) < 13 and left < a + w and a < left + width for a, b, w in taken):
        at += 13
    taken.append((left, at, width))
    return left, at


def draw(points, field, title):
    axes, taken = Axes(points), []
    policies = list(dict.fromkeys(p[1] for p in points))
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'font-family="system-ui, sans-serif">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
    yield text(LEFT, 22, title, size=15)
    yield from frame(axes, field)
    for setting, policy, time, accuracy, low, high in sorted(points, key=lambda p: -p[3]):
        kind = policies.index(policy)
        color, x, y = HUES[kind % len(HUES)], axes.across(time), axes.down(accuracy)
        yield "<g>"
        yield f"<title>{html.escape(setting)}: {100 * accuracy:.1f} %, {time:.3f}</title>"
        yield line(x, axes.down(low), x, axes.down(high), color, 0.6)
        yield mark(SHAPES[kind // len(HUES) % len(SHAPES)], x, y, color)
        label, at = place(x, y, policy, taken)
        yield text(label, at, policy, color=color, size=11)
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
