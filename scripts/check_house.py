#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, checked: exits 1 and lists every place that breaks one.

Floors: a file includes only its own room or a lower floor (ARCHITECTURE.md). Independence: the
reference kernels and the fast ones never include each other. No file leans on a local name of its
neighbour. Every source has its test. Sizes, licence lines, dead links, leftovers. Run from anywhere;
takes two seconds; needs Python 3.9.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Dependency level of each room of src/; rooms on one floor never include each other.
FLOORS = {
    "base": 0,
    "kernels": 1, "ledger": 1,
    "tensor": 2,
    "autograd": 3, "io": 3, "text": 3,
    "nn": 4, "data": 4,
    "optim": 5, "models": 5, "dist": 5,
    "train": 6,
    "fit": 7, "tune": 7, "compress": 7, "privacy": 7, "explain": 7, "cost": 7,
    "serve": 8, "report": 8,
    "web": 9,
    "cli": 10,
}

# A source whose test is not tests/<room>/<stem>_test.cpp: "source  test  reason" per line.
COVERED_ELSEWHERE = "tests/covered_elsewhere.txt"

MAX_LINES = 800    # an error beyond
GOAL_LINES = 500   # listed beyond: split when next touched
GOAL_HEADER = 200
MAX_FUNCTION = 60  # lines from the first of the signature to the closing brace
MAX_PARAMETERS = 7

CODE = {".h", ".cpp", ".cu"}
SPDX = "SPDX-License-Identifier: Apache-2.0"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# What an anonymous namespace declares at the margin: `Type name(`, `struct Name`, `Type kName`.
LOCAL = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
LOCAL_NAME = re.compile(r"^(?:[\w:].*?\b(?![A-Z0-9_]+\()(\w+)\(|(?:struct|class|enum class) (\w+)|"
                        r"[\w:].*? (k[A-Z]\w*)\b)", re.MULTILINE)
USED = re.compile(r"(?<![\w.>:~])(\w+)\(|\b([A-Zk]\w+)")
UNREAD = re.compile(r'//[^\n]*|R"\w*\(.*?\)\w*"|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
SUITE = re.compile(r"^TEST\w*\(\w+", re.MULTILINE)
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Words that only whoever wrote the line could follow.
WORKSHOP = re.compile(r"\bissue #?\d+\b|\bas (requested|instructed)\b", re.IGNORECASE)
PRINTING = re.compile(r"\bstd::(cout|cerr|exit|abort|quick_exit)\b|(?<![\w:.>])(f?printf|puts|exit)\s*\(|"
                      r"\bfmt::print\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
QUOTED_PATH = re.compile(r"`((?:src|tests|docs|scripts|cmake|recipes|examples|benchmarks)/[^`\s]*)`")
DOCS = ("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


class House:
    def __init__(self):
        self.errors = []
        self.notes = []
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        self.files = sorted({pathlib.PurePosixPath(name) for name in listing
                             if (ROOT / name).is_file()})
        self.text = {}

    def read(self, path):
        """The text of a file, or None when it is not text."""
        if path not in self.text:
            try:
                self.text[path] = (ROOT / path).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                self.text[path] = None
        return self.text[path]

    def error(self, path, line, message):
        self.errors.append(f"{path}:{line}: {message}")

    def sources(self, top):
        return [p for p in self.files if p.parts[0] == top and p.suffix in CODE]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_includes(house):
    for path in house.sources("src"):
        if len(path.parts) < 3 or path.parts[1] not in FLOORS:
            house.error(path, 1, "not in a room with a floor; rooms are listed in "
                                 "scripts/check_house.py and ARCHITECTURE.md")
            continue
        room, text = path.parts[1], house.read(path)
        for match in INCLUDE.finditer(text):
            target, line = match.group(1), line_of(text, match.start())
            other = target.split("/")[0]
            if other == "hwy":  # Highway asks for quotes around its headers
                continue
            if other not in FLOORS or not (ROOT / "src" / target).is_file():
                house.error(path, line, f'includes "{target}": no such file under src/; paths are '
                                        'written from src/, libraries in <>')
            elif other != room and FLOORS[other] >= FLOORS[room]:
                house.error(path, line, f'includes "{target}": {other} is on floor {FLOORS[other]}, '
                                        f'{room} on {FLOORS[room]}')
            check_independence(house, path, line, target)


def check_independence(house, path, line, target):
    """A reference that shared code with the kernel it judges would share its faults."""
    sides = ("kernels/reference/", "kernels/cpu/", "kernels/cuda/")
    here = "/".join(path.parts[1:])
    for side in sides:
        for other in sides:
            if side != other and here.startswith(side) and target.startswith(other):
                house.error(path, line, f'includes "{target}": implementations of kernels share '
                                        'the contracts in src/kernels/*.h and nothing else')


def local_names(text):
    """The functions, types and constants that a file keeps in anonymous namespaces."""
    return {name for part in LOCAL.finditer(text) for match in LOCAL_NAME.finditer(part.group(1))
            for name in match.groups() if name}


def own_headers(house, path, files):
    """The headers of ours that a file sees."""
    seen, open_ = set(), [path]
    while open_:
        for match in INCLUDE.finditer(house.read(open_.pop())):
            for top in ("src", "tests"):
                header = pathlib.PurePosixPath(top, match.group(1))
                if header in files and header not in seen:
                    seen.add(header)
                    open_.append(header)
    return seen


def declares(text, name):
    """Whether a name is also given to something in the file itself."""
    return re.search(r"(?:\w|[\w>][&*>])(?<!\breturn)(?<!\belse)(?<!\bcase)(?<!\bthrow)(?<!\bnew)"
                     rf"\s+{name}\b|\b{name} =(?!=)|using [\w:]*\b{name}\b", text)


LOCAL_TYPE = re.compile(r"^(?:(?:struct|class|enum class) (\w+)(?! *;)|using (\w+) =|"
                        r"(?:inline |static |constexpr |const )+[\w:<>, ]+?[ &*](k[A-Z]\w*)\b)", re.MULTILINE)


def check_joined(house):
    """Files of a room are compiled together (docs/decisions/0014): every test has a namespace of its
    own, and a type or constant that a source keeps to itself has its name alone in the room."""
    for path in house.sources("tests"):
        if path.name.endswith("_test.cpp") and path.parts[1] != "fuzz":
            if not re.search(rf"^namespace ingot[\w:]*::{path.stem} {{$", house.read(path), re.MULTILINE):
                house.error(path, 1, f'has no namespace "ingot::ROOM::{path.stem}" of its own')
    owners = {}
    for path in house.sources("src"):
        if path.suffix != ".cpp" or path.parts[1] == "kernels":
            continue
        for part in LOCAL.finditer(house.read(path)):
            for match in LOCAL_TYPE.finditer(part.group(1)):
                name = next(filter(None, match.groups()))
                other = owners.setdefault((path.parts[1], name), path)
                if other != path:
                    house.error(path, 1, f'keeps "{name}" to itself, and so does {other}: name one '
                                         'of them after what it is for')


def check_borrowed(house):
    """Joined with its neighbours (docs/decisions/0014) a file would see their local names."""
    files, rooms, words = set(house.files), {}, {}

    def words_of(path):
        if path not in words:
            words[path] = set(re.findall(r"\w+", UNREAD.sub("", house.read(path))))
        return words[path]

    for path in house.sources("src"):
        if path.suffix == ".cpp" and len(path.parts) > 2 and path.parts[1] != "kernels":
            rooms.setdefault(path.parts[:2], []).append(path)
    for sources in rooms.values():
        own = {path: local_names(house.read(path)) for path in sources}
        for path in sources:
            text = SUITE.sub("", UNREAD.sub("", house.read(path)))
            used = {name for match in USED.finditer(text) for name in match.groups() if name}
            of_others = set().union(*(own[other] for other in sources if other != path))
            for name in sorted((used & of_others) - own[path]):
                if declares(text, name) or any(name in words_of(header) for header
                                               in own_headers(house, path, files)):
                    continue
                other = next(other for other in sources if name in own[other])
                house.error(path, 1, f'uses "{name}", a local name of {other}: it is there only '
                                     'when both are compiled together')


def read_covered(house):
    """source -> test, from the list of exceptions."""
    covered = {}
    path = pathlib.PurePosixPath(COVERED_ELSEWHERE)
    if path not in house.files:
        return covered
    for number, line in enumerate(house.read(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3:
            house.error(path, number, "expected: source, test, reason")
            continue
        source, test, _ = parts
        for name in (source, test):
            if not (ROOT / name).is_file():
                house.error(path, number, f"{name} does not exist")
        if has_own_test(house, pathlib.PurePosixPath(source)):
            house.error(path, number, f"{source} has a test of its own: drop this line")
        covered[source] = test
    return covered


def own_test(source):
    return pathlib.PurePosixPath("tests", *source.parts[1:-1], source.stem + "_test.cpp")


def has_own_test(house, source):
    """In the same folder under tests/, or, as for the kernels, at the top of its room."""
    test = own_test(source)
    return test in house.files or pathlib.PurePosixPath("tests", test.parts[1], test.name) in house.files


def check_tests(house):
    covered = read_covered(house)
    for path in house.sources("src"):
        if path.suffix != ".cpp" or len(path.parts) < 3 or str(path) in covered:
            continue
        if not has_own_test(house, path):
            house.error(path, 1, f"has no {own_test(path)} and no line in {COVERED_ELSEWHERE}")


def check_sizes(house):
    for path in house.files:
        text = house.read(path)
        if path.suffix not in CODE or text is None:
            continue
        lines = text.count("\n")
        goal = GOAL_HEADER if path.suffix == ".h" and path.parts[0] == "src" else GOAL_LINES
        if lines > MAX_LINES:
            house.error(path, lines, f"{lines} lines, at most {MAX_LINES}: split it")
        elif lines > goal:
            house.notes.append(f"{path}: {lines} lines, the goal is {goal}")


def definitions(text):
    """(line, signature, lines) of each function defined at the margin or, in a class, one step in.

    Relies on the layout of .clang-format: a definition begins and ends at the same indent, and what
    lies between is indented further.
    """
    lines = text.split("\n")
    for end, closing in enumerate(lines):
        if closing not in ("}", "  }", "  };"):
            continue
        indent = len(closing) - len(closing.lstrip())
        start = end - 1
        while start >= 0 and (not lines[start].strip() or lines[start].startswith("#") or
                              len(lines[start]) - len(lines[start].lstrip()) > indent):
            start -= 1
        head = "\n".join(lines[start:end]).split("{")[0]
        is_function = "(" in head and not re.match(
            r"\s*(//|namespace|struct|class|enum|union|extern|using|\}|public|private|protected)", head)
        if is_function and not re.search(r"=\s*$", head):
            yield start + 1, head, end - start + 1


def parameters(head):
    """How many the first parenthesis of a signature lists."""
    depth, count, seen = 0, 0, False
    for mark in head[head.index("("):]:
        depth += (mark in "(<[{") - (mark in ")>]}")
        if depth == 0:
            break
        seen = seen or not (mark.isspace() or mark in "()")
        count += mark == "," and depth == 1
    return count + 1 if seen else 0


def check_functions(house):
    for path in house.sources("src"):
        for line, head, length in definitions(house.read(path)):
            if length > MAX_FUNCTION:
                house.notes.append(f"{path}:{line}: a function of {length} lines, the goal is "
                                   f"{MAX_FUNCTION}")
            if parameters(head) > MAX_PARAMETERS:
                house.notes.append(f"{path}:{line}: {parameters(head)} parameters, the goal is "
                                   f"{MAX_PARAMETERS}")


def check_lines(house):
    for path in house.files:
        text = house.read(path)
        if text is None:
            continue
        is_code = path.suffix in CODE | {".sh", ".py", ".cmake"} or path.name == "CMakeLists.txt"
        if is_code and SPDX not in "\n".join(text.split("\n", 3)[:3]):
            house.error(path, 1, f'one of the first three lines must read "{SPDX}"')
        if path.name == "check_house.py" or path.parts[:2] == ("tests", "golden"):
            continue
        for rule, what in ((LEFTOVER, "is a leftover: do it or drop it"),
                           (WORKSHOP, "means nothing to a reader of the repository")):
            for match in rule.finditer(text):
                if is_code or path.suffix == ".md":
                    house.error(path, line_of(text, match.start()), f'"{match.group(0)}" {what}')
        if path.suffix == ".h":
            if re.search(r"^\s*using namespace", text, re.MULTILINE):
                house.error(path, 1, "using namespace in a header")
            if "-inl.h" not in path.name and "#pragma once" not in text:
                house.error(path, 1, "a header without #pragma once")


def check_printing(house):
    """The library never prints and never exits: only cli/ does."""
    for path in house.sources("src"):
        if path.parts[1] == "cli":
            continue
        for number, line in enumerate(house.read(path).splitlines(), 1):
            match = PRINTING.search(line.split("//")[0])
            if match:
                house.error(path, number, f'"{match.group(0)}": only src/cli prints and exits')


def check_links(house):
    for path in house.files:
        if path.suffix != ".md":
            continue
        text = house.read(path)
        for match in LINK.finditer(text):
            target = match.group(1)
            if "://" in target or target.startswith("mailto:"):
                continue
            if not (ROOT / path.parent / target).exists():
                house.error(path, line_of(text, match.start()), f"links to {target}: not there")
        if str(path) not in DOCS:
            continue
        for match in QUOTED_PATH.finditer(text):
            target = match.group(1)
            if not re.search(r"[<>{}*…]|\.\.\.", target) and not (ROOT / target).exists():
                house.error(path, line_of(text, match.start()), f"names {target}: not there")


def main():
    house = House()
    for check in (check_includes, check_joined, check_borrowed, check_tests, check_sizes, check_functions,
                  check_lines, check_printing, check_links):
        check(house)
    for note in house.notes:
        print("note:", note)
    for error in house.errors:
        print("error:", error)
    print(f"check_house: {len(house.files)} files, {len(house.errors)} errors, "
          f"{len(house.notes)} notes")
    return 1 if house.errors else 0


if __name__ == "__main__":
    sys.exit(main())
