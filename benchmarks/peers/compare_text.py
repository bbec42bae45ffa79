#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recipe of a text classifier beside Keras and scikit-learn, on the same rows, over seeds.

    benchmarks/peers/compare_text.py RECIPE [KEY=VALUE ...] [--seeds 5] [--out DIR] [--python PYTHON]

Runs ours (benchmarks/seeds.py), writes the rows of its splits (`ingot data split`), runs the peers on
them (benchmarks/peers/text_peers.py, with PYTHON, which has Keras) and prints a table of means and
standard deviations, and by how many standard errors the two means of test accuracy differ.
Everything stays in DIR (runs/RECIPE-peers); what is there is not run again. Training times mean
something on an idle machine only; both sides use the same number of threads (--threads 2).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from seeds import spread

METRICS = ("accuracy", "recall_macro", "f1_macro", "log_loss")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out")
    parser.add_argument("--python", default=os.environ.get("PEER_PYTHON", "python3"))
    parser.add_argument("--ingot",
                        default=os.environ.get("INGOT", HERE.parents[1] / "build/release/ingot"))
    args = parser.parse_intermixed_args()
    args.out = pathlib.Path(args.out or f"runs/{pathlib.Path(args.recipe).stem}-peers")
    return args


def output_of(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"compare_text.py: ended with {done.returncode}: {' '.join(map(str, command))}")
    return done.stdout


def ours(args):
    """One line per seed, in the peers' form."""
    lines = output_of([sys.executable, HERE.parent / "seeds.py", args.recipe, *args.overrides,
                       f"threads={args.threads}", "--seeds", args.seeds, "--out", args.out,
                       "--ingot", args.ingot, "--json"]).splitlines()
    for line in map(json.loads, lines):
        run = args.out / f"seed-{line['seed']}"
        result = {"peer": "ingot", "seed": line["seed"], "seconds": line["train"]["seconds"]}
        for split in ("validation", "test"):
            said = json.loads(output_of([args.ingot, "eval", run, f"eval.split={split}", "--json"]))
            result[split] = {metric: said[metric]["value"] for metric in METRICS}
        yield result


def theirs(args):
    kept = args.out / "peers.jsonl"
    if not kept.exists():
        splits = args.out / "splits"
        output_of([args.ingot, "data", "split", args.recipe, *args.overrides, f"out={splits}"])
        text = output_of([args.python, HERE / "text_peers.py", args.out / "seed-1", splits / "data",
                          "--seeds", args.seeds, "--threads", args.threads])
        kept.write_text(text, encoding="utf-8")
    return map(json.loads, kept.read_text(encoding="utf-8").splitlines())


def main():
    args = arguments()
    results = [*ours(args), *theirs(args)]
    versions = next(r for r in results if r["peer"] == "versions")
    print(", ".join(f"{name} {version}" for name, version in versions.items() if name != "peer"))
    print(f"{' '.join([args.recipe, *args.overrides])}; mean ± standard deviation\n")
    print("| | seeds | test accuracy | macro recall | log loss | validation accuracy | training, s |")
    print("|---|---|---|---|---|---|---|")
    accuracies = {}
    for peer in ("ingot", "keras", "scikit-learn"):
        rows = [r for r in results if r["peer"] == peer]
        def cell(of, digits):
            mean, sd, _ = spread([of(r) for r in rows])
            return f"{mean:.{digits}f}" + (f" ± {sd:.{digits}f}" if len(rows) > 1 else "")
        accuracies[peer] = spread([r["test"]["accuracy"] for r in rows])
        print(f"| {peer} | {len(rows)} | {cell(lambda r: r['test']['accuracy'], 4)} "
              f"| {cell(lambda r: r['test']['recall_macro'], 4)} "
              f"| {cell(lambda r: r['test']['log_loss'], 4)} "
              f"| {cell(lambda r: r['validation']['accuracy'], 4)} "
              f"| {cell(lambda r: r['seconds'], 2)} |")
    (a, _, a_error), (b, _, b_error) = accuracies["ingot"], accuracies["keras"]
    error = (a_error ** 2 + b_error ** 2) ** 0.5
    print(f"\ningot - keras: {a - b:+.4f}, {(a - b) / error if error else 0:+.1f} standard errors "
          f"of the difference ({error:.4f})")


if __name__ == "__main__":
    main()
