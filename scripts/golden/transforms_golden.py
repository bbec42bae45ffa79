#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scikit-learn and NumPy as the second opinion on src/data/transforms.

    INGOT_DATA_DIR=... transforms_golden.py      writes tests/golden/data/transforms.json

Small columns by hand, and California and Ames housing: fitted on the rows whose number is not a
multiple of 5, encoded on all others; of those the file holds sums per column and three rows. Needs
scikit-learn (written with 1.9.1) and numpy.
"""

import csv
import gzip
import io
import json
import os
import pathlib

import numpy
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

DATA = pathlib.Path(os.environ["INGOT_DATA_DIR"])
GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/data/transforms.json"

TRAIN = ["3", "", "-1.5", "8", "3", "100", "NA", "0.25", "7e1", "4"]
TEST = ["5", "", "-300", "1e3", "3"]


def column(cells):
    return numpy.array([[float(c)] if c not in ("", "NA") else [numpy.nan] for c in cells])


def scaled(train, test, scale):
    scaler = {"min_max": MinMaxScaler(), "symmetric": MinMaxScaler((-1, 1)),
              "standard": StandardScaler()}.get(scale)
    if scale in ("log", "log_standard"):
        train, test = numpy.log(train), numpy.log(test)
    if scale in ("log1p", "log1p_standard"):
        train, test = numpy.log1p(train), numpy.log1p(test)
    if scale.endswith("_standard"):
        scaler = StandardScaler()
    return scaler.fit(train).transform(test) if scaler else test


def number_case(missing, clip, scale, low=None, high=None):
    train, test = column(TRAIN), column(TEST)
    strategy = {"mean": "mean", "median": "median", "mode": "most_frequent", "auto": "median"}
    imputer = (SimpleImputer(strategy="constant", fill_value=0.0) if missing == "zero" else
               SimpleImputer(strategy=strategy[missing]))
    known = train[~numpy.isnan(train)]
    train, test = imputer.fit_transform(train), imputer.transform(test)
    if clip == "quantiles":
        low, high = numpy.quantile(known, [0.01 if low is None else low, 0.99 if high is None else high])
        bounds = (low, high)
    elif clip == "values":
        bounds = (low, high)
    if clip != "none":
        train, test = numpy.clip(train, *bounds), numpy.clip(test, *bounds)
    return scaled(train, test, scale).ravel().tolist()


def numbers():
    cases = []
    for missing in ("auto", "mean", "median", "mode", "zero"):
        for scale in ("none", "min_max", "symmetric", "standard"):
            cases.append(dict(missing=missing, clip="none", scale=scale))
    for scale in ("none", "standard", "min_max"):
        cases.append(dict(missing="median", clip="quantiles", scale=scale))
        cases.append(dict(missing="mean", clip="quantiles", scale=scale, low=0.1, high=0.8))
    for scale in ("log", "log1p", "log_standard", "log1p_standard", "symmetric"):
        cases.append(dict(missing="median", clip="values", scale=scale, low=0.125, high=50.0))
    for case in cases:
        case["out"] = number_case(**case)
    return dict(train=TRAIN, test=TEST, cases=cases)


def categories():
    train = ["b", "a", "c", "b", "b", "a", "d", "é", "B", "c"]
    test = ["a", "zz", "d", "c", "é"]
    as_column = lambda cells: numpy.array(cells, dtype=object).reshape(-1, 1)
    zero = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(as_column(train))
    bucket = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2,
                           sparse_output=False).fit(as_column(train))
    most = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3,
                         sparse_output=False).fit(as_column(train + ["a"]))  # no tie at the cut
    return dict(train=train, test=test, names=zero.categories_[0].tolist(),
                zero=zero.transform(as_column(test)).tolist(),
                min_count_2=bucket.transform(as_column(test)).tolist(),
                keep_2=most.transform(as_column(test)).tolist())


def table(path, ignored):
    with gzip.open(DATA / path) as file:
        rows = list(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")))
    names, rows = rows[0], rows[1:]
    missing = {"", "NA"}
    train = [row for i, row in enumerate(rows) if i % 5 != 0]
    test = [row for i, row in enumerate(rows) if i % 5 == 0]

    def is_number(c):
        try:
            return [float(row[c]) for row in rows if row[c] not in missing] != []
        except ValueError:
            return False

    kinds, columns, blocks = {}, [], []
    for c, name in enumerate(names):
        if name in ignored:
            kinds[name] = "ignore"
            continue
        cells = [row[c] for row in train]
        others = [row[c] for row in test]
        if is_number(c):
            kinds[name] = "number"
            imputer = SimpleImputer(strategy="median")
            a, b = imputer.fit_transform(column(cells)), imputer.transform(column(others))
            blocks.append(scaled(a, b, "standard"))
            columns.append(name)
            continue
        kinds[name] = "category"
        has_missing = any(cell in missing for cell in cells)
        values = sorted({cell for cell in cells if cell not in missing}, key=lambda v: v.encode())
        known = values + (["<missing>"] if has_missing else [])
        encoder = OneHotEncoder(categories=[known], handle_unknown="ignore", sparse_output=False)
        as_values = lambda list_: numpy.array(
            ["<missing>" if v in missing else v for v in list_], dtype=object).reshape(-1, 1)
        encoder.fit(as_values(cells))
        blocks.append(encoder.transform(as_values(others)))
        columns += [f"{name}={value}" for value in known]
    out = numpy.concatenate(blocks, axis=1)
    return dict(path=path, kinds=kinds, rows=len(rows), columns=columns,
                sums=out.sum(axis=0).tolist(), squares=(out ** 2).sum(axis=0).tolist(),
                first=out[:3].tolist())


def main():
    golden = dict(sklearn=sklearn.__version__, numpy=numpy.__version__, numbers=numbers(),
                  categories=categories(),
                  tables=[table("california_housing/housing.csv.gz", {"median_house_value"}),
                          table("ames_housing/house.csv.gz", {"Id", "SalePrice"})])
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":"))
    GOLDEN.write_text(text + "\n", encoding="utf-8")
    print(GOLDEN, len(text), "bytes")


if __name__ == "__main__":
    main()
