# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/train/metrics.json: made-up predictions, exact in float32, and what
scikit-learn makes of them. The calibration error, which scikit-learn lacks, is NumPy's.

    python scripts/golden/metrics_golden.py [OUTPUT_FILE]
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics as m

BINS = 15


def calibration_error(p, labels):
    confidence, predicted = p.max(axis=1), p.argmax(axis=1)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    bins = np.clip(np.digitize(confidence, edges, right=True) - 1, 0, BINS - 1)
    error = 0.0
    for b in range(BINS):
        chosen = bins == b
        if chosen.any():
            gap = (predicted[chosen] == labels[chosen]).mean() - confidence[chosen].mean()
            error += chosen.mean() * abs(gap)
    return error


def classification(p, labels, top_k):
    """p [rows, classes] in float64."""
    classes = p.shape[1]
    predicted = p.argmax(axis=1)
    values = {"accuracy": m.accuracy_score(labels, predicted)}
    if classes > top_k:
        values[f"top_{top_k}_accuracy"] = m.top_k_accuracy_score(
            labels, p, k=top_k, labels=range(classes))
    if classes == 2:
        precision, recall, f1, _ = m.precision_recall_fscore_support(
            labels, predicted, average="binary", zero_division=0)
        values |= {"precision": precision, "recall": recall, "f1": f1}
    for average in ("micro", "macro", "weighted"):
        precision, recall, f1, _ = m.precision_recall_fscore_support(
            labels, predicted, average=average, zero_division=0)
        values |= {f"precision_{average}": precision, f"recall_{average}": recall,
                   f"f1_{average}": f1}
    precision, recall, f1, support = m.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0)
    per_class = {"precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(),
                 "support": support.tolist()}
    judged = [1] if classes == 2 else [c for c in range(classes) if (labels == c).any()]
    roc = [m.roc_auc_score(labels == c, p[:, c]) for c in judged]
    pr = [m.average_precision_score(labels == c, p[:, c]) for c in judged]
    if classes > 2 and len(judged) == classes:
        assert np.isclose(np.mean(roc), m.roc_auc_score(labels, p / p.sum(axis=1, keepdims=True),
                                                        multi_class="ovr"), rtol=1e-6)
    values |= {"roc_auc": np.mean(roc), "pr_auc": np.mean(pr),
               "log_loss": m.log_loss(labels, p, labels=range(classes)),
               "brier": m.brier_score_loss(labels, p, labels=list(range(classes))),
               "calibration_error": calibration_error(p, labels)}
    return {"classes": classes, "top_k": top_k, "labels": labels.tolist(),
            "probabilities": p.ravel().tolist(), "judged": judged, "roc_auc": roc, "pr_auc": pr,
            "per_class": per_class, "values": values,
            "confusion": m.confusion_matrix(labels, predicted, labels=range(classes))
            .ravel().tolist()}


def softmax(rng, rows, classes, labels, skill):
    logits = rng.normal(size=(rows, classes)) * 1.5
    logits[np.arange(rows), labels] += skill
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (p / p.sum(axis=1, keepdims=True)).astype(np.float32).astype(np.float64)


def two_columns(p1):
    p1 = p1.astype(np.float32).astype(np.float64)
    return np.stack([1.0 - p1, p1], axis=1)


def regression(prediction, target):
    rows = prediction.astype(np.float32).astype(np.float64)
    wanted = target.astype(np.float32).astype(np.float64)
    return {"outputs": 1 if rows.ndim == 1 else rows.shape[1],
            "predictions": rows.ravel().tolist(), "targets": wanted.ravel().tolist(),
            "values": {"mse": m.mean_squared_error(wanted, rows),
                       "rmse": m.root_mean_squared_error(wanted, rows),
                       "mae": m.mean_absolute_error(wanted, rows),
                       "r2": m.r2_score(wanted, rows)}}


def main():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, 150)
    tied = np.round(np.clip(0.35 * labels + rng.random(150) * 0.7, 0.0, 1.0), 1)
    smooth = np.clip(0.3 * labels + rng.random(150) * 0.7, 0.0, 1.0)
    four = rng.integers(0, 4, 120)
    seven = rng.integers(0, 7, 120)
    seven[seven == 3] = 0  # a class without examples
    p7 = softmax(rng, 120, 7, seven, 1.0)
    cases = {
        "two classes with ties": classification(two_columns(tied), labels, 5),
        "two classes": classification(two_columns(smooth), labels, 5),
        "certain and wrong": classification(
            two_columns(np.array([0.0, 1.0, 1.0, 0.25, 0.75])), np.array([1, 0, 1, 0, 1]), 5),
        "four classes": classification(softmax(rng, 120, 4, four, 1.5), four, 2),
        "seven classes, one absent": classification(p7, seven, 5),
    }
    x = rng.normal(size=90) * 10 + 1000
    y = rng.normal(size=(40, 3)) * [1, 10, 0.1]
    lines = {"large offset": regression(x + rng.normal(size=90), x),
             "three outputs": regression(y + rng.normal(size=y.shape), y),
             "constant targets": regression(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])),
             "constant and right": regression(np.array([2.0, 2.0]), np.array([2.0, 2.0]))}
    out = {"sklearn": sklearn.__version__, "numpy": np.__version__, "bins": BINS,
           "classification": cases, "regression": lines}
    path = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).parents[2] / "tests/golden/train/metrics.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
