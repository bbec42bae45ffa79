# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/optim/rules.json: ten steps in float64 of PyTorch's RMSprop, Adagrad, Adadelta
and NAdam, and of Lion, Muon (Newton-Schulz in float64), Lookahead, EMA and SWA written here in NumPy
from their papers. Three parameters: a tall matrix, a convolution weight and a vector that does not
decay.

    python scripts/golden/optim_rules_golden.py [OUTPUT_FILE]
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

STEPS = 10
SHAPES = {"w": (6, 4), "k": (3, 2, 2, 2), "b": (3,)}
DECAY = 0.05


def torch_rule(kind, values, grads, lr, options):
    tensors = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True)
               for n, v in values.items()}
    optimizer = getattr(torch.optim, kind)(
        [{"params": [tensors["w"], tensors["k"]], "weight_decay": DECAY},
         {"params": [tensors["b"]], "weight_decay": 0.0}], lr=lr, **options)
    for step in range(STEPS):
        for name, t in tensors.items():
            t.grad = torch.tensor(grads[step][name], dtype=torch.float64)
        optimizer.step()
        yield {name: t.detach().numpy().copy() for name, t in tensors.items()}


def tensorflow_rmsprop(values, grads, lr, rho, eps):
    """eps under the root; written out, since PyTorch adds it to the root."""
    p = {n: v.copy() for n, v in values.items()}
    square = {n: np.zeros_like(v) for n, v in values.items()}
    for step in range(STEPS):
        for n in p:
            g = grads[step][n] + (0.0 if n == "b" else DECAY) * p[n]
            square[n] = rho * square[n] + (1 - rho) * g * g
            p[n] = p[n] - lr * g / np.sqrt(square[n] + eps)
        yield {n: v.copy() for n, v in p.items()}


def lion(values, grads, lr, beta1=0.9, beta2=0.99):
    p = {n: v.copy() for n, v in values.items()}
    m = {n: np.zeros_like(v) for n, v in values.items()}
    for step in range(STEPS):
        for n in p:
            g = grads[step][n]
            update = np.sign(beta1 * m[n] + (1 - beta1) * g)
            p[n] = p[n] * (1 - lr * (0.0 if n == "b" else DECAY)) - lr * update
            m[n] = beta2 * m[n] + (1 - beta2) * g
        yield {n: v.copy() for n, v in p.items()}


def newton_schulz(g, steps, a, b, c):
    x = g / max(np.linalg.norm(g), 1e-7)
    transposed = x.shape[0] > x.shape[1]
    if transposed:
        x = x.T
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if transposed else x


def muon(values, grads, lr, scale, nesterov=True, others="adamw", momentum=0.95, steps=5):
    p = {n: v.copy() for n, v in values.items()}
    m = {n: np.zeros_like(v) for n, v in values.items()}
    v2 = {n: np.zeros_like(v) for n, v in values.items()}
    for step in range(STEPS):
        for n in p:
            g = grads[step][n]
            if n == "b":
                if others == "adamw":
                    m[n] = 0.9 * m[n] + 0.1 * g
                    v2[n] = 0.999 * v2[n] + 0.001 * g * g
                    hat = m[n] / (1 - 0.9 ** (step + 1))
                    root = np.sqrt(v2[n] / (1 - 0.999 ** (step + 1)))
                    p[n] = p[n] - 0.5 * lr * hat / (root + 1e-8)
                else:
                    m[n] = momentum * m[n] + g
                    p[n] = p[n] - 0.5 * lr * (g + momentum * m[n] if nesterov else m[n])
                continue
            m[n] = momentum * m[n] + (1 - momentum) * g
            u = momentum * m[n] + (1 - momentum) * g if nesterov else m[n]
            flat = u.reshape(u.shape[0], -1)
            o = newton_schulz(flat, steps, 3.4445, -4.7750, 2.0315).reshape(u.shape)
            rows, cols = flat.shape
            factor = (np.sqrt(max(1.0, rows / cols)) if scale == "original"
                      else 0.2 * np.sqrt(max(rows, cols)))
            p[n] = p[n] * (1 - lr * DECAY) - lr * factor * o
        yield {n: v.copy() for n, v in p.items()}


def sgd(values, grads, lr, every=0, alpha=0.5):
    """Plain descent with coupled decay, in Lookahead when `every` is set."""
    p = {n: v.copy() for n, v in values.items()}
    slow = {n: v.copy() for n, v in values.items()}
    for step in range(1, STEPS + 1):
        for n in p:
            p[n] = p[n] - lr * (grads[step - 1][n] + (0.0 if n == "b" else DECAY) * p[n])
            if every and step % every == 0:
                slow[n] = slow[n] + alpha * (p[n] - slow[n])
                p[n] = slow[n].copy()
        yield {n: v.copy() for n, v in p.items()}


def ema(trajectory, decay):
    average = None
    for weights in trajectory:
        average = weights if average is None else {
            n: decay * average[n] + (1 - decay) * weights[n] for n in weights}
        yield average


def swa(trajectory, start, every):
    chosen = []
    for step, weights in enumerate(trajectory, 1):
        if step >= start and (step - start) % every == 0:
            chosen.append(weights)
        yield {n: np.mean([c[n] for c in chosen], axis=0) for n in weights} if chosen else weights


def main():
    rng = np.random.default_rng(5)
    draw = lambda shape: rng.normal(size=shape).astype(np.float32).astype(np.float64)
    values = {n: draw(s) for n, s in SHAPES.items()}
    grads = [{n: draw(s) for n, s in SHAPES.items()} for _ in range(STEPS)]
    runs = {
        "rmsprop": (0.01, torch_rule("RMSprop", values, grads, 0.01, {"alpha": 0.9})),
        "rmsprop momentum centered": (0.01, torch_rule(
            "RMSprop", values, grads, 0.01,
            {"alpha": 0.9, "momentum": 0.8, "centered": True, "eps": 1e-3})),
        "rmsprop tensorflow": (0.01, tensorflow_rmsprop(values, grads, 0.01, 0.9, 1e-3)),
        "adagrad": (0.1, torch_rule("Adagrad", values, grads, 0.1, {})),
        "adagrad options": (0.1, torch_rule(
            "Adagrad", values, grads, 0.1,
            {"lr_decay": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-3})),
        "adadelta": (1.0, torch_rule("Adadelta", values, grads, 1.0, {})),
        "nadam": (0.01, torch_rule("NAdam", values, grads, 0.01, {})),
        "nadam decoupled": (0.01, torch_rule(
            "NAdam", values, grads, 0.01, {"decoupled_weight_decay": True})),
        "lion": (0.01, lion(values, grads, 0.01)),
        "muon": (0.02, muon(values, grads, 0.02, "original")),
        "muon match_rms sgd": (0.02, muon(values, grads, 0.02, "match_rms", False, "sgd")),
        "sgd lookahead": (0.1, sgd(values, grads, 0.1, 4, 0.5)),
        "sgd ema": (0.1, ema(sgd(values, grads, 0.1), 0.75)),
        "sgd swa": (0.1, swa(sgd(values, grads, 0.1), 4, 3)),
    }
    flat = lambda weights: {n: v.ravel().tolist() for n, v in weights.items()}
    out = {"torch": torch.__version__, "numpy": np.__version__, "decay": DECAY,
           "shapes": SHAPES, "values": flat(values), "grads": [flat(g) for g in grads],
           "cases": {name: {"lr": lr, "steps": [flat(w) for w in run]}
                     for name, (lr, run) in runs.items()}}
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/optim/rules.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
