# SPDX-License-Identifier: Apache-2.0
"""Reads a file of examples (docs/formats/examples.md): the rows of a run on a table as its model saw
them, after their transforms. For the other sides of a comparison, which then learn from the same
numbers in the same rows. Needs numpy."""
import json

import numpy as np

DTYPES = {"float32": "<f4", "int32": "<i4"}


def read_examples(path):
    """An array of records with a field per input and "target", one record per row."""
    data = path.read_bytes()
    assert data[-8:] == b"INGOTEXS", f"{path} is no whole file of examples"
    size = int.from_bytes(data[-24:-16], "little")
    head = json.loads(data[-24 - size:-24])
    offset, types = 0, []
    for field in head["fields"]:
        types.append((field["name"], DTYPES[field["dtype"]], tuple(field["shape"])))
        offset += 4 * int(np.prod(field["shape"]))
    assert offset == head["record_bytes"], f"{path}: fields of 4 bytes were expected"
    return np.frombuffer(data, np.dtype(types), head["rows"])
