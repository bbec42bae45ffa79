// SPDX-License-Identifier: Apache-2.0
// Lines of a corpus file: every text round-trips, broken lines are named; and the compressors'
// sizes against those of the gzip and xz programs (the commands stand beside the numbers).
#include "data/corpus_file.h"

#include <gtest/gtest.h>

#include "data/compressors.h"
#include "data/temp_folder.h"
#include "data/tokenize.h"

namespace ingot::data::corpus_file_test {
namespace {

TEST(CorpusFile, EveryTextRoundTrips) {
  const TempFolder folder;
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<std::string> texts{"",
                                       "plain\n",
                                       "quote \" back\\slash \t\r\x01\x7f",
                                       "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80",
                                       all,
                                       "\xff",
                                       "ab\xff",
                                       "abc\xff",
                                       std::string(300000, '\x80'),
                                       std::string(3000000, 'x')};
  std::string content;
  for (const std::string& text : texts) content += corpus_line("p/\"q\"", text);
  CorpusReader reader(folder.put("c.jsonl", content));
  Document document;
  for (const std::string& text : texts) {
    ASSERT_TRUE(reader.next(document));
    EXPECT_EQ(document.path, "p/\"q\"");
    EXPECT_EQ(document.text, text);
  }
  EXPECT_FALSE(reader.next(document));
  EXPECT_FALSE(reader.next(document));
  EXPECT_EQ(corpus_line("a", "b\n"), "{\"path\": \"a\", \"text\": \"b\\n\"}\n");
}

TEST(CorpusFile, BrokenLinesAreNamed) {
  const TempFolder folder;
  const auto read = [&](const std::string& content) {
    const std::string path = folder.put("c.jsonl", content);
    std::string message = message_of(Code::kCorruptFile, [&] { (void)read_corpus(path); });
    const size_t at = message.find(path);
    return at == std::string::npos ? message : message.replace(at, path.size(), "C");
  };
  const std::string good = corpus_line("a", "b");
  EXPECT_EQ(read(good + good.substr(0, 10)),
            "C: line 2 has no line end: the file is truncated; run the data stage again");
  EXPECT_TRUE(contains(read(good + "{\"path\": \n"), "C: line 2"));
  EXPECT_EQ(read("{\"path\": \"a\"}\n"), "C: line 1: \"text\" is missing");
  EXPECT_TRUE(contains(read("{\"path\": 1, \"text\": \"\"}\n"),
                       "C: line 1: \"path\" must be a string, is "));
  EXPECT_EQ(read("{\"path\": \"a\", \"base64\": \"abc\"}\n"),
            "C: line 1: \"base64\" is not base64 (RFC 4648, padded to a multiple of 4 characters)");
  EXPECT_EQ(read("{\"path\": \"a\", \"base64\": \"a*c=\"}\n"),
            "C: line 1: \"base64\" is not base64 (RFC 4648, padded to a multiple of 4 characters)");
  EXPECT_TRUE(contains(message_of(Code::kNotFound, [] { (void)read_corpus("/no/such/file"); }),
                       "/no/such/file"));
}

std::string sample(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i)
    text += "line " + std::to_string(i * i % 977) + " of the sample\n";
  return text;
}

TEST(Compressors, SizesEqualThePrograms) {
  // for n in 1000 20000: awk 'BEGIN{for(i=0;i<n;i++) print "line " (i*i%977) " of the sample"}'
  // | gzip -9 | wc -c, and xz -9 (gzip 1.12, xz 5.4.1); n = 0 is the empty input.
  EXPECT_EQ(gzip_size(""), 20);
  EXPECT_EQ(xz_size(""), 32);
  EXPECT_EQ(gzip_size(sample(1000)), 2403);
  EXPECT_EQ(xz_size(sample(1000)), 1884);
  EXPECT_EQ(gzip_size(sample(20000)), 5791);
  EXPECT_EQ(xz_size(sample(20000)), 2012);
}

TEST(Compressors, RatesAreBitsPerByteOfAllText) {
  const std::vector<Document> documents{{"b", sample(500)}, {"a", sample(300)}};
  const CompressorBaselines rates = compressor_baselines(documents);
  const auto bytes = static_cast<double>(sample(500).size() + sample(300).size());
  EXPECT_EQ(rates.text_bytes, static_cast<int64_t>(bytes));
  EXPECT_EQ(rates.documents, 2);
  EXPECT_DOUBLE_EQ(
      rates.gzip_per_file,
      8.0 * static_cast<double>(gzip_size(sample(500)) + gzip_size(sample(300))) / bytes);
  EXPECT_DOUBLE_EQ(rates.gzip_joined,
                   8.0 * static_cast<double>(gzip_size(sample(300) + sample(500))) / bytes);
  EXPECT_DOUBLE_EQ(rates.xz_joined,
                   8.0 * static_cast<double>(xz_size(sample(300) + sample(500))) / bytes);
  EXPECT_EQ(compressor_baselines({}).gzip_joined, 0);
}

/// One id per byte, eos is 256: enough of a tokenizer to see what the shard is made of.
class ByteTokenizer final : public text::Tokenizer {
 public:
  explicit ByteTokenizer(bool with_eos) {
    if (with_eos) specials_.eos = 256;
  }
  void encode(std::string_view text, text::Added added, text::EncodeScratch&,
              std::vector<int32_t>& out) const override {
    EXPECT_EQ(added, text::Added::kPlain);
    require(text != "explode", Code::kInternal, "tokenizer: exploded");
    for (const char c : text) out.push_back(static_cast<unsigned char>(c));
  }
  [[nodiscard]] int64_t vocab_size() const override { return 257; }
  [[nodiscard]] std::string_view token_bytes(int32_t) const override { return {}; }
  [[nodiscard]] std::optional<int32_t> token_id(std::string_view) const override { return {}; }
  void save(FileSystem&, const std::string&) const override {}
};

const std::string kSha(64, 'a');

TEST(Tokenize, ShardHoldsTheDocumentsInOrderForAnyTeam) {
  const TempFolder folder;
  std::string content;
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back(sample(i % 7));
  texts.push_back(sample(20000));
  for (const std::string& text : texts) content += corpus_line("x", text);
  const std::string corpus = folder.put("c.jsonl", content);
  const auto files = real_files();
  std::string first;
  for (const int workers : {1, 2, 3}) {
    Team team(workers);
    const ShardInfo info =
        tokenize_corpus(*files, corpus, ByteTokenizer(true), kSha, folder.file("s"), team);
    EXPECT_EQ(info.documents, std::ssize(texts));
    const std::string bytes = read_file(folder.file("s"));
    if (workers == 1) first = bytes;
    EXPECT_EQ(bytes, first);
  }
  const ShardReader shard(folder.file("s"));
  for (int64_t d = 0; d < shard.info().documents; ++d) {
    const std::string& text = texts[static_cast<size_t>(d)];
    ASSERT_EQ(shard.document_bytes(d), std::ssize(text));
    std::vector<int32_t> ids(
        static_cast<size_t>(shard.document_start(d + 1) - shard.document_start(d)));
    shard.read(shard.document_start(d), ids);
    ASSERT_EQ(ids.back(), 256);
    ASSERT_EQ(std::string(ids.begin(), ids.end() - 1), text);
  }
}

TEST(Tokenize, ErrorsLeaveNoShard) {
  const TempFolder folder;
  const auto files = real_files();
  Team team(2);
  const std::string corpus =
      folder.put("c.jsonl", corpus_line("a", sample(100)) + corpus_line("b", "explode"));
  const auto tokenize = [&](bool with_eos) {
    (void)tokenize_corpus(*files, corpus, ByteTokenizer(with_eos), kSha, folder.file("s"), team);
  };
  EXPECT_EQ(message_of(Code::kInternal, [&] { tokenize(true); }), "tokenizer: exploded");
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { tokenize(false); }),
            "tokenize: the tokenizer names no eos token; documents of " + corpus +
                " could not be told apart. Set eos_token in tokenizer_config.json");
  EXPECT_FALSE(file_exists(folder.file("s")));
}

TEST(Tokenize, StopsBetweenBlocksAndLeavesNoShard) {
  const TempFolder folder;
  const auto files = real_files();
  Team team(1);
  const std::string corpus = folder.put("c.jsonl", corpus_line("a", sample(100)));
  StopFlag stop;
  stop.request();
  EXPECT_EQ(message_of(Code::kCancelled,
                       [&] {
                         (void)tokenize_corpus(*files, corpus, ByteTokenizer(true), kSha,
                                               folder.file("s"), team, &stop);
                       }),
            "stopped by a signal");
  EXPECT_FALSE(file_exists(folder.file("s")));
}

}  // namespace
}  // namespace ingot::data::corpus_file_test
