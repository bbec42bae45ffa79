# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/optim/steps.json: three steps of PyTorch's SGD, Adam and AdamW and of Keras'
Adam (torch backend) on two parameters with given gradients. The first parameter decays, the second
does not.

    python scripts/golden/optim_golden.py [OUTPUT_FILE]
"""
import json
import os
import sys
from pathlib import Path

import torch

os.environ["KERAS_BACKEND"] = "torch"
import keras

VALUES = {"w": [0.5, -1.25, 2.0, 0.0, 3.5], "b": [1.0, -0.5, 0.25]}
GRADS = [
    {"w": [0.1, -0.2, 0.3, 1.0, -4.0], "b": [0.5, 0.0, -0.25]},
    {"w": [-0.3, 0.4, 0.0, 2.0, 1e-4], "b": [0.125, 1.0, 0.25]},
    {"w": [0.7, 0.1, -0.9, -1.0, 3.0], "b": [-2.0, 0.5, 0.0]},
]
CASES = {
    "sgd": ("SGD", {"lr": 0.1}, 0.0),
    "sgd_decay": ("SGD", {"lr": 0.1}, 0.05),
    "sgd_momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}, 0.01),
    "sgd_nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}, 0.01),
    "adam": ("Adam", {"lr": 0.01, "betas": (0.9, 0.999)}, 0.05),
    "adamw": ("AdamW", {"lr": 0.01, "betas": (0.9, 0.999)}, 0.05),
    "adamw_other": ("AdamW", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3}, 0.1),
}


def run(kind, options, decay):
    w = torch.tensor(VALUES["w"], dtype=torch.float64, requires_grad=True)
    b = torch.tensor(VALUES["b"], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, kind)(
        [{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}], **options)
    steps = []
    for grads in GRADS:
        w.grad = torch.tensor(grads["w"], dtype=torch.float64)
        b.grad = torch.tensor(grads["b"], dtype=torch.float64)
        optimizer.step()
        steps.append({"w": w.tolist(), "b": b.tolist()})
    options = dict(options, weight_decay=decay)
    if "betas" in options:
        options["beta1"], options["beta2"] = options.pop("betas")
    return {"kind": kind, "options": options, "steps": steps}


def run_keras(lr, eps):
    keras.backend.set_floatx("float64")
    variables = [keras.Variable(VALUES[name], dtype="float64", name=name) for name in ("w", "b")]
    optimizer = keras.optimizers.Adam(lr, epsilon=eps)
    steps = []
    for grads in GRADS:
        optimizer.apply([torch.tensor(grads[name], dtype=torch.float64) for name in ("w", "b")],
                        variables)
        steps.append({v.name: v.numpy().tolist() for v in variables})
    return {"kind": "Adam", "steps": steps,
            "options": {"lr": lr, "eps": eps, "eps_hat": True, "weight_decay": 0.0}}


if __name__ == "__main__":
    out = {"torch": torch.__version__, "keras": keras.__version__, "values": VALUES, "grads": GRADS,
           "cases": {name: run(*case) for name, case in CASES.items()}}
    out["cases"]["adam_keras"] = run_keras(0.01, 0.05)
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/optim/steps.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out, indent=1) + "\n")
