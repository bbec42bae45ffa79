# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/autograd/images.json: PyTorch's convolutions, pools, batch norm and resampling
in float64 with all gradients, on small seeded inputs, turned to channels-last (images [batch,
height, width, channels], weights [out, kernel_h, kernel_w, in / groups]).

    python scripts/golden/image_golden.py [OUTPUT_FILE]
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(7)


def draw(*shape):
    """float32 numbers with few digits, as float64."""
    return (torch.randn(*shape, dtype=torch.float64) * 64).round() / 64


def last(t):
    """[n, c, h, w] (or [o, c, h, w]) with the channels last; other ranks as they are."""
    return t.permute(0, 2, 3, 1) if t.dim() == 4 else t


def packed(t):
    t = last(t.detach()).contiguous()
    return {"shape": list(t.shape), "values": [float("%.9g" % v) for v in t.flatten().tolist()]}


def case(op, what, options, inputs, run, buffers=()):
    """Runs `run(*inputs)` and the gradient of sum(y * dy)."""
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    before = [packed(b) for b in buffers]
    y = run(*inputs)
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    out = {"op": op, "what": what, "options": options, "inputs": [packed(t) for t in inputs],
           "y": packed(y), "dy": packed(dy), "grads": [packed(t.grad) for t in inputs]}
    if buffers:
        out["buffers"] = before
        out["buffers_after"] = [packed(b) for b in buffers]
    return out


def convolutions():
    rows = [  # what, x, out_channels, kernel, stride, padding (top, bottom, left, right), dilation, groups
        ("plain", (2, 3, 5, 6), 4, (3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
        ("stride 2, padded", (2, 4, 6, 5), 6, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 1),
        ("asymmetric padding", (1, 2, 5, 5), 3, (2, 4), (1, 2), (0, 1, 2, 1), (1, 1), 1),
        ("dilation 2 by 3", (1, 2, 7, 8), 3, (3, 2), (1, 1), (2, 2, 0, 0), (2, 3), 1),
        ("dilation 2, stride 2", (1, 2, 8, 7), 3, (3, 3), (2, 2), (2, 2, 2, 2), (2, 2), 1),
        ("two groups", (2, 4, 5, 4), 6, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 2),
        ("depthwise, stride 2", (2, 5, 6, 6), 5, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 5),
        ("one pixel, stride 2", (2, 3, 5, 4), 7, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1)]
    for what, x, out, kernel, stride, pad, dilation, groups in rows:
        top, bottom, left, right = pad
        options = {"stride": stride, "padding": pad, "dilation": dilation, "groups": groups}

        def run(x, w, b):
            return F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride, 0, dilation, groups)

        yield case("conv2d", what, options,
                   [draw(*x), draw(out, x[1] // groups, *kernel), draw(out)], run)


def transposed_convolutions():
    rows = [  # what, x, out_channels, kernel, stride, padding, output padding, dilation, groups
        ("plain", (2, 3, 3, 4), 2, (3, 2), (1, 1), (0, 0), (0, 0), (1, 1), 1),
        ("stride 2, output padding", (1, 4, 3, 3), 3, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), 1),
        ("stride 3 by 2, dilation 2", (1, 2, 3, 2), 3, (2, 3), (3, 2), (1, 0), (2, 1), (2, 2), 1),
        ("groups", (2, 4, 3, 3), 6, (2, 2), (2, 2), (0, 0), (0, 0), (1, 1), 2)]
    for what, x, out, kernel, stride, pad, extra, dilation, groups in rows:
        options = {"stride": stride, "padding": (pad[0], pad[0], pad[1], pad[1]),
                   "dilation": dilation, "groups": groups, "output_padding": extra}

        def run(x, w, b):
            return F.conv_transpose2d(x, w, b, stride, pad, extra, groups, dilation)

        yield case("conv_transpose2d", what, options,
                   [draw(*x), draw(x[1], out // groups, *kernel), draw(out)], run)


def pools():
    rows = [  # what, x, kernel, stride, padding, ceil
        ("2x2", (2, 3, 4, 6), (2, 2), (2, 2), (0, 0), False),
        ("overlapping, padded", (1, 2, 7, 6), (3, 3), (2, 2), (1, 1), False),
        ("ceil", (1, 2, 6, 8), (3, 2), (2, 3), (1, 0), True),
        ("ceil, no window in the padding", (1, 1, 5, 5), (2, 2), (3, 3), (1, 1), True)]
    for what, x, kernel, stride, pad, ceil in rows:
        options = {"kernel": kernel, "stride": stride, "padding": (pad[0], pad[0], pad[1], pad[1]),
                   "ceil": ceil, "counts_padding": True}
        yield case("max_pool2d", what, options, [torch.randperm(
            torch.Size(x).numel()).double().reshape(x) / 16],
            lambda t: F.max_pool2d(t, kernel, stride, pad, ceil_mode=ceil))
        for counts in (True, False):
            yield case("avg_pool2d", what, dict(options, counts_padding=counts), [draw(*x)],
                       lambda t: F.avg_pool2d(t, kernel, stride, pad, ceil, counts))
    for x, out in (((2, 3, 7, 5), (3, 2)), ((1, 2, 4, 6), (2, 3)), ((2, 4, 5, 3), (1, 1)),
                   ((1, 1, 2, 3), (3, 4))):
        options = {"out": out}
        yield case("adaptive_max_pool2d", str(out), options, [torch.randperm(
            torch.Size(x).numel()).double().reshape(x) / 16],
            lambda t: F.adaptive_max_pool2d(t, out))
        yield case("adaptive_avg_pool2d", str(out), options, [draw(*x)],
                   lambda t: F.adaptive_avg_pool2d(t, out))


def norms():
    for shape in ((4, 3), (2, 5, 3, 4)):
        for training in (True, False):
            c = shape[1]
            mean, var = draw(c), draw(c).abs() + 0.5
            options = {"eps": 1e-3, "momentum": 0.1, "training": training}
            yield case("batch_norm", f"{shape}, training {training}", options,
                       [draw(*shape), draw(c), draw(c)],
                       lambda x, w, b: F.batch_norm(x, mean, var, w, b, training, 0.1, 1e-3),
                       [mean, var])


def resampling():
    for x, pad in (((1, 2, 3, 4), (1, 2, 3, 0)), ((2, 1, 4, 3), (0, 3, 1, 2))):
        top, bottom, left, right = pad
        for mode in ("constant", "reflect"):
            yield case("pad2d", mode, {"padding": pad, "mode": mode}, [draw(*x)],
                       lambda t: F.pad(t, (left, right, top, bottom), mode))
    for x, out in (((1, 2, 3, 4), (6, 8)), ((2, 1, 5, 3), (3, 7)), ((1, 1, 2, 2), (5, 3))):
        for mode in ("nearest", "bilinear"):
            yield case("upsample2d", f"{mode} {out}", {"out": out, "mode": mode}, [draw(*x)],
                       lambda t: F.interpolate(t, out, mode=mode))


if __name__ == "__main__":
    cases = [*convolutions(), *transposed_convolutions(), *pools(), *norms(), *resampling()]
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/autograd/images.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"torch": torch.__version__, "seed": 7, "cases": cases},
                               separators=(",", ":")) + "\n")
    print(len(cases), "cases,", path.stat().st_size, "bytes")
