# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/autograd/recurrent.json: torch.nn.LSTM and GRU (one layer, both directions)
and Keras's LSTM and GRU (masked, reversed) in float64, outputs and all gradients, in the layouts of
the tools. Keras runs on PyTorch: its own step functions, so masks behave as Keras says.

    KERAS_BACKEND=torch python scripts/golden/recurrent_golden.py [OUTPUT_FILE]
"""
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import torch

torch.manual_seed(11)
keras.config.set_floatx("float64")


def draw(*shape):
    """float32 numbers with few digits, as float64."""
    return (torch.randn(*shape, dtype=torch.float64) * 32).round() / 64


def packed(t):
    t = t.detach().contiguous()
    return {"shape": list(t.shape), "values": [float("%.9g" % v) for v in t.flatten().tolist()]}


def torch_case(op, batch, seq, features, hidden, reverse):
    """One direction of a bidirectional layer: gradient of sum(y * dy) through that half."""
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[op](
        features, hidden, batch_first=True, bidirectional=True).double()
    suffix = "_l0_reverse" if reverse else "_l0"
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    with torch.no_grad():
        for name in names:
            p = getattr(layer, name + suffix)
            p.copy_(draw(*p.shape))
    x = draw(batch, seq, features).requires_grad_(True)
    y = layer(x)[0][..., hidden:] if reverse else layer(x)[0][..., :hidden]
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    weights = [getattr(layer, name + suffix) for name in names]
    return {"tool": "torch", "op": op, "reverse": reverse, "x": packed(x), "y": packed(y),
            "dy": packed(dy), "dx": packed(x.grad), "weights": [packed(w) for w in weights],
            "grads": [packed(w.grad) for w in weights]}


def keras_case(op, ids, features, hidden, reverse):
    """Weights are kernel, recurrent kernel and bias as Keras stores them. y is in time order: Keras
    gives a reversed layer's outputs last step first."""
    ids = torch.tensor(ids)
    make = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[op]
    layer = make(hidden, return_sequences=True, go_backwards=reverse)
    layer.build((len(ids), ids.shape[1], features))
    layer.set_weights([draw(*w.shape).numpy() for w in layer.trainable_variables])
    x = draw(*ids.shape, features).requires_grad_(True)
    y = layer(x, mask=ids != 0)
    y = y.flip(1) if reverse else y
    dy = draw(*y.shape)
    (y * dy).sum().backward()
    weights = [w.value for w in layer.trainable_variables]
    return {"tool": "keras", "op": op, "reverse": reverse, "ids": ids.tolist(), "x": packed(x),
            "y": packed(y), "dy": packed(dy), "dx": packed(x.grad),
            "weights": [packed(w) for w in weights], "grads": [packed(w.grad) for w in weights]}


if __name__ == "__main__":
    padded = [[0, 0, 3, 1, 4], [2, 7, 1, 0, 0], [5, 9, 2, 6, 5], [0, 0, 0, 0, 0]]
    cases = []
    for kind in ("lstm", "gru"):
        for backwards in (False, True):
            cases.append(torch_case(kind, 3, 6, 4, 5, backwards))
            cases.append(keras_case(kind, padded, 3, 4, backwards))
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/autograd/recurrent.json")
    path.write_text(json.dumps({"torch": torch.__version__, "keras": keras.__version__, "seed": 11,
                                "cases": cases}, separators=(",", ":")) + "\n")
    print(len(cases), "cases,", path.stat().st_size, "bytes")
