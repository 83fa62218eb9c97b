#!/usr/bin/env python3
"""Recompute every decision of a trace of `ead run --trace`: who writes next, when drafts are judged, which
one is refused, what is dropped. Nothing but the trace and the options is used, and of this repository
nothing; only Python's standard library is.

    tools/check_trace.py trace.jsonl --report summary.json
    tools/check_trace.py trace.jsonl --report summary.json --profile models/profile.json
    tools/check_trace.py trace.jsonl --policy judge --risk 0.5 --risk-sum 0.8 --slack 0.5

Options are those of `ead run` that the policy looks at, or what a report of `--json` says they were; where
neither says anything the defaults hold, but for the policy, which must be said. --profile FILE reads the table of
risks of a profile, by which judge and the draft length `survival` go where the run had one; without a report it is
also read for the policy and its numbers. Policies: ead, large, small, random (with --prompt N, the tokens before the text; without horizon), speculative,
judge, ead+, typical, relaxed, cascade, lenient, fly, fsd, bild, rstitch, r2r, step. Not recomputed are replay and a
program's own (custom), random with a horizon, the draft length `confidence`, and what a policy compares over the
whole vocabulary (`measure`), which is taken from the trace.

Exit status: 0, every decision is the policy's; 1, naming the first line that differs; 2, wrong usage.
"""
import json
import math
import struct
import sys

SMALL, LARGE = "small", "large"
DRAFT_MAX, DRAFT_USUAL, ASSISTANT_TOKENS, COST_TOKENS, ENDLESS = 63, 8, 20, 64, 2.0 ** 62
DEFAULTS = {
    "policy": "", "tau": 1, "window": 5, "dwell": 10, "start": SMALL, "clear-window": False, "share": 0.25,
    "horizon": 0, "draft": 0, "draft-min": 0, "draft-min-p": 0, "small-cost": 0.25, "row-cost": 0.06, "epsilon": 0.09,
    "delta": 0.3, "posterior": 1, "relaxed-top": 10, "relaxed-delta": 0.6, "rule": "v3", "slack": 0.5, "slack-by": "ratio", "mentor": 0,
    "fly-window": 6, "fly-entropy": 0.3, "fsd-limit": 0.4, "fallback": 0.6, "rollback": 3, "uncertainty": 0.03,
    "critical": 0.45, "step-entropy": 1, "step-end": "blank", "risk": 0.5, "risk-sum": 0.8, "unjudged": 0, "tail": False, "agree": 8, "seed": 0, "vocabulary": 0,
    "temperature": 0, "table": False, "prompt": -1, "draft-max": DRAFT_MAX, "confidence": 0.4, "divergence": "js",
}


class Unable(Exception):
    """What cannot be recomputed."""


class Differs(Exception):
    def __init__(self, token, what):
        super().__init__(f"line {token['line']}: {what}")


# ---- what a policy sees ---------------------------------------------------------------------------

def ends_line(text):
    return bool(text) and text[-1]["text"].endswith("\n")


class Signals:
    def __init__(self, text, o):
        last = text[-1] if text else None
        self.index = len(text)
        self.writer = last["model"] if last else o["start"]
        self.turn = self.drafts = 0
        while self.turn < len(text) and text[-1 - self.turn]["model"] == self.writer:
            self.turn += 1
        if last and last["model"] == SMALL:
            self.drafts = min(self.turn, o["draft-max"])
        self.rolling = last["rolling"] if last else 0
        self.entropy = last["entropy"] if last else 0
        self.id = last["id"] if last else 0
        self.max_prob = last.get("max_prob", math.nan) if last else 0
        self.top_entropy = last.get("top_entropy", math.nan) if last else 0
        self.line, self.blank = ends_line(text), ends_line(text) and (last["text"].endswith("\n\n") or (
            last["text"] == "\n" and ends_line(text[:-1])))
        self.end = bool(last and last.get("end"))
        told = last.get("judgement") if last and last["model"] == LARGE else None
        self.judged, self.kept = (told["judged"], told["kept"]) if told else (0, 0)
        self.memory = text[-2]["memory"] if len(text) > 1 else (0, 0)


def rolling(text, at, o):
    """The mean as it is to be, of the last entropies in the text or in the turn, oldest first."""
    begin = max(0, at + 1 - o["window"])
    while o["clear-window"] and any(t["model"] != text[at]["model"] for t in text[begin:at]):
        begin += 1
    total = 0.0
    for token in text[begin:at + 1]:
        total += token["entropy"]
    return total / (at + 1 - begin)


# ---- who writes next: (writer, tokens taken back, drafts judged, memory) --------------------------

def go_on(writer, judge=0, memory=(0, 0)):
    return writer, 0, judge, memory


def decide_ead(o, s):
    if not s.index or s.turn < o["dwell"]:
        return go_on(s.writer)
    return go_on(LARGE if s.rolling > o["tau"] else SMALL)


def too_many(o, n):
    most = min(o["unjudged"], o["draft-max"])
    return 0 < most <= n


def left_too_long(o, s):
    return (s.end and o["tail"]) or too_many(o, s.drafts)


def risk_of(o, s):
    """The last draft's chance of being refused: by a table of risks, or without one its entropy."""
    if not o["table"]:
        return s.entropy
    edges, classes, risk = o["table"]
    row = risk[sum(s.entropy >= edge for edge in edges)]
    return row[classes.get(s.id, len(row) - 1)]


def decide_judge(o, s):
    if not s.drafts or (o["risk"] >= ENDLESS and o["risk-sum"] >= ENDLESS):
        return go_on(SMALL)
    risk = risk_of(o, s)
    total = (s.memory[0] if s.drafts > 1 else 0) + risk
    due = risk >= o["risk"] or total > o["risk-sum"] or left_too_long(o, s)
    return go_on(LARGE, s.drafts, (total, 0)) if due else go_on(SMALL, 0, (total, 0))


def drop_last(o, s):
    rest = s.drafts - 1
    if not o["temperature"] and rest < o["draft-min"]:
        rest = 0
    return LARGE, s.drafts - rest, rest, (0, 0)


def survival(o, s):
    """The chance that all drafts stand, and the time a token took lately, in steps of the large model."""
    risk = risk_of(o, s) if o["table"] else 1 - s.max_prob
    chance = (s.memory[0] if s.drafts > 1 else 1) * (1 - risk) if s.drafts else 1
    return chance, s.memory[1] if s.memory[1] > 0 else 1


def learn(o, s):
    if o["draft"] == "heuristic":
        n = s.memory[0] if s.memory[0] > 0 else ASSISTANT_TOKENS
        if s.judged:
            n = min(n + 2, DRAFT_MAX) if s.kept == s.judged else max(n - 1, 1)
        return n, 0
    if o["draft"] == "survival":
        chance, cost = survival(o, s)
        if s.judged:
            time = 1 + s.judged * (o["small-cost"] + o["row-cost"])
            cost = (cost * COST_TOKENS + time) / (COST_TOKENS + s.kept + 1)
        return chance, cost
    return 0, 0


def decide_draft(o, s, usual=DRAFT_USUAL):
    memory = learn(o, s)
    length = {"heuristic": int(memory[0]), "survival": DRAFT_MAX, 0: usual}.get(o["draft"], o["draft"])
    if not s.drafts:
        return go_on(SMALL, 0, memory)
    if s.max_prob < o["draft-min-p"]:
        return (*drop_last(o, s)[:3], memory)
    enough = o["draft"] == "survival" and memory[0] * memory[1] < o["small-cost"] + o["row-cost"]
    if s.end or s.drafts >= min(length, o["draft-max"]) or enough:
        return go_on(LARGE, s.drafts, memory)
    return go_on(SMALL, 0, memory)


def decide_bild(o, s):
    return drop_last(o, s) if s.drafts and s.max_prob < o["fallback"] else decide_draft(o, s, 10)


def turn_after(o, s):
    if s.drafts or not s.judged:
        return s.memory[0]
    if s.memory[0] < 1:
        return 1 if not too_many(o, s.judged) or s.rolling > o["tau"] else 0
    agreed = s.memory[0] - 1 + s.judged if s.kept == s.judged else 0
    return 0 if agreed >= o["agree"] else 1 + agreed


def decide_ead_plus(o, s):
    turn = turn_after(o, s)
    if turn >= 1:
        return (*decide_draft(o, s)[:3], (turn, 0))
    due = s.drafts and (s.rolling > o["tau"] or left_too_long(o, s))
    return go_on(LARGE, s.drafts, (turn, 0)) if due else go_on(SMALL, 0, (turn, 0))


def decide_rstitch(o, s):
    if not s.index or not s.entropy / math.log2(o["vocabulary"]) > o["uncertainty"]:
        return go_on(SMALL)
    return LARGE, int(s.writer == SMALL), 0, (0, 0)


def decide_r2r(o, s):
    if s.index and s.writer == SMALL and s.rolling * math.log(2) >= o["critical"]:
        return LARGE, 1, 0, (0, 0)
    return go_on(SMALL)


def decide_step(o, s):
    if not s.index:
        return go_on(SMALL)
    ended = s.line if o["step-end"] == "line" else s.blank
    first = s.index == 1 or s.memory[0] > 0
    if s.writer == SMALL and first and s.top_entropy * math.log(2) >= o["step-entropy"]:
        return LARGE, 1, 0, (0, 0)
    return go_on(SMALL if s.writer == SMALL or ended else LARGE, 0, (int(ended), 0))


# ---- chance: splitmix64 over (seed, stream, position) ---------------------------------------------

WORD, STEP, STREAM, POLICY_STREAM = 2 ** 64 - 1, 0x9e3779b97f4a7c15, 0xd1342543de82ef95, 2


def mixed(x):
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & WORD
    x = (x ^ x >> 27) * 0x94d049bb133111eb & WORD
    return x ^ x >> 31


def chance(o, s):
    """Of the decision behind so many tokens, those of the prompt with them."""
    state = mixed(o["seed"] + POLICY_STREAM * STREAM & WORD)
    return (mixed(state + (o["prompt"] + s.index) * STEP & WORD) >> 11) * 2.0 ** -53


def rate(share, dwell):
    """The chance of the large model at a decision that makes its share in the long run the one wanted."""
    low, high = 0.0, 1.0
    for _ in range(60 if 0 < share < 1 else 0):
        a = (low + high) / 2
        small, large = dwell - 1 + 1 / a, dwell - 1 + 1 / (1 - a)
        low, high = (a, high) if large / (large + small) < share else (low, a)
    return (low + high) / 2 if 0 < share < 1 else float(share >= 1)


def decide_random(o, s):
    if not s.index or s.turn < o["dwell"]:
        return go_on(s.writer)
    return go_on(LARGE if chance(o, s) < rate(o["share"], o["dwell"]) else SMALL)


# ---- which draft is refused -----------------------------------------------------------------------

def native(o, token):
    """Would exact speculation keep it?"""
    j = token["judged"]
    if o["temperature"]:
        return j["p"] > 0 and j["chance"] * j["q"] <= j["p"]
    return token["id"] == j["argmax"]


def slack_keeps(o, token, slack, by="ratio"):
    j = token["judged"]
    if slack > 0 and by == "lead":
        return j["p"] >= j["max_p"] - slack
    if slack > 0:
        return j["p"] >= (1 - slack) * j["max_p"]
    return token["id"] == j.get("own", j["argmax"]) if o["temperature"] else token["id"] == j["argmax"]


def accepts(j, target):
    return target > 0 and j["chance"] * j["q"] <= target


def keeps_typical(o, token):
    j = token["judged"]
    if not o["temperature"] and o["posterior"] == 0:
        return token["id"] == j["argmax"]
    if "measure" in j:
        return j["p"] > j["measure"]
    return j["p"] > min(o["epsilon"], o["delta"] * math.exp(-j["entropy_p"] * math.log(2)))


def keeps_relaxed(o, token):
    j = token["judged"]
    return j["rank"] < o["relaxed-top"] and j["p"] >= j["max_p"] - o["relaxed-delta"]


def keeps_cascade(o, token):
    j, a, rule = token["judged"], o["slack"], o["rule"]
    if o["temperature"]:
        inside = {"v1": j["q"] >= j["max_p"] - a, "v2": j["p"] >= j["max_p"] - a, "v3": j["p"] >= (1 - a) * j["max_p"]}
        if rule in inside:
            return accepts(j, (j["q"] if inside[rule] else 0) + (1 - j["measure"]) * j["p"])
        stays = {"chow": j["max_q"] >= 1 - a, "diff": j["max_q"] >= j["max_p"] - a,
                 "opt": j["max_q"] >= j["max_p"] - a * j["measure"]}
        return accepts(j, j["q"] if stays[rule] else j["p"])
    limit = {"chow": 1 - a, "v3": (1 - a) * j["max_p"]}.get(rule, j["max_p"] - a)
    value = {"v1": j["q"], "v2": j["p"], "v3": j["p"]}.get(rule, j["max_q"])
    return token["id"] == j["argmax"] or value >= limit


def keeps_lenient(o, token):
    j = token["judged"]
    slack = j["measure"] if o["mentor"] > 0 else o["slack"]
    if not o["temperature"]:
        return slack_keeps(o, token, slack)
    return slack >= 1 or accepts(j, j["p"] / (1 - slack))


def keeps_fsd(o, token):
    j = token["judged"]
    return (not o["temperature"] and token["id"] == j["argmax"]) or j["measure"] <= o["fsd-limit"]


def keeps_bild(o, token):
    j = token["judged"]
    surprise = -math.log(j["p"]) if j["p"] > 0 else math.inf
    return token["id"] == j["argmax"] or surprise <= o["rollback"]


def first(keeps):
    def judge(o, _, drafts):
        return next((i for i, token in enumerate(drafts) if not keeps(o, token)), len(drafts))
    return judge


def judge_fly(o, _, drafts):
    full = {0: DRAFT_USUAL}.get(o["draft"], o["draft"]) if isinstance(o["draft"], int) else DRAFT_MAX
    window = o["fly-window"] if o["fly-window"] < full else full - 1
    for i, token in enumerate(drafts):
        if native(o, token):
            continue
        j, behind = token["judged"], drafts[i + 1:i + 1 + window]
        doubts = window and i + window < len(drafts) and j["p"] > 0 and j["top_entropy"] >= o["fly-entropy"]
        if not doubts or not all(native(o, t) for t in behind):
            return i
    return len(drafts)


def slack_by(o, token):
    return slack_keeps(o, token, o["slack"], o["slack-by"])


def judge_ead_plus(o, s, drafts):
    exact = s.memory[0] >= 1 or o["slack"] <= 0
    return first(native if exact else slack_by)(o, s, drafts)


DRAFTING = {
    "speculative": first(native), "typical": first(keeps_typical), "relaxed": first(keeps_relaxed),
    "cascade": first(keeps_cascade), "lenient": first(keeps_lenient), "fly": judge_fly, "fsd": first(keeps_fsd),
}
POLICIES = {name: (decide_draft, judge) for name, judge in DRAFTING.items()} | {
    "ead": (decide_ead, None), "random": (decide_random, None), "rstitch": (decide_rstitch, None), "r2r": (decide_r2r, None),
    "step": (decide_step, None),
    "large": (lambda o, s: go_on(LARGE), None), "small": (lambda o, s: go_on(SMALL), None),
    "judge": (decide_judge, first(slack_by)),
    "bild": (decide_bild, first(keeps_bild)), "ead+": (decide_ead_plus, judge_ead_plus),
}


# ---- a text as it was written ---------------------------------------------------------------------

class Check:
    def __init__(self, options):
        self.o = options
        if not options["policy"]:
            raise Unable("the trace's policy is unknown: say --policy NAME, --report FILE or --profile FILE")
        if options["policy"] not in POLICIES:
            raise Unable(f"policy {options['policy']} is not recomputed")
        if options["draft"] == "confidence":
            raise Unable("draft confidence is not recomputed")
        if options["table"] is True:
            raise Unable("the run had a table of risks: say --profile FILE, whose table it was")
        if options["policy"] == "random" and (options["prompt"] < 0 or options["horizon"]):
            raise Unable("random needs --prompt N, or a report, and no horizon")
        if options["policy"] == "rstitch" and options["vocabulary"] < 2:
            raise Unable("rstitch needs --vocabulary N, or a report")
        self.decide, self.judge = POLICIES[options["policy"]]
        self.text, self.lost = [], 0  # lost: tokens at its end that fall
        self.tokens = self.judgements = self.refused = 0

    def decision(self):
        """What the policy says of the text as it is, and the signals it said it by."""
        signals = Signals(self.text, self.o)
        decision = self.decide(self.o, signals)
        if self.text:
            self.text[-1]["memory"] = decision[3]
        return decision, signals

    def write(self, token):
        """A token that stands or falls was written behind all of the text."""
        (writer, back, judge, _), signals = self.decision()
        told = token.get("judgement")
        ends = told and token["model"] == SMALL
        if token.get("taken_back"):
            raise Unable(f"line {token['line']}: told tokens were taken back, as by a program's own policy")
        if writer != token["model"]:
            raise Differs(token, f"expected the {writer} model to write here, found the {token['model']} one")
        falls = self.lost if not token.get("lost") else 0
        if falls or back or judge or (told and not ends):
            self.cut(token, back, judge, signals, told)
        self.add(token)
        if ends:
            (_, back, judge, _), signals = self.decision()
            self.settle(token, back, judge, signals, told)

    def cut(self, token, back, judge, signals, told):
        """Drafts fall, before the large model's token."""
        if token.get("lost"):
            raise Differs(token, f"expected {back} tokens to be dropped and {judge} judged before this one")
        self.settle(token, back, judge, signals, told)
        del self.text[len(self.text) - self.lost:]
        self.lost = 0

    def settle(self, token, back, judge, signals, told):
        """What is said of a judgement must be what the policy makes of it."""
        found = (told["judged"], told["kept"]) if told else (0, 0)
        if found[0] != judge:
            raise Differs(token, f"expected {judge} drafts to be judged, found {found[0]}")
        drafts = self.text[len(self.text) - back - judge:len(self.text) - back]
        for draft in drafts:
            if "judged" not in draft:
                raise Differs(draft, "expected what the large model thought of a judged draft")
        kept = self.judge(self.o, signals, drafts) if judge else 0
        if found[1] != kept:
            raise Differs(token, f"expected {kept} of {judge} drafts to be kept, found {found[1]}")
        if self.lost != back + judge - kept:
            raise Differs(token, f"expected {back + judge - kept} tokens to fall before this one, found {self.lost}")
        self.judgements += judge > 0
        self.refused += kept < judge
        if kept < judge and not self.o["temperature"] and token["id"] != drafts[kept]["judged"]["argmax"]:
            raise Differs(token, f"expected the large model's choice, {drafts[kept]['judged']['argmax']}, instead of a "
                                 f"refused draft, found {token['id']}")

    def add(self, token):
        if token["i"] != len(self.text):
            raise Differs(token, f"i: expected {len(self.text)}, found {token['i']}")
        self.text.append(token)
        wanted = rolling(self.text, len(self.text) - 1, self.o)
        if token["rolling"] != wanted:
            raise Differs(token, f"rolling: expected {wanted!r}, found {token['rolling']!r}")
        if "judged" in token and not self.o["temperature"] and token["judged"]["native"] != native(self.o, token):
            raise Differs(token, f"native: expected {native(self.o, token)}, found {token['judged']['native']}")
        self.lost += bool(token.get("lost"))
        self.tokens += not token.get("lost")

    def run(self, tokens):
        for token in tokens:
            if token.get("alone"):
                return f"until line {token['line']}, where the large model failed, "
            self.write(token)
        return ""


# ---- the command ----------------------------------------------------------------------------------

def value_of(name, text):
    usual = DEFAULTS[name]
    if isinstance(usual, bool):
        return text in ("on", "true", "1")
    if isinstance(usual, str):
        return text
    try:
        x = float(text)
    except ValueError:
        if name == "draft":
            return text
        raise Unable(f"--{name}: expected a number, found {text}") from None
    return int(x) if x == int(min(max(x, -ENDLESS), ENDLESS)) else x


def single(x):
    """A number as a table has it, in 32 bits."""
    return struct.unpack("f", struct.pack("f", x))[0]


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_table(profile):
    """Edges of the bins, the class of each frequent token, and the risks of each bin by class; None: it has none."""
    table = profile.get("table")
    if not table:
        return None
    edges, tokens, risk = table["edges"], table["tokens"], table["risk"]
    if len(risk) != len(edges) + 1 or any(len(row) != len(tokens) + 1 for row in risk):
        raise Unable(f"the table of risks: expected {len(edges) + 1} rows of {len(tokens) + 1} numbers")
    classes = {token: i for i, token in enumerate(tokens)}
    return [single(x) for x in edges], classes, [[single(x) for x in row] for row in risk]


def with_profile(given, told, profile):
    """Options as they were given, else as the report says, else, where nothing names another policy, as the profile.
    A report knows whether there was a table; which it was the profile knows alone."""
    known = told | given
    own = {("policy" if k == "name" else k.replace("_", "-")): v for k, v in profile["policy"].items()}
    if "table" not in told and known.get("policy", own["policy"]) == own["policy"]:
        known = own | known
    if known.get("table", True):
        known["table"] = read_table(profile) or known.get("table", False)
    return known


def read_options(words):
    path, given, told, profile = None, {}, {}, None
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            if path:
                raise Unable(f"expected one trace, found {path} and {word}")
            path = word
            continue
        name, equals, text = word[2:].partition("=")
        if isinstance(DEFAULTS.get(name), bool) and not equals:
            given[name] = True
            continue
        if not equals and not words:
            raise Unable(f"{word}: expected a value")
        text = text if equals else words.pop(0)
        if name == "report":
            report = read_json(text)
            told = {("policy" if k == "name" else k): v for k, v in report["policy"].items()}
            told["prompt"] = max((report[w] or {}).get("prompt_rows", 0) for w in (SMALL, LARGE))
        elif name == "profile":
            profile = read_json(text)
        elif name in DEFAULTS:
            given[name] = value_of(name, text)
        elif {"temp": "temperature"}.get(name):
            given["temperature"] = value_of("temperature", text)
        else:
            raise Unable(f"{word}: no such option")
    if not path:
        raise Unable("expected a trace")
    return path, DEFAULTS | (with_profile(given, told, profile) if profile else told | given)


def read_trace(path):
    with open(path, encoding="utf-8") as lines:
        tokens = [json.loads(line) | {"line": n} for n, line in enumerate(lines, 1) if line.strip()]
    return tokens


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    try:
        path, options = read_options(sys.argv[1:])
        check = Check(options)
        until = check.run(read_trace(path))
    except (Unable, OSError, KeyError, ValueError) as why:
        print(f"check_trace: {'no ' if isinstance(why, KeyError) else ''}{why}", file=sys.stderr)
        return 2
    except Differs as what:
        print(f"{path}: {what}", file=sys.stderr)
        return 1
    print(f"{path}: {until}{check.tokens} tokens, {check.judgements} judgements, {check.refused} of which refused a draft: "
          f"all as policy {options['policy']} decides")
    return 0


if __name__ == "__main__":
    sys.exit(main())
