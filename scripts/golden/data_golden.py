#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NumPy and Pillow as the second opinion on src/data/formats/npy.cpp and src/io/image*.cpp.

    data_golden.py write             writes tests/golden/data/*.npy and tests/golden/io/images/*
    data_golden.py check FILE.npy    loads arrays that we wrote and prints dtype, shape and sum

Every image lies beside NAME.ppm (RGB) or NAME.pgm (gray): what Pillow makes of it. Needs numpy 2 and pillow 10 or newer in a virtual environment; seed 1.
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden"
IMAGES = GOLDEN / "io/images"


def write_arrays():
    folder = GOLDEN / "data"
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(1)
    np.save(folder / "f4.npy", draw.normal(size=(3, 4)).astype("<f4"))
    np.save(folder / "f8.npy", np.array([1.5, -2.0, np.inf, 1e300]))
    np.save(folder / "i4.npy", np.arange(-3, 3, dtype="<i4").reshape(1, 2, 3))
    np.save(folder / "i8.npy", np.array(-9_000_000_000_000_000_000))
    np.save(folder / "u1.npy", np.zeros((0, 5), "u1"))
    np.save(folder / "fortran.npy", np.asfortranarray(np.zeros((2, 3), "<f4")))
    np.save(folder / "object.npy", np.array([{}], dtype=object))
    np.save(folder / "big_endian.npy", np.zeros(2, ">f4"))
    np.save(folder / "record.npy", np.zeros(2, [("a", "<f4")]))
    with open(folder / "v2.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(4, dtype="<f4"), version=(2, 0))


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, depth, color, rows, extra=b""):
    """A PNG of any depth, which Pillow itself cannot write."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", data) +
            chunk(b"IEND", b""))


def save(name, data, mode, picture=None):
    (IMAGES / name).write_bytes(data)
    picture = picture if picture is not None else Image.open(io.BytesIO(data)).convert(mode)
    picture.save(IMAGES / f"{name}.{'pgm' if mode == 'L' else 'ppm'}")


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def write_images():
    IMAGES.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(1)
    y, x = np.mgrid[0:23, 0:17]
    smooth = np.stack([x * 14, y * 10, (x + y) * 6], -1).astype("u1")
    rgb = Image.fromarray(smooth)
    alpha = Image.fromarray(np.concatenate([smooth, draw.integers(0, 256, (23, 17, 1))], -1).astype("u1"))
    gray = rgb.convert("L")
    save("rgb.png", encoded(rgb, "PNG"), "RGB")
    save("rgba.png", encoded(alpha, "PNG"), "RGB", rgb)
    save("gray.png", encoded(gray, "PNG"), "L")
    save("gray_alpha.png", encoded(Image.merge("LA", (gray, gray)), "PNG"), "L", gray)
    save("palette.png", encoded(rgb.quantize(13), "PNG"), "RGB")
    save("bilevel.png", encoded(gray.point(lambda v: 255 * (v > 99), "1"), "PNG"), "L")
    save("one_pixel.png", encoded(rgb.crop((3, 4, 4, 5)), "PNG"), "RGB")
    four = draw.integers(0, 16, (5, 8)).astype("u1")
    rows = [bytes(row[::2] << 4 | row[1::2]) for row in four]
    save("gray4.png", png(8, 5, 4, 0, rows), "L", Image.fromarray(four * 17))
    deep = draw.integers(0, 65536, (4, 3, 3))
    rows = [row.astype(">u2").tobytes() for row in deep]
    eight = Image.fromarray(((deep * 255 + 32895) >> 16).astype("u1"))  # libpng's rounding
    save("rgb16.png", png(3, 4, 16, 2, rows), "RGB", eight)
    save("rgb.jpg", encoded(rgb, "JPEG", quality=90), "RGB")
    save("rgb_as_gray.jpg", encoded(rgb, "JPEG", quality=90), "L",
         Image.open(io.BytesIO(encoded(rgb, "JPEG", quality=90))).convert("RGB").convert("L"))
    save("progressive.jpg", encoded(rgb, "JPEG", progressive=True), "RGB")
    save("gray.jpg", encoded(gray, "JPEG"), "L")
    save("cmyk.jpg", encoded(rgb.convert("CMYK"), "JPEG", quality=95), "RGB")


def main():
    if sys.argv[1:] == ["write"]:
        write_arrays()
        write_images()
    elif sys.argv[1:2] == ["check"]:
        for path in sys.argv[2:]:
            array = np.load(path)
            print(path, array.dtype.str, array.shape, array.sum())
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
