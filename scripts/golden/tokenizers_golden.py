# SPDX-License-Identifier: Apache-2.0
"""Golden files of src/text, from the PyPI package `tokenizers` (written with 0.23.3).

    tokenizers_golden.py --corpus            tests/golden/text/corpus.txt, the training text
    tokenizers_golden.py --ids               ids.txt: what the package says about
                                             tests/golden/text/tokenizer.json (written by us) on texts.txt
    tokenizers_golden.py --gpt2 DIR          gpt2_ids.txt with the vocabulary in DIR (encoder.json.gz,
                                             vocab.bpe.gz)
    tokenizers_golden.py --table             src/text/unicode_table.h

tokenizer.json is what TokenizerGolden.TrainingOnTheCorpusWritesTheCommittedFile saves; --ids also
trains the package on the corpus and fails unless its vocabulary and merges are the same as ours.
Everything is drawn from one seeded generator, so the files can be made again byte for byte.
"""
import argparse
import gzip
import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "text"
SEED = 20240229
NUM_TEXTS = 1000
VOCAB_SIZE = 1200
EOT = "<|endoftext|>"

SUBJECTS = ["the tokenizer", "a reader", "every thread", "our kernel", "the old server", "no one",
            "the gradient", "she", "they", "a small model", "the corpus", "it", "this function"]
VERBS = ["reads", "doesn't read", "splits", "won't merge", "counts", "has counted", "learns",
         "couldn't learn", "writes", "forgets", "compares", "measures", "allocates"]
OBJECTS = ["the file", "forty-two words", "a page of text", "its own output", "the weights",
           "128 bytes", "three merges", "an empty line", "the vocabulary", "3.14159 seconds",
           "what it's given", "all of the tokens", "the next batch"]
ENDS = [".", ".", ".", "!", "?", ";", " - again.", " (twice).", "...", ", and we're done."]
CODE = ["for (int {v} = 0; {v} < {n}; ++{v}) {{\n  sum += {w}[{v}];\n}}\n",
        "template <class {w}>\nclass {w}_list final : public std::vector<{w}> {{\n public:\n"
        "  explicit {w}_list(size_t n) : size_(n) {{}}\n}};\n",
        "if ({w} == nullptr || {v} >= {n}) return -1;\n",
        "#include <{w}.h>\n#define {w}_MAX 0x{n:04X}\n",
        "def {w}({v}, count={n}):\n\treturn [{v} * {v} for {v} in range(count)]\n",
        "\tauto {w} = std::make_unique<{w}_t>({n}, \"{v}\\n\");  // {w}\n",
        "{{\"{w}\": {n}, \"{v}\": [true, false, null]}}\n"]
NAMES = ["value", "buffer", "node", "rank", "token", "index", "merge_table", "stream", "T"]
CHINESE = ["机器学习", "从文本中学习", "我们", "分词器", "读取文件", "今天天气很好", "数据", "模型",
           "训练需要时间", "的", "和", "不是", "一个", "结果相同", "床前明月光"]
EMOJI = ["🙂", "🚀", "👩‍💻", "❤️", "🇨🇳", "👍🏽", "☕", "✓"]
WORLD = ["naïve café", "Größe", "Привет, мир", "שלום", "مرحبا", "नमस्ते", "こんにちは", "한국어",
         "Ελληνικά", "ไทย", "½ ² Ⅷ ٣", "ﬁn", "e\u0301", "İstanbul", "Đà Nẵng", "𝒳𝒴 𐍈"]
SPACES = [" ", " ", " ", "  ", "   ", "\t", "\n", "\n\n", " \n", "\r\n", "\u00a0", "\u3000", "\u2003",
          " \u00a0", "\u2028", "\x0b", "\x85", "        ", "\u200b", "\ufeff"]
MARKS = ["'s", "'S", "'ll", "''", "'", "'re", "'tis", "’s", "\"", "--", "___", "$", "€", "%", "#!", "@",
         "<|", "|>", EOT, "\x00", "\x1f", "\x7f", "http://example.org/a?b=c&d=1", "\\n", "1,000.50",
         "2024-02-29", "0x1F", "a1b2", "C++", "...", "、", "。", "!=", "<<=", "/*", "*/"]


def sentence(rng):
    return (f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)}"
            f"{rng.choice(ENDS)}")


def code(rng):
    return rng.choice(CODE).format(v=rng.choice("ijkxn"), w=rng.choice(NAMES), n=rng.randrange(5000))


def chinese(rng):
    return "".join(rng.choice(CHINESE) for _ in range(rng.randint(1, 5))) + rng.choice("。，！")


def corpus():
    rng = random.Random(SEED)
    parts = []
    for _ in range(900):
        kind = rng.random()
        if kind < 0.5:
            parts.append(sentence(rng).capitalize() + " ")
        elif kind < 0.8:
            parts.append("\n" + code(rng))
        elif kind < 0.92:
            parts.append(chinese(rng))
        else:
            parts.append(rng.choice(WORLD + EMOJI) + rng.choice(SPACES))
    return "".join(parts)


def random_code_points(rng):
    limits = [0x80, 0x250, 0x800, 0x3000, 0xA000, 0x10000, 0x20000, 0x110000]
    points = []
    while len(points) < rng.randint(1, 8):
        point = rng.randrange(rng.choice(limits))
        if not 0xD800 <= point < 0xE000:
            points.append(chr(point))
    return "".join(points)


def texts():
    rng = random.Random(SEED + 1)
    makers = [sentence, code, chinese, random_code_points,
              lambda r: r.choice(WORLD), lambda r: r.choice(EMOJI), lambda r: r.choice(MARKS),
              lambda r: r.choice(SPACES) * r.randint(1, 4), lambda r: r.choice("aZ =-'\n.0") * r.randint(1, 90)]
    weights = [5, 3, 4, 2, 3, 2, 6, 5, 0.3]
    out = ["", " ", "\n", "a", EOT, EOT + EOT, " " + EOT + " \n", "<|endoftext", "<<|endoftext|>>"]
    while len(out) < NUM_TEXTS:
        pieces = rng.choices(makers, weights, k=rng.randint(1, 3))
        out.append("".join(piece(rng) for piece in pieces))
    return out


def write_lines(name, lines):
    (GOLDEN / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def ids_lines(tokenizer, lines):
    return [" ".join(map(str, tokenizer.encode(text).ids)) for text in lines]


def write_corpus():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    with open(GOLDEN / "corpus.txt", "w", encoding="utf-8", newline="") as file:
        file.write(corpus())
    write_lines("texts.txt", [json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028")
                              .replace("\x85", "\\u0085") for text in texts()])


def check_training(ours):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    peer = Tokenizer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    peer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, min_frequency=2, special_tokens=[EOT],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    peer.train_from_iterator([corpus()], trainer)
    theirs = json.loads(peer.to_str())["model"]
    assert theirs["vocab"] == ours["model"]["vocab"], "the package learns another vocabulary"
    assert theirs["merges"] == ours["model"]["merges"], "the package learns other merges"


def write_ids():
    from tokenizers import Tokenizer
    path = GOLDEN / "tokenizer.json"
    check_training(json.loads(path.read_text(encoding="utf-8")))
    tokenizer = Tokenizer.from_file(str(path))
    lines = ids_lines(tokenizer, texts())
    write_lines("ids.txt", lines)
    for text, line in zip(texts(), lines):
        assert tokenizer.decode([int(i) for i in line.split()], skip_special_tokens=False) == text


def write_gpt2(folder):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    with gzip.open(folder / "encoder.json.gz", "rt", encoding="utf-8") as file:
        vocab = json.load(file)
    with gzip.open(folder / "vocab.bpe.gz", "rt", encoding="utf-8") as file:
        merges = [tuple(line.split()) for line in file.read().split("\n")[1:] if line]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(EOT, special=True, normalized=False)])
    write_lines("gpt2_ids.txt", ids_lines(tokenizer, texts()))


def code_point_class(words, point):
    """0 other, 1 letter, 2 number, 3 white space: does the package join it to a, 1, ! or nothing?"""
    for kind, probe in ((1, "a"), (2, "1"), (0, "!")):
        if len(words.pre_tokenize_str(probe + chr(point))) == 1:
            return kind
    return 3


def write_table():
    from tokenizers.pre_tokenizers import ByteLevel
    words = ByteLevel(add_prefix_space=False, use_regex=True)
    classes = [0 if 0xD800 <= point < 0xE000 else code_point_class(words, point)
               for point in range(0x110000)]
    last = max(point for point, kind in enumerate(classes) if kind)
    blocks, index = [], []
    for begin in range(0, last + 1, 256):
        bits = tuple(sum(classes[w + i] << (2 * i) for i in range(32))
                     for w in range(begin, begin + 256, 32))
        if bits not in blocks:
            blocks.append(bits)
        index.append(blocks.index(bits))

    def rows(items, per):
        return "\n".join("    " + ", ".join(items[i:i + per]) + ","
                         for i in range(0, len(items), per))

    path = ROOT / "src" / "text" / "unicode_table.h"
    head = path.read_text().split("// clang-format off")[0]
    path.write_text(
        head + "// clang-format off\n"
        + f"inline constexpr std::array<uint8_t, {len(index)}> kClassBlock = {{\n"
        + rows([str(i) for i in index], 18) + "\n};\n\n"
        + f"inline constexpr std::array<uint64_t, {len(blocks) * 8}> kClassBits = {{\n"
        + rows([f"0x{word:016X}" for block in blocks for word in block], 4)
        + "\n};\n// clang-format on\n\n}  // namespace ingot::text\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--gpt2", type=pathlib.Path)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.corpus:
        write_corpus()
    if args.ids:
        write_ids()
    if args.gpt2:
        write_gpt2(args.gpt2)
    if args.table:
        write_table()


if __name__ == "__main__":
    main()
