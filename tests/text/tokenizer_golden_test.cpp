// SPDX-License-Identifier: Apache-2.0
// Ids of 1,000 texts as the PyPI package `tokenizers` gives them
// (scripts/golden/tokenizers_golden.py) for our own vocabulary and for GPT-2's.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include "base/json.h"
#include "base/text.h"
#include "text/stream_decoder.h"
#include "text/text_samples.h"
#include "text/tokenizer_json.h"

namespace ingot::text::tokenizer_golden_test {
namespace {

constexpr size_t kTexts = 1000;

std::vector<std::string> golden_lines(std::string_view name) {
  const std::string file = read_file(golden_path(name));
  std::vector<std::string> lines;
  for (const std::string_view line : split(file, '\n')) lines.emplace_back(line);
  lines.pop_back();  // behind the last line end
  return lines;
}

std::vector<std::string> golden_texts() {
  std::vector<std::string> texts;
  for (const std::string& line : golden_lines("texts.txt")) {
    texts.push_back(Json::parse(line).get<std::string>());
  }
  return texts;
}

void expect_ids(const Tokenizer& tokenizer, std::string_view golden) {
  const std::vector<std::string> texts = golden_texts();
  const std::vector<std::string> lines = golden_lines(golden);
  ASSERT_EQ(texts.size(), kTexts);
  ASSERT_EQ(lines.size(), kTexts);
  EncodeScratch scratch;
  for (size_t i = 0; i < kTexts; ++i) {
    std::vector<int32_t> ids;
    tokenizer.encode(texts[i], Added::kMatch, scratch, ids);
    std::vector<std::string> words;
    for (const int32_t id : ids) words.push_back(std::to_string(id));
    ASSERT_EQ(join(words, " "), lines[i]) << "text " << i << ": " << quote_json(texts[i]);
    ASSERT_EQ(tokenizer.decode(ids), texts[i]);
    StreamDecoder stream(tokenizer, /*skip_special=*/false);
    std::string streamed;
    for (const int32_t id : ids) streamed += stream.push(id);
    ASSERT_EQ(streamed + stream.finish(), texts[i]);
  }
}

TEST(TokenizerGolden, TrainingOnTheCorpusWritesTheCommittedFile) {
  const std::string folder = testing::TempDir() + "tokenizer_golden";
  const auto files = real_files();
  make_directories(*files, folder);
  ByteBpe(golden_model()).save(*files, folder);
  EXPECT_TRUE(read_file(join_path(folder, "tokenizer.json")) ==
              read_file(golden_path("tokenizer.json")));
  remove_tree(*files, folder);
}

TEST(TokenizerGolden, IdsEqualThePyPiPackage) {
  expect_ids(*load_tokenizer(golden_path("tokenizer.json")), "ids.txt");
}

std::string read_gzip(const std::string& path) {
  std::string text;
  gzFile file = gzopen(path.c_str(), "rb");
  require(file != nullptr, Code::kNotFound, "read gzip: {} does not open", path);
  std::vector<char> buffer(1 << 16);
  for (int got = 1; got > 0;) {
    got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()));
    text.append(buffer.data(), static_cast<size_t>(std::max(got, 0)));
  }
  gzclose(file);
  return text;
}

// GPT-2's two files as one tokenizer.json.
std::string gpt2_json(const std::string& folder) {
  const std::string file = read_gzip(folder + "/vocab.bpe.gz");
  std::string merges;
  for (const std::string_view line : split(file, '\n')) {
    if (line.empty() || line.starts_with("#version")) continue;
    merges.append(merges.empty() ? "" : ",").append(quote_json(line));
  }
  return R"({"added_tokens": [{"id": 50256, "content": "<|endoftext|>", "special": true}],)"
         R"("pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},)"
         R"("decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": )" +
         read_gzip(folder + "/encoder.json.gz") + R"(, "merges": [)" + merges + "]}}";
}

TEST(TokenizerGolden, Gpt2IdsEqualThePyPiPackage) {
  const char* data = std::getenv("INGOT_DATA_DIR");
  if (data == nullptr) GTEST_SKIP() << "INGOT_DATA_DIR is not set: no GPT-2 vocabulary to read";
  const std::string folder = join_path(data, "tokenizer_gpt2");
  if (!directory_exists(folder)) GTEST_SKIP() << folder << " does not exist";
  const ByteBpe gpt2(parse_tokenizer(gpt2_json(folder), "gpt2"));
  EXPECT_EQ(gpt2.vocab_size(), 50257);
  EXPECT_EQ(gpt2.eos_id(), 50256);
  expect_ids(gpt2, "gpt2_ids.txt");
}

}  // namespace
}  // namespace ingot::text::tokenizer_golden_test
