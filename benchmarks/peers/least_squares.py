#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A finished linear run on a table of numbers beside ordinary least squares.

    least_squares.py RUN [--gate 0.005]

RUN is a run with one linear layer, such as that of recipes/housing_linear.yaml, finished with
`ingot run`. NumPy solves least squares with an intercept on the very rows and features that the run
trained on (RUN/data/train.examples), in float64, and judges it by the run's test rows. Prints the
test mean squared error of both, in the unit of the target, and the gap; ends with 1 when the gap is
not below the gate. Least squares is the best plane for the training rows, so the gap on the test
rows may have either sign. Needs numpy (PyPI).
"""
import argparse
import json
import pathlib
import sys

import numpy as np

from examples_file import read_examples


def matrix(rows):
    """[rows, features + 1] in float64, the last column 1 for the intercept; and the targets."""
    names = set(rows.dtype.names)
    if names != {"table", "target"} or rows["target"].dtype.kind != "f":
        sys.exit("least_squares.py: a table of numbers with a number to predict is needed, this has "
                 f"the inputs {sorted(names - {'target'})}")
    x = rows["table"].astype("float64")
    return np.hstack([x, np.ones((len(x), 1))]), rows["target"][:, 0].astype("float64")


def least_squares(train, test):
    """Test mean squared error; of several best planes (one-hot columns) the shortest."""
    x, y = matrix(train)
    weights, _, rank, _ = np.linalg.lstsq(x, y, rcond=None)
    x_test, y_test = matrix(test)
    return float(np.mean((x_test @ weights - y_test) ** 2)), rank


def of_run(run):
    """Test mean squared error that `ingot run` found."""
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    if found["split"] != "test":
        sys.exit(f"least_squares.py: {run} was judged by its {found['split']} rows: eval.split=test")
    return next(v["value"] for v in found["values"] if v["name"] == "mse")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--gate", type=float, default=0.005)
    args = parser.parse_args()
    train, test = (read_examples(args.run / f"data/{name}.examples") for name in ("train", "test"))
    exact, rank = least_squares(train, test)
    ours = of_run(args.run)
    gap = ours - exact
    print(f"{len(train)} rows to train, {len(test)} to test, rank {rank}")
    print(f"test mean squared error: least squares {exact:.6f}, run {ours:.6f}, gap {gap:+.6f} "
          f"(gate {args.gate})")
    sys.exit(0 if abs(gap) < args.gate else 1)


if __name__ == "__main__":
    main()
