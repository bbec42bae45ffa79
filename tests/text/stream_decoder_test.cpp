// SPDX-License-Identifier: Apache-2.0
// Pieces against the whole: what is pushed one id at a time must add up to the text at once.
#include "text/stream_decoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "text/text_samples.h"

namespace ingot::text::stream_decoder_test {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

class StreamDecoderTest : public testing::Test {
 protected:
  // One piece per byte of `bytes`, then what finish() gives.
  std::vector<std::string> pieces(std::string_view bytes) const {
    StreamDecoder stream(bpe_);
    std::vector<std::string> out;
    for (const char c : bytes) out.push_back(stream.push(*bpe_.token_id({&c, 1})));
    out.push_back(stream.finish());
    return out;
  }

  ByteBpe bpe_{golden_model()};
};

using Pieces = std::vector<std::string>;

TEST_F(StreamDecoderTest, HoldsBackAnUnfinishedCodePoint) {
  EXPECT_EQ(pieces("a\xE4\xB8\xAD!"), (Pieces{"a", "", "", "中", "!", ""}));
  EXPECT_EQ(pieces("\xF0\x9F\x9A\x80"), (Pieces{"", "", "", "🚀", ""}));
  EXPECT_EQ(pieces("\xF0\x9F\x9A"), (Pieces{"", "", "", kReplacement}));
}

TEST_F(StreamDecoderTest, ReplacesOnlyWhatIsCertainlyInvalid) {
  const std::string bad = kReplacement;
  EXPECT_EQ(pieces("\xFF\x80"), (Pieces{bad, bad, ""}));
  EXPECT_EQ(pieces("\xE4\xB8"
                   "A"),
            (Pieces{"", "", bad + "A", ""}));
  EXPECT_EQ(pieces("\xED\xA0\x80"), (Pieces{"", bad + bad, bad, ""}));
  EXPECT_EQ(pieces("\xE4\xE4\xB8\xAD"), (Pieces{"", bad, "", "中", ""}));
}

TEST_F(StreamDecoderTest, PiecesAddUpToTheReplacedWholeText) {
  std::mt19937 rng(23);
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_text(rng, 40, "a \xC3\xA9\xE4\xB8\xAD\xF0\x9F\x9A\x80\xED\xA0");
    const std::vector<int32_t> ids = bpe_.encode(text);
    StreamDecoder stream(bpe_);
    std::string out;
    for (const int32_t id : ids) {
      const std::string piece = stream.push(id);
      ASSERT_TRUE(is_valid_utf8(piece));
      ASSERT_LE(stream.pending().size(), 3U);
      out += piece;
    }
    ASSERT_EQ(out + stream.finish(), replace_invalid_utf8(text));
  }
}

TEST_F(StreamDecoderTest, SkipsSpecialTokensUnlessAsked) {
  StreamDecoder quiet(bpe_);
  EXPECT_EQ(quiet.push(0), "");
  StreamDecoder loud(bpe_, /*skip_special=*/false);
  EXPECT_EQ(loud.push(0), "<|endoftext|>");
}

TEST_F(StreamDecoderTest, StartsAgainAfterFinishAndRefusesUnknownIds) {
  StreamDecoder stream(bpe_);
  EXPECT_EQ(stream.push(*bpe_.token_id("\xE4")), "");
  EXPECT_EQ(stream.finish(), kReplacement);
  EXPECT_EQ(stream.push(*bpe_.token_id("a")), "a");
  expect_error(Code::kInvalidArgument, "decode: id 1013 is outside the vocabulary of 1013",
               [&] { (void)stream.push(1013); });
}

}  // namespace
}  // namespace ingot::text::stream_decoder_test
