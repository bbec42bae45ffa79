#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Triton's own HTTP client against `ingot serve`: the numbers that `ingot predict` wrote?

    triton_check.py URL TABLE.csv ANSWERS.csv [MODEL]      a model of numbers: TABLE.csv has its columns
    triton_check.py URL PICTURES.npy ANSWERS.csv [MODEL]   a model of one picture: uint8 [n, h, w, channels]

URL as in 127.0.0.1:8000, MODEL as serve.model_name has it (ingot). ANSWERS.csv is what `ingot predict RUN TABLE.csv` printed, of pictures for
the files that hold the same pixels. Exits 1 and names what differs. Needs tritonclient[http], numpy
(PyPI).
"""
import csv
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

FAILED = []


def check(what, is_right):
    print(("ok    " if is_right else "FAIL  ") + what)
    if not is_right:
        FAILED.append(what)


def tensor(name, values, datatype, binary):
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def answers_of(path):
    """Probabilities where there are some, else the numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.startswith("p(")] or ["prediction"]
    return np.array([[float(row[name]) for name in columns] for row in rows], np.float32)


def inputs_of(path, columns):
    """{what: tensors} that all say the same."""
    if path.endswith(".npy"):
        return {f"pixels, {form}": [tensor(columns[0], np.load(path), "UINT8", form == "raw")]
                for form in ("raw", "JSON")}
    with open(path, encoding="utf-8", newline="") as file:
        rows = [[float(row[name]) for name in columns] for row in csv.DictReader(file)]
    single, double = np.array(rows, np.float32), np.array(rows, np.float64)
    return {"one tensor of FP32, raw": [tensor("input__0", single, "FP32", True)],
            "one tensor of FP64, JSON": [tensor("input__0", double, "FP64", False)],
            "a tensor per column, raw": [tensor(name, single[:, i:i + 1].copy(), "FP32", True)
                                         for i, name in enumerate(columns)]}


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    client = triton.InferenceServerClient(sys.argv[1])
    model = sys.argv[4] if len(sys.argv) > 4 else "ingot"
    check("live and ready", client.is_server_live() and client.is_server_ready() and
          client.is_model_ready(model))
    about = client.get_model_metadata(model)
    expected = answers_of(sys.argv[3])
    names = [output["name"] for output in about["outputs"]]
    output = "probabilities" if "probabilities" in names else names[0]
    for what, inputs in inputs_of(sys.argv[2], [i["name"] for i in about["inputs"]]).items():
        for binary in (True, False):
            wanted = [triton.InferRequestedOutput(output, binary_data=binary)]
            got = client.infer(model, inputs, outputs=wanted).as_numpy(output)
            check(f"{what}; answers {'raw' if binary else 'JSON'}",
                  np.array_equal(got.reshape(expected.shape).astype(np.float32), expected))
    try:
        client.infer(model, [tensor("x", np.zeros((2, 77), np.float32), "FP32", True)])
        check("a table of 77 columns is refused", False)
    except InferenceServerException as error:
        check(f"a table of 77 columns is refused: {error}", "400" in str(error))
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
