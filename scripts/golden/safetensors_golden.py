#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PyPI package safetensors as the second opinion on src/io/safetensors.cpp.

    safetensors_golden.py write            writes tests/golden/io/python.safetensors
    safetensors_golden.py check FILE ...   loads files that we wrote and lists their tensors

Needs safetensors, numpy and torch (bfloat16) in a virtual environment. `check` fails when the
package refuses a file, when a tensor holds NaN, or when the data does not begin at a multiple of 64.
"""

import pathlib
import struct
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/io/python.safetensors"


def write():
    tensors = {
        "f32": torch.arange(6, dtype=torch.float32).reshape(2, 3) * 0.5 - 1.0,
        "f64": torch.tensor([1.0, -2.0, 1e300], dtype=torch.float64),
        "i64": torch.tensor([[1, 2], [3, -9_000_000_000_000_000_000]], dtype=torch.int64),
        "i32": torch.tensor([1, -2, 3, -4], dtype=torch.int32),
        "u8": torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8),
        "f16": torch.tensor([1.0, -3.0], dtype=torch.float16),
        "bf16": torch.tensor([1.0, -3.0], dtype=torch.bfloat16),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 7),
    }
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, GOLDEN, metadata={"written_by": "safetensors"})
    print(GOLDEN, GOLDEN.stat().st_size, "bytes")


def check(paths):
    for path in paths:
        with open(path, "rb") as file:
            begin = 8 + struct.unpack("<Q", file.read(8))[0]
        if begin % 64:
            sys.exit(f"{path}: the data begins at byte {begin}, which is no multiple of 64")
        count = 0
        with safe_open(path, framework="pt") as opened:
            for name in opened.keys():
                tensor = opened.get_tensor(name)
                if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all():
                    sys.exit(f"{path}: {name} is not finite")
                count += 1
        print(f"{path}: {count} tensors, data at byte {begin}")


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    elif len(sys.argv) > 2 and sys.argv[1] == "check":
        check(sys.argv[2:])
    else:
        sys.exit(__doc__)
