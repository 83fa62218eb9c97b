#!/usr/bin/env python3
"""Compares exported files with llama.cpp: token ids of prompts, and greedy continuations.

    verify.py --out DIR --to DIR --greedy FILE     with torch: writes what this recipe's code decodes
    verify.py --to DIR --compare FILE              with llama-cpp-python: decodes the same and compares

Two commands, because the two packages may live in two environments.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
COUNT, LIMIT = 20, 330


def write_greedy(args):
    from evaluate import Always, Bench, decode, load_model, newest
    bench = Bench(args.out, "sample", COUNT)
    with open(args.greedy, "w") as out:
        for name in ("small", "large"):
            if not os.path.exists(newest(args.out, name)):
                continue
            model, _ = load_model(newest(args.out, name))
            texts, _, _ = decode([model], bench.prompts, Always(0, COUNT))
            for problem, ids, text in zip(bench.problems, bench.prompts, texts):
                json.dump({"model": name, "problem": problem["problem"], "prompt": ids, "greedy": text}, out)
                out.write("\n")


def greedy(llama, ids):
    out = []
    for token in llama.generate(ids, temp=0.0, repeat_penalty=1.0):
        if token == llama.token_eos() or len(out) == LIMIT:
            break
        out.append(token)
    return out


def common_prefix(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def compare(args):
    from llama_cpp import Llama
    from tokenizer import prompt
    models, count, prompts, texts, agreed, length = {}, 0, 0, 0, 0, 0
    for line in open(args.compare):
        case = json.loads(line)
        path = os.path.join(args.to, f"{case['model']}.gguf")
        if path not in models:
            models[path] = Llama(path, n_ctx=512, n_threads=1, verbose=False)
        ids = models[path].tokenize(prompt(case["problem"]).encode(), add_bos=False, special=False)
        out = greedy(models[path], ids)
        count += 1
        prompts += ids == case["prompt"]
        texts += out == case["greedy"]
        agreed += common_prefix(out, case["greedy"])
        length += len(case["greedy"])
    print(f"{count} texts: prompts tokenised alike {prompts}, greedy alike {texts}, "
          f"tokens before the first difference {agreed} of {length}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="directory of vocabulary and checkpoints")
    parser.add_argument("--to", required=True, help="directory of the GGUF files")
    parser.add_argument("--greedy", metavar="FILE")
    parser.add_argument("--compare", metavar="FILE")
    args = parser.parse_args()
    write_greedy(args) if args.greedy else compare(args)


if __name__ == "__main__":
    main()
