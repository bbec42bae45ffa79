#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One recipe over several seeds: a figure with its spread instead of a lucky run.

    benchmarks/seeds.py RECIPE [METRIC ...] [KEY=VALUE ...] [--seeds 5] [--out DIR] [--json]

METRIC is a path into what `ingot run --json` prints, such as evaluate.accuracy (the default),
evaluate.log_loss or train.seconds. KEY=VALUE goes to every run. --seeds N takes 1 to N, --seeds 3,7
those two. Each run has its folder DIR/seed-N (DIR: runs/RECIPE-seeds) with all its output; a
finished run is read, not run again, and a stopped one goes on, so the same command continues.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("words", nargs="*", metavar="METRIC or KEY=VALUE")
    parser.add_argument("--seeds", default="5")
    parser.add_argument("--out")
    parser.add_argument("--ingot", default=os.environ.get("INGOT", ROOT / "build/release/ingot"))
    parser.add_argument("--json", action="store_true", help="one object per seed, one per line")
    args = parser.parse_intermixed_args()
    args.metrics = [w for w in args.words if "=" not in w] or ["evaluate.accuracy"]
    args.overrides = [w for w in args.words if "=" in w]
    args.seeds = ([int(s) for s in args.seeds.split(",")] if "," in args.seeds
                  else range(1, int(args.seeds) + 1))
    args.out = pathlib.Path(args.out or f"runs/{pathlib.Path(args.recipe).stem}-seeds")
    return args


def run(args, seed):
    """What `ingot run --json` says of one seed."""
    out = args.out / f"seed-{seed}"
    args.out.mkdir(parents=True, exist_ok=True)
    log = args.out / f"seed-{seed}.log"
    command = [str(args.ingot), "run", args.recipe, *args.overrides, f"seed={seed}", f"out={out}",
               "--json"]
    with log.open("w", encoding="utf-8") as notes:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=notes, text=True, check=False)
    if done.returncode != 0:
        last = log.read_text(encoding="utf-8").rstrip().rsplit("\n", 1)[-1]
        sys.exit(f"seeds.py: seed {seed} ended with {done.returncode}: {last}\n"
                 f"  {' '.join(command)}")
    return json.loads(done.stdout)


def number(result, metric):
    """The number at a dotted path; of a metric with an interval, its value."""
    at = result
    for name in metric.split("."):
        if not isinstance(at, dict) or name not in at:
            known = ", ".join(at) if isinstance(at, dict) else repr(at)
            sys.exit(f"seeds.py: {metric}: there is no \"{name}\" among: {known}")
        at = at[name]
    return float(at["value"] if isinstance(at, dict) and "value" in at else at)


def spread(values):
    """Mean, standard deviation (n - 1) and standard error of the mean."""
    sd = statistics.stdev(values) if len(values) > 1 else 0.0
    return statistics.mean(values), sd, sd / math.sqrt(len(values))


def main():
    args = arguments()
    rows = []
    for seed in args.seeds:
        result = run(args, seed)
        rows.append([number(result, metric) for metric in args.metrics])
        if args.json:
            print(json.dumps({"seed": seed, **result}), flush=True)
        else:
            print(f"seed {seed}: " + ", ".join(f"{m} {x:.5g}" for m, x in zip(args.metrics, rows[-1])),
                  flush=True)
    if args.json:
        return
    for i, metric in enumerate(args.metrics):
        mean, sd, error = spread([row[i] for row in rows])
        print(f"{metric}: {mean:.5g} ± {sd:.2g} (sd of {len(rows)} seeds; standard error {error:.2g})")


if __name__ == "__main__":
    main()
