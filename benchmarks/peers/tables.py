#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables for the text recipes from published data sets; Python's standard library alone.

    benchmarks/peers/tables.py DATA_DIR OUT [news] [questions] [ten_kinds]

DATA_DIR holds what `ingot data get ag_news trec sst2 multi30k` (one after the other) brings: the
folders of these names, or the files of the one set themselves; packed (.gz, .xz) or not. Writes into
OUT, as CSV with the columns label,text (all three without a name):

news_train.csv, news_test.csv   AG News, the published 5,000 of its training rows and the official
    test rows. The two files number the classes differently (0 to 3 and 1 to 4) and cut a row
    differently (text; title and description), so both get the names of classes.txt and "title
    description".
questions_train.csv, questions_test.csv   TREC's questions with their six coarse classes.
ten_kinds.csv   ten kinds of short English texts, 1,000 different texts of each, in turn: news of
    the world, sports, business and technology (AG News, the 5,000 rows), praise and criticism of
    films (SST-2), captions of photographs (Multi30k), and questions for a person, a thing and a
    description (TREC). The first 1,000 of each class in the order of its file.
"""
import csv
import gzip
import itertools
import lzma
import pathlib
import sys

PER_KIND = 1000
REVIEWS = {"1": "film_praise", "0": "film_criticism"}
QUESTIONS = {"HUM": "question_person", "ENTY": "question_thing", "DESC": "question_description"}
OPENERS = {"": open, ".gz": gzip.open, ".xz": lzma.open}


def found(data, name):
    """SET/FILE in the folder SET of `data` or in `data` itself, packed or not; None when nowhere."""
    for place in (data / name, data / pathlib.Path(name).name):
        for ending in OPENERS:
            path = place.with_name(place.name + ending)
            if path.is_file():
                return path
    return None


def opened(data, *names, encoding="utf-8"):
    """The first of the files that is there, as text."""
    path = next(filter(None, (found(data, name) for name in names)), None)
    if path is None:
        sys.exit(f"tables.py: {data} holds no {names[0]}. It comes with "
                 f"`ingot data get {pathlib.Path(names[0]).parent}`")
    return OPENERS.get(path.suffix, open)(path, "rt", encoding=encoding, newline="")


def lines(data, name, encoding="utf-8"):
    with opened(data, name, encoding=encoding) as file:
        return [line.rstrip("\n") for line in file]


def news_train(data):
    names = lines(data, "ag_news/classes.txt")
    # The same rows under two names, with and without a line of names.
    with opened(data, "ag_news/train_5000.csv", "ag_news/train_subset5000.csv") as file:
        rows = csv.reader(file)
        return [(names[int(label)], text) for text, label in rows if label != "label"]


def news_test(data):
    names = lines(data, "ag_news/classes.txt")
    with opened(data, "ag_news/test.csv") as file:
        return [(names[int(label) - 1], f"{title} {description}")
                for label, title, description in csv.reader(file)]


def questions(data, name):
    """(coarse class, question) of the lines `COARSE:fine question`."""
    for line in lines(data, name, "latin-1"):
        label, text = line.split(" ", 1)
        yield label.split(":")[0], text


def questions_train(data):
    return list(questions(data, "trec/TREC.train"))


def questions_test(data):
    return list(questions(data, "trec/TREC.test"))


def kinds(data):
    """(label, text) of every class, in the order of the files."""
    yield from (("news_" + label.replace("Sci/Tech", "technology").lower(), text)
                for label, text in news_train(data))
    for line in lines(data, "sst2/stsa.binary.train"):
        label, text = line.split(" ", 1)
        yield REVIEWS[label], text
    for text in lines(data, "multi30k/train.en.gz"):
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


TABLES = {"news": (news_train, news_test), "questions": (questions_train, questions_test),
          "ten_kinds": (ten_kinds,)}


def main():
    wanted = sys.argv[3:] or list(TABLES)
    if len(sys.argv) < 3 or not set(wanted) <= set(TABLES):
        sys.exit(__doc__)
    data, out = map(pathlib.Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    for make in itertools.chain(*(TABLES[name] for name in wanted)):
        rows = make(data)
        with (out / f"{make.__name__}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("label", "text"))
            writer.writerows(rows)
            print(file.name, len(rows), "rows")


if __name__ == "__main__":
    main()
