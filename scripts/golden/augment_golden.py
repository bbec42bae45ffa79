#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/data/augment.json: one colour picture, made by a formula, rotated, scaled and
with other colours, as torchvision computes them for tensors: its affine grid and PyTorch's
grid_sample, its blends written out, in float64 and not rounded. Pillow, whose 8-bit results
torchvision hands out for Pillow's pictures, must agree wherever their rules are the same, or
nothing is written. Needs torch, numpy 2 and pillow 10 or newer.

    python scripts/golden/augment_golden.py [OUTPUT_FILE]
"""
import json
import math
import pathlib
import sys

import numpy as np
import torch
from PIL import Image, ImageEnhance
from PIL import __version__ as pillow_version

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/data/augment.json"
HEIGHT, WIDTH = 7, 10  # a middle on a pixel along one axis, between two along the other
ANGLES = [90, -90, 180, 15, -37.5, 120]  # counter-clockwise
SCALES = [0.5, 0.8, 1.3, 2]
COLORS = [  # factors of brightness, contrast, saturation
    (0.3, 1, 1), (1.7, 1, 1), (1, 0, 1), (1, 0.25, 1), (1, 1.8, 1), (1, 1, 0), (1, 1, 0.4),
    (1, 1, 1.9), (0.6, 0.7, 1.5)]
LUMA = np.array([0.2989, 0.587, 0.114])  # torchvision's; the standard's first is 0.299


def picture():
    """[height, width, 3]: no symmetry, every channel another."""
    y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(3), indexing="ij")
    return ((7 * x * x + 19 * y + 53 * c + 13 * x * y * (c + 1)) % 256).astype("u1")


def moved(pixels, matrix):
    """Output (u, v) about the middle, v downwards, is the input at matrix @ (u, v)."""
    u = torch.linspace(-WIDTH * 0.5 + 0.5, WIDTH * 0.5 - 0.5, WIDTH, dtype=torch.float64)
    v = torch.linspace(-HEIGHT * 0.5 + 0.5, HEIGHT * 0.5 - 0.5, HEIGHT, dtype=torch.float64)
    at = torch.stack([u.expand(HEIGHT, WIDTH), v[:, None].expand(HEIGHT, WIDTH)], -1)
    grid = at @ torch.tensor(matrix, dtype=torch.float64).T
    grid = grid / torch.tensor([0.5 * WIDTH, 0.5 * HEIGHT], dtype=torch.float64)
    planes = torch.from_numpy(pixels.astype("f8")).permute(2, 0, 1)[None]
    out = torch.nn.functional.grid_sample(planes, grid[None], mode="bilinear",
                                          padding_mode="zeros", align_corners=False)
    return out[0].permute(1, 2, 0).numpy()


def inside(matrix):
    """Where all four neighbours are pixels of the picture; Pillow has another rule at the rim."""
    v, u = np.meshgrid(np.arange(HEIGHT) - (HEIGHT - 1) / 2, np.arange(WIDTH) - (WIDTH - 1) / 2,
                       indexing="ij")
    x = matrix[0][0] * u + matrix[0][1] * v + (WIDTH - 1) / 2
    y = matrix[1][0] * u + matrix[1][1] * v + (HEIGHT - 1) / 2
    rim = 1e-6
    return (x > rim) & (x < WIDTH - 1 - rim) & (y > rim) & (y < HEIGHT - 1 - rim)


def recolored(pixels, brightness, contrast, saturation):
    """torchvision's _blend of adjust_brightness, adjust_contrast, adjust_saturation in this order,
    without a limit in between: the factors here need none."""
    x = pixels.astype("f8") * brightness
    assert contrast == saturation == 1 or x.max() <= 255
    x = contrast * x + (1 - contrast) * (x @ LUMA).mean()
    assert saturation == 1 or (x.min() >= 0 and x.max() <= 255)
    x = saturation * x + (1 - saturation) * (x @ LUMA)[:, :, None]
    return x.clip(0, 255)


def agree(values, by_pillow, where, most, what):
    """Pillow rounds the result down, off by up to 1, and the mean and the gray before it."""
    difference = np.abs(values - np.asarray(by_pillow, dtype="f8"))[where].max()
    if difference > most + 1e-6:
        raise SystemExit(f"{what}: Pillow is off by {difference}")


def numbers(values):
    return [round(float(x), 3) for x in values.reshape(-1)]


def main():
    pixels = picture()
    by_pillow = Image.fromarray(pixels)
    bilinear = Image.Resampling.BILINEAR
    golden = {"torch": torch.__version__, "pillow": pillow_version,
              "shape": [HEIGHT, WIDTH, 3], "pixels": pixels.reshape(-1).tolist(),
              "rotated": [], "scaled": [], "recolored": []}
    for degrees in ANGLES:
        angle = math.radians(degrees)
        matrix = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        values = moved(pixels, matrix)
        agree(values, by_pillow.rotate(degrees, bilinear), inside(matrix), 1, f"{degrees} degrees")
        golden["rotated"].append({"degrees": degrees, "values": numbers(values)})
    for factor in SCALES:
        matrix = [[1 / factor, 0], [0, 1 / factor]]
        values = moved(pixels, matrix)
        # Pillow's places are those of corners, not of centres.
        affine = (1 / factor, 0, WIDTH / 2 * (1 - 1 / factor),
                  0, 1 / factor, HEIGHT / 2 * (1 - 1 / factor))
        scaled = by_pillow.transform((WIDTH, HEIGHT), Image.Transform.AFFINE, affine, bilinear)
        agree(values, scaled, inside(matrix), 1, f"scaled by {factor}")
        golden["scaled"].append({"factor": factor, "values": numbers(values)})
    for brightness, contrast, saturation in COLORS:
        values = recolored(pixels, brightness, contrast, saturation)
        image = by_pillow
        for enhance, factor in ((ImageEnhance.Brightness, brightness),
                                (ImageEnhance.Contrast, contrast),
                                (ImageEnhance.Color, saturation)):
            image = enhance(image).enhance(factor)
        agree(values, image, ..., 3, f"factors {brightness}, {contrast}, {saturation}")
        golden["recolored"].append({"factors": [brightness, contrast, saturation],
                                    "values": numbers(values)})
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    output.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
