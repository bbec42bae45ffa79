#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/data/resize.json: Pillow's bilinear resize, with the antialiasing it applies
when a picture shrinks, of seeded random pictures; x first, then y, one call each, because releases
differ in which axis they take first (and a byte may then differ by one). Needs numpy 2 and pillow 10 or newer; seed 3.

    python scripts/golden/resize_golden.py [OUTPUT_FILE]
"""
import json
import pathlib
import sys

import numpy as np
from PIL import Image
from PIL import __version__ as pillow_version

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/data/resize.json"
PICTURES = [(17, 23, 3), (30, 11, 1), (1, 1, 3), (64, 3, 1)]  # height, width, channels
SIZES = [(7, 5), (32, 41), (17, 8), (1, 1), (9, 64)]


def main():
    draw = np.random.default_rng(3)
    cases = []
    for height, width, channels in PICTURES:
        pixels = draw.integers(0, 256, (height, width, channels)).astype("u1")
        picture = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
        sizes = []
        for out_height, out_width in SIZES:
            wide = picture.resize((out_width, height), Image.Resampling.BILINEAR)
            small = np.asarray(wide.resize((out_width, out_height), Image.Resampling.BILINEAR))
            sizes.append({"size": [out_height, out_width], "pixels": small.reshape(-1).tolist()})
        cases.append({"shape": [height, width, channels], "pixels": pixels.reshape(-1).tolist(),
                      "resized": sizes})
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    output.write_text(json.dumps({"pillow": pillow_version, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
