#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same text classifier in Keras, and scikit-learn's usual one, on the rows of one of our runs.

    text_peers.py RUN SPLITS [--seeds 5] [--threads 2]

RUN is a finished run of a recipe with one text column, SPLITS the folder of train.csv,
validation.csv and test.csv that `ingot data split` wrote for it. Prints one JSON line per training.

Keras gets what the recipe says: its own Tokenizer fitted on train.csv, the layers with its own
initialisers (which ours equal by default), Adam or SGD, batch size, epochs, validation after every
epoch, the best epoch's weights where the recipe keeps the best. It stops when its ids differ from
those in RUN/data in a single place, so that both sides learn from the same numbers in the same rows.
One thing differs: a last batch that is smaller than the others is a step of its own in Keras, and is
filled up from the next epoch by us.

Needs keras 3, torch, scikit-learn, PyYAML (PyPI).
"""
import argparse
import csv
import json
import os
import pathlib
import sys
import time

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import sklearn
import torch
import yaml
from keras.src.legacy.preprocessing.text import Tokenizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score
from sklearn.pipeline import make_pipeline

from examples_file import read_examples

SPLITS = ("train", "validation", "test")
VERSIONS = {"keras": keras.__version__, "torch": torch.__version__, "numpy": np.__version__,
            "scikit-learn": sklearn.__version__, "python": sys.version.split()[0]}


# ---- rows

def read_csv(path, text, label):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row[text] for row in rows], [row[label] for row in rows]


class Rows:
    """The rows of the three splits as texts and as Keras makes numbers of them."""

    def __init__(self, run, splits, recipe):
        feature, = recipe["table"]["features"]
        self.options = feature["text"]
        label = recipe["table"]["target"]["column"]
        self.texts, self.labels = {}, {}
        for name in SPLITS:
            self.texts[name], self.labels[name] = read_csv(splits / f"{name}.csv", feature["name"],
                                                           label)
        self.classes = sorted(set(self.labels["train"]))
        self.targets = {name: np.array([self.classes.index(label) for label in labels])
                        for name, labels in self.labels.items()}
        self.numbers = self.encode()
        for name in SPLITS:
            self.require_same(read_examples(run / f"data/{name}.examples"), name)

    def encode(self):
        o = self.options
        tokenizer = Tokenizer(num_words=o["words"] or None, oov_token=o["oov"] or None,
                              filters=o["filters"], lower=o["lower"], split=o["split"],
                              char_level=o["char_level"])
        tokenizer.fit_on_texts(self.texts["train"])
        ids = {name: tokenizer.texts_to_sequences(texts) for name, texts in self.texts.items()}
        if o["encode"] == "ids":
            return {name: keras.utils.pad_sequences(rows, o["length"], padding=o["pad"],
                                                    truncating=o["truncate"])
                    for name, rows in ids.items()}
        return {name: tokenizer.sequences_to_matrix(rows, mode=o["encode"]).astype("float32")
                for name, rows in ids.items()}

    def require_same(self, ours, name):
        numbers = next(ours[field] for field in ours.dtype.names if field != "target")
        assert np.array_equal(ours["target"][:, 0], self.targets[name]), f"{name}: other labels"
        if numbers.dtype.kind == "i":
            assert np.array_equal(numbers, self.numbers[name]), f"{name}: other ids"
        else:  # of float64 sums in another order
            assert np.allclose(numbers, self.numbers[name], rtol=1e-6), f"{name}: other weights"


# ---- Keras

def build(recipe, classes):
    """The recipe's list of layers, one after the other."""
    layers = []
    for entry in recipe["layers"]:
        kind = entry["type"]
        if kind == "embedding":
            masked = any(other.get("mask") for other in recipe["layers"])
            layers.append(keras.layers.Embedding(recipe["table"]["features"][0]["text"]["words"],
                                                 entry["size"], mask_zero=masked))
        elif kind == "global_average_pool":
            layers.append(keras.layers.GlobalAveragePooling1D())
        elif kind == "dense":
            layers.append(keras.layers.Dense(entry["units"], activation=entry.get("activation")))
        elif kind == "dropout":
            layers.append(keras.layers.Dropout(entry["rate"]))
        else:
            sys.exit(f"text_peers.py: no translation of layer type {kind}")
    layers.append(keras.layers.Activation("sigmoid" if recipe["layers"][-1]["units"] == 1
                                          else "softmax"))
    return keras.Sequential(layers)


def optimizer_of(train):
    rule = train["optimizer"]
    def number(name):  # PyYAML takes 1e-07 for a text
        return float(rule[name])
    assert train["schedule"]["name"] == "constant" and not float(train["clip_norm"])
    assert not number("weight_decay")
    lr = float(train["lr"])
    if rule["name"] == "adam":
        assert rule["eps_hat"], "Keras' Adam adds eps before the correction: eps_hat: true"
        return keras.optimizers.Adam(lr, number("beta1"), number("beta2"), number("eps"))
    assert rule["name"] == "sgd"
    return keras.optimizers.SGD(lr, number("momentum"), rule["nesterov"])


class KeepBest(keras.callbacks.Callback):
    """The weights of the epoch with the lowest validation loss, put back at the end."""

    def on_train_begin(self, logs=None):
        self.loss, self.weights = np.inf, None

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.loss:
            self.loss, self.weights = logs["val_loss"], self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


def scores(targets, probabilities):
    """As ours calls them; probabilities [rows, classes]."""
    predicted = probabilities.argmax(axis=1)
    probabilities = probabilities.astype("float64")
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # float32 sums to 1 but for rounding
    return {"accuracy": accuracy_score(targets, predicted),
            "recall_macro": recall_score(targets, predicted, average="macro"),
            "f1_macro": f1_score(targets, predicted, average="macro"),
            "log_loss": log_loss(targets, probabilities, labels=range(probabilities.shape[1]))}


def train_keras(recipe, rows, seed):
    keras.utils.set_random_seed(seed)
    train = recipe["train"]
    model = build(recipe, rows.classes)
    is_binary = recipe["layers"][-1]["units"] == 1
    model.compile(optimizer_of(train), metrics=["accuracy"],
                  loss="binary_crossentropy" if is_binary else "sparse_categorical_crossentropy")
    start = time.perf_counter()
    model.fit(rows.numbers["train"], rows.targets["train"], batch_size=train["micro_batch"],
              epochs=int(float(train["epochs"])), shuffle=True, verbose=0,
              validation_data=(rows.numbers["validation"], rows.targets["validation"]),
              callbacks=[KeepBest()] if train["keep_best"] else [])
    seconds = time.perf_counter() - start
    result = {"peer": "keras", "seed": seed, "seconds": seconds}
    for name in ("validation", "test"):
        p = model.predict(rows.numbers[name], verbose=0)
        result[name] = scores(rows.targets[name], np.hstack([1 - p, p]) if is_binary else p)
    return result


# ---- scikit-learn

def train_sklearn(rows):
    """TF-IDF of words (of characters, where ours takes characters) and logistic regression, with
    scikit-learn's defaults but for the number of iterations; the same result for every seed."""
    analyzer = "char" if rows.options["char_level"] else "word"
    model = make_pipeline(TfidfVectorizer(analyzer=analyzer), LogisticRegression(max_iter=1000))
    start = time.perf_counter()
    model.fit(rows.texts["train"], rows.targets["train"])
    result = {"peer": "scikit-learn", "seed": 0, "seconds": time.perf_counter() - start}
    for name in ("validation", "test"):
        result[name] = scores(rows.targets[name], model.predict_proba(rows.texts[name]))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("splits", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = yaml.safe_load((args.run / "recipe.yaml").read_text(encoding="utf-8"))
    rows = Rows(args.run, args.splits, recipe)
    print(json.dumps({"peer": "versions", **VERSIONS}), flush=True)
    print(json.dumps(train_sklearn(rows)), flush=True)
    for seed in range(1, args.seeds + 1):
        print(json.dumps(train_keras(recipe, rows, seed)), flush=True)


if __name__ == "__main__":
    main()
