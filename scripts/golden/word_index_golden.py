#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keras' Tokenizer and Python's str.lower as the second opinion on src/text/word_index.cpp.

    word_index_golden.py                  writes tests/golden/text/word_index.json and lower.json
    INGOT_DATA_DIR=... word_index_golden.py   also tests/golden/data/word_index_real.json

Needs Keras-Preprocessing 1.1.2 (the module behind tf.keras.preprocessing.text), numpy, six. The real
texts are not repeated: the file holds a hash of each text's ids and the ids of the first few.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import sys
import unicodedata

import numpy
numpy.unicode_ = numpy.str_  # the name that the package knows, gone in numpy 2
from keras_preprocessing.sequence import pad_sequences
from keras_preprocessing.text import Tokenizer, tokenizer_from_json

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden"

TEXTS = [
    "The cat sat on the mat.", "The dog ate the cat's food; the cat didn't mind!",
    "", " \t\n ", "a,b;c", "A B C a b c", "don't   stop--me now...", "e-mail me@example.com",
    "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ ΑΣ'Σ Σ", "İstanbul IĞDIR Ǆ ǅ ẞ", "naïve café NAÏVE",
    "non\u00a0breaking space\r\nand\x0bvertical", "日本語 テキスト。中文，测试", "emoji 😀 😀 text",
    "unk the oov <OOV> token", "x" * 300, "1 2 2 3 3 3", "tie1 tie2 tie2 tie1 tie3",
]
NEW = ["the unknown cat sat", "completely different words", "", "a b c d the THE", "ΣΟΦΟΣ istanbul",
       "3 2 1 unk"]

CASES = [
    dict(num_words=None, oov_token=None),
    dict(num_words=None, oov_token="<OOV>"),
    dict(num_words=8, oov_token="<OOV>"),
    dict(num_words=8, oov_token=None),
    dict(num_words=1, oov_token="<OOV>"),
    dict(num_words=5, oov_token="unk"),                      # the token is a rare word as well
    dict(num_words=None, oov_token="the"),                   # and a frequent one
    dict(num_words=20, oov_token="<OOV>", lower=False),
    dict(num_words=30, oov_token="<OOV>", char_level=True),
    dict(num_words=None, oov_token=None, char_level=True, lower=False),
    dict(num_words=15, oov_token="?", filters="", split=" "),
    dict(num_words=40, oov_token="?", filters="，。aé", split="--"),
    dict(num_words=None, oov_token="?", filters=",", split="ab"),
]


def case(options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    ids = tokenizer.texts_to_sequences(TEXTS + NEW)
    result = dict(options=dict(filters=tokenizer.filters, lower=tokenizer.lower,
                               split=tokenizer.split, char_level=tokenizer.char_level,
                               num_words=tokenizer.num_words or 0,
                               oov_token=tokenizer.oov_token or ""),
                  ids=ids, json=tokenizer.to_json())
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.texts_to_sequences(TEXTS + NEW) == ids
    if not options.get("char_level"):
        result["matrix"] = {
            mode: [[round(float(value), 9) for value in row]
                   for row in tokenizer.sequences_to_matrix(ids[:12], mode=mode)]
            for mode in ("binary", "count", "freq", "tfidf")} if options["num_words"] == 8 else {}
    return result


def padded():
    rows = [[1, 2, 3], [], [4], [1, 2, 3, 4, 5, 6, 7]]
    result = []
    for maxlen in (None, 1, 3, 5):
        for padding in ("pre", "post"):
            for truncating in ("pre", "post"):
                for value in (0, 9):
                    out = pad_sequences(rows, maxlen=maxlen, padding=padding, truncating=truncating,
                                        value=value)
                    result.append(dict(maxlen=maxlen or 0, padding=padding, truncating=truncating,
                                       value=value, out=out.tolist()))
    return dict(rows=rows, cases=result)


def ranges(points):
    """[first, last, first, last, ...] of sorted code points."""
    out = []
    for point in points:
        if out and out[-1] == point - 1:
            out[-1] = point
        else:
            out += [point, point]
    return out


def lower():
    """All assigned code points: what they become, and what they do to a sigma beside them."""
    assigned = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    changed = [[c, chr(c).lower()] for c in assigned if chr(c).lower() != chr(c)]
    skip = {0x3a3, 0x3c2}
    assigned_but_sigma = [c for c in assigned if c not in skip]
    def final_where(text):
        return ranges([c for c in assigned_but_sigma if "\u03c2" in text(chr(c)).lower()])
    return dict(python=platform.python_version(), unicode=unicodedata.unidata_version,
                assigned=ranges(assigned), changed=changed,
                final_before=final_where(lambda c: "A\u03a3" + c),
                final_before_letter=final_where(lambda c: "A\u03a3" + c + "A"),
                final_after=final_where(lambda c: c + "\u03a3"),
                final_after_letter=final_where(lambda c: "A" + c + "\u03a3"))


def digest(ids):
    return hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:12]


def real(data):
    with gzip.open(data / "ag_news/train_subset5000.csv.gz") as file:
        news = [row[0] for row in csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))]
    with gzip.open(data / "chnsenticorp/train.tsv.gz") as file:
        lines = file.read().decode("utf-8").rstrip("\n").split("\n")[1:]
        reviews = [line.split("\t", 1)[1] for line in lines]
    result = []
    for name, texts, fit, options in (
            ("ag_news", news, 4000, dict(num_words=10000, oov_token="<OOV>")),
            ("ag_news", news, 4000, dict(num_words=1000, oov_token=None)),
            ("chnsenticorp", reviews, 2000, dict(num_words=3000, oov_token="<OOV>",
                                                 char_level=True))):
        tokenizer = Tokenizer(**options)
        tokenizer.fit_on_texts(texts[:fit])
        new = tokenizer.texts_to_sequences(texts[fit:fit + 1000])
        result.append(dict(data=name, fit=fit, num_words=options["num_words"],
                           oov_token=options["oov_token"] or "",
                           char_level=bool(options.get("char_level")),
                           distinct=len(tokenizer.word_counts),
                           hashes=[digest(ids) for ids in new], first=new[:5],
                           padded=digest(pad_sequences(new, maxlen=50).flatten().tolist())))
    return result


def check(path):
    """What Keras makes of a file written by to_keras_json(): printed for a look."""
    tokenizer = tokenizer_from_json(pathlib.Path(path).read_text(encoding="utf-8"))
    print(tokenizer.num_words, tokenizer.oov_token, len(tokenizer.word_index),
          tokenizer.texts_to_sequences(NEW))


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    print(path, len(text), "bytes")


def main():
    if len(sys.argv) > 1:
        check(sys.argv[1])
        return
    write(GOLDEN / "text/word_index.json",
          dict(keras_preprocessing="1.1.2", texts=TEXTS, new=NEW,
               cases=[case(options) for options in CASES], padded=padded()))
    write(GOLDEN / "text/lower.json", lower())
    if "INGOT_DATA_DIR" in os.environ:
        write(GOLDEN / "data/word_index_real.json",
              dict(keras_preprocessing="1.1.2", cases=real(pathlib.Path(os.environ["INGOT_DATA_DIR"]))))


if __name__ == "__main__":
    main()
