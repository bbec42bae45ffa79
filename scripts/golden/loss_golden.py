# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/autograd/losses.json: PyTorch's losses and gradients in float64 on inputs that
are exact in float32. Focal losses are written out with PyTorch's operations.

    python scripts/golden/loss_golden.py [OUTPUT_FILE]
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F


def draw(generator, *shape, low=-3.0, high=3.0):
    x = torch.rand(*shape, generator=generator, dtype=torch.float32) * (high - low) + low
    return x.double()


def case(x, loss, **inputs):
    x = x.clone().requires_grad_(True)
    value = loss(x)
    value.backward()
    out = {"x": x.detach().flatten().tolist(), "shape": list(x.shape), "loss": value.item(),
           "grad": x.grad.flatten().tolist()}
    return out | {name: t.flatten().tolist() for name, t in inputs.items()}


def focal(x, t, gamma, alpha):
    log_p = F.log_softmax(x, dim=1).gather(1, t[:, None])[:, 0]
    return -(alpha[t] * (1.0 - log_p.exp()) ** gamma * log_p).mean()


def binary_focal(x, t, gamma, alpha):
    p = torch.sigmoid(x)
    p_t = p * t + (1.0 - p) * (1.0 - t)
    alpha_t = alpha * t + (1.0 - alpha) * (1.0 - t)
    return (alpha_t * (1.0 - p_t) ** gamma *
            F.binary_cross_entropy_with_logits(x, t, reduction="none")).mean()


def main():
    g = torch.Generator().manual_seed(3)
    x, y = draw(g, 6, 5), draw(g, 6, 5)
    t = torch.tensor([0, 3, -100, 1, 4, 3])
    whole = torch.tensor([0, 3, 2, 1, 4, 3])
    classes = draw(g, 5, low=0.25, high=3.0)
    rows = draw(g, 6, low=0.25, high=3.0)
    yes = (draw(g, 6, 5) > 0).double()
    soft = torch.softmax(draw(g, 6, 5), dim=1).float().double()
    log_x = torch.log_softmax(draw(g, 6, 5), dim=1).float().double()
    each = F.cross_entropy(x, whole, weight=classes, reduction="none")
    assert torch.isfinite(each).all()
    cases = {
        "cross_entropy weights": case(
            x, lambda v: F.cross_entropy(v, t, weight=classes), targets=t, class_weights=classes),
        "cross_entropy weights smoothing": case(
            x, lambda v: F.cross_entropy(v, t, weight=classes, label_smoothing=0.125), targets=t,
            class_weights=classes),
        "cross_entropy row weights": case(
            x, lambda v: (F.cross_entropy(v, whole, reduction="none") * rows).sum() / rows.sum(),
            targets=whole, weights=rows),
        "focal": case(x, lambda v: focal(v, whole, 2.0, classes), targets=whole,
                      class_weights=classes),
        "multi_margin 1": case(
            x, lambda v: F.multi_margin_loss(v, whole, weight=classes, margin=0.5), targets=whole,
            class_weights=classes),
        "multi_margin 2": case(
            x, lambda v: F.multi_margin_loss(v, whole, p=2, margin=0.5), targets=whole),
        "mse": case(x, lambda v: F.mse_loss(v, y), target=y),
        "mae": case(x, lambda v: F.l1_loss(v, y), target=y),
        "huber": case(x, lambda v: F.huber_loss(v, y, delta=0.75), target=y),
        "bce": case(x, lambda v: F.binary_cross_entropy_with_logits(v, soft), target=soft),
        "bce pos_weight": case(
            x, lambda v: F.binary_cross_entropy_with_logits(v, soft, pos_weight=classes),
            target=soft, pos_weight=classes),
        # PyTorch divides by all elements, whatever the weights: count = rows.
        "bce weights count": case(
            x, lambda v: F.binary_cross_entropy_with_logits(v, yes, weight=rows[:, None]),
            target=yes, weights=rows),
        "binary_focal": case(x, lambda v: binary_focal(v, yes, 2.0, 0.25), target=yes),
        "kl_divergence": case(log_x, lambda v: F.kl_div(v, soft, reduction="batchmean"),
                              target=soft),
        "hinge": case(x, lambda v: torch.clamp(1.0 - (2 * yes - 1) * v, min=0).mean(),
                      target=2 * yes - 1),
    }
    out = {"torch": torch.__version__, "cases": cases}
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/autograd/losses.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
