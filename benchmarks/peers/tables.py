#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables for the text recipes from published data sets; Python's standard library alone.

    benchmarks/peers/tables.py DATA_DIR OUT

DATA_DIR holds the data sets (what INGOT_DATA_DIR names). Written into OUT, as CSV with the columns
label,text:

news_train.csv, news_test.csv   AG News, the 5,000-row sample and the official test rows. The two
    files number the classes differently (0 to 3 and 1 to 4) and cut a row differently (text; title
    and description), so both get the names of classes.txt and "title description".
questions_train.csv, questions_test.csv   TREC's questions with their six coarse classes.
ten_kinds.csv   ten kinds of short English texts, 1,000 different texts of each, in turn: news of
    the world, sports, business and technology (AG News sample), praise and criticism of films
    (SST-2), captions of photographs (Multi30k), and questions for a person, a thing and a
    description (TREC). The first 1,000 of each class in the order of its file.
"""
import csv
import gzip
import io
import itertools
import pathlib
import sys

PER_KIND = 1000
REVIEWS = {"1": "film_praise", "0": "film_criticism"}
QUESTIONS = {"HUM": "question_person", "ENTY": "question_thing", "DESC": "question_description"}


def opened(path, encoding="utf-8"):
    return io.TextIOWrapper(gzip.open(path), encoding, newline="")


def lines(path, encoding="utf-8"):
    with opened(path, encoding) as file:
        return [line.rstrip("\n") for line in file]


def news_train(data):
    names = (data / "ag_news/classes.txt").read_text(encoding="utf-8").split()
    with opened(data / "ag_news/train_subset5000.csv.gz") as file:
        return [(names[int(label)], text) for text, label in csv.reader(file)]


def news_test(data):
    names = (data / "ag_news/classes.txt").read_text(encoding="utf-8").split()
    with opened(data / "ag_news/test.csv.gz") as file:
        return [(names[int(label) - 1], f"{title} {description}")
                for label, title, description in csv.reader(file)]


def questions(path):
    """(coarse class, question) of the lines `COARSE:fine question`."""
    for line in lines(path, "latin-1"):
        label, text = line.split(" ", 1)
        yield label.split(":")[0], text


def questions_train(data):
    return list(questions(data / "trec/TREC.train.gz"))


def questions_test(data):
    return list(questions(data / "trec/TREC.test.gz"))


def kinds(data):
    """(label, text) of every class, in the order of the files."""
    yield from (("news_" + label.replace("Sci/Tech", "technology").lower(), text)
                for label, text in news_train(data))
    for line in lines(data / "sst2/stsa.binary.train.gz"):
        label, text = line.split(" ", 1)
        yield REVIEWS[label], text
    for text in lines(data / "multi30k/train.en.gz"):
        yield "caption", text
    for label, text in questions_train(data):
        if label in QUESTIONS:
            yield QUESTIONS[label], text


def ten_kinds(data):
    """PER_KIND different texts of each class, one of each in turn."""
    seen, rows = set(), {}
    for label, text in kinds(data):
        of_kind, key = rows.setdefault(label, []), " ".join(text.split())
        if len(of_kind) < PER_KIND and key not in seen:
            seen.add(key)
            of_kind.append((label, text))
    assert all(len(of_kind) == PER_KIND for of_kind in rows.values()) and len(rows) == 10
    return list(itertools.chain(*zip(*rows.values())))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for make in (news_train, news_test, questions_train, questions_test, ten_kinds):
        with (out / f"{make.__name__}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("label", "text"))
            rows = make(data)
            writer.writerows(rows)
            print(file.name, len(rows), "rows")


if __name__ == "__main__":
    main()
