#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Python's csv module as the second opinion on src/data/formats/records.cpp.

    csv_golden.py        writes tests/golden/data/csv.json

Every case is a text and what csv.reader(strict=True) makes of it: its records, or null when it
refuses it. Random texts over an alphabet of the bytes that matter, seed 1, and the cases of RFC 4180.
Needs Python 3.9 or newer, nothing else.
"""

import csv
import io
import json
import pathlib
import platform
import random

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/data/csv.json"

RFC_4180 = [
    "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n",
    "aaa,bbb,ccc\r\nzzz,yyy,xxx",
    "field_name,field_name,field_name\r\naaa,bbb,ccc\r\nzzz,yyy,xxx\r\n",
    "aaa,bbb,ccc",
    '"aaa","bbb","ccc"\r\nzzz,yyy,xxx',
    '"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx',
    '"aaa","b""bb","ccc"',
    "", "\n", "\r\n", "\r", ",", '""', '""""', '"', '"a"b', "a\n\n\nb", " a , b ", '"a"\r"b"',
]


def records(text, quoting):
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True,
                               quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE))
    except csv.Error:
        return None


def main():
    draw = random.Random(1)
    cases = []
    for i in range(3000):
        weights = draw.choice([(4, 2, 2, 1, 1, 1, 1), (1, 1, 6, 1, 1, 0, 0), (8, 2, 0, 2, 1, 1, 1)])
        text = "".join(draw.choices(["a", ",", '"', "\n", "\r", " ", "é"], weights,
                                    k=draw.randrange(1, 24)))
        cases.append((text, draw.random() < 0.8))
    cases = [(text, True) for text in RFC_4180] + cases
    golden = {"python": platform.python_version(),
              "cases": [{"text": text, "quoting": quoting, "records": records(text, quoting)}
                        for text, quoting in cases]}
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":"))
    GOLDEN.write_text(text.replace('},{"text"', '},\n{"text"') + "\n", encoding="utf-8")
    accepted = sum(case["records"] is not None for case in golden["cases"])
    print(f"{GOLDEN}: {len(cases)} cases, {accepted} accepted")


if __name__ == "__main__":
    main()
