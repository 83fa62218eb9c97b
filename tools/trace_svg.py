#!/usr/bin/env python3
"""Draw a trace of `ead run --trace` as an SVG picture: the text coloured by who wrote it, and the
rolling entropy under it. What was refused is struck through. Only Python's standard library is used.

    tools/trace_svg.py trace.jsonl picture.svg [--title "ead run ..."]
"""
import argparse
import html
import json

COLUMNS, CHAR, LINE, PAD = 92, 8.43, 20, 18
COLOR = {"small": "#7fd6e0", "large": "#f2c14e"}
INK, PAPER, FAINT = "#c9d1d9", "#14181f", "#6b7480"


def lay_out(tokens):
    """(column, row, text, model, lost) of every run of characters on one line by one model; rows used."""
    runs, column, row = [], 0, 0
    for token in tokens:
        for i, piece in enumerate(token["text"].split("\n")):
            if i:
                column, row = 0, row + 1
            while piece:
                if column + len(piece) > COLUMNS and len(piece.strip()) <= COLUMNS and column:
                    column, row, piece = 0, row + 1, piece.lstrip(" ")
                part = piece[:COLUMNS - column]
                runs.append((column, row, part, token["model"], token.get("lost", False)))
                column += len(part)
                piece = piece[len(part):]
    return runs, row + 1


def text_svg(runs, top):
    for column, row, text, model, lost in runs:
        style = 'opacity="0.55" text-decoration="line-through" ' if lost else ""
        yield (f'<text x="{PAD + column * CHAR:.1f}" y="{top + row * LINE}" fill="{COLOR[model]}" {style}'
               f'xml:space="preserve">{html.escape(text)}</text>')


def entropy_svg(tokens, top, width, height):
    most = max(max(t["rolling"] for t in tokens), 1e-9)
    step = width / len(tokens)
    for i, token in enumerate(tokens):
        bar = height * token["rolling"] / most
        yield (f'<rect x="{PAD + i * step:.1f}" y="{top + height - bar:.1f}" width="{step * 0.8:.2f}" '
               f'height="{max(bar, 0.5):.1f}" fill="{COLOR[token["model"]]}"/>')
    yield (f'<text x="{PAD}" y="{top - 6}" fill="{FAINT}" font-size="12">rolling entropy, at most '
           f'{most:.2f} bits; one bar a token</text>')


def picture(tokens, title):
    runs, rows = lay_out(tokens)
    tokens = [token for token in tokens if not token.get("lost")]
    width = 2 * PAD + COLUMNS * CHAR
    text_top = PAD + (2 * LINE if title else LINE // 2)
    bars_top = text_top + rows * LINE + 22
    height = bars_top + 60 + PAD
    large = sum(t["model"] == "large" for t in tokens)
    body = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'font-family="ui-monospace, monospace" font-size="14">',
            f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>']
    if title:
        body.append(f'<text x="{PAD}" y="{PAD + 8}" fill="{INK}">$ {html.escape(title)}</text>')
    body.extend(text_svg(runs, text_top))
    body.extend(entropy_svg(tokens, bars_top, COLUMNS * CHAR, 50))
    share = f'{large} of {len(tokens)} tokens'
    body.append(f'<text x="{width - PAD:.0f}" y="{bars_top - 6}" fill="{FAINT}" font-size="12" '
                f'text-anchor="end"><tspan fill="{COLOR["small"]}">small</tspan> and '
                f'<tspan fill="{COLOR["large"]}">large</tspan>, which wrote {share}</text>')
    body.append("</svg>\n")
    return "\n".join(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trace")
    parser.add_argument("picture")
    parser.add_argument("--title", default="")
    args = parser.parse_args()
    with open(args.trace, encoding="utf-8") as lines:
        tokens = [json.loads(line) for line in lines if line.strip()]
    with open(args.picture, "w", encoding="utf-8") as out:
        out.write(picture(tokens, args.title))


if __name__ == "__main__":
    main()
