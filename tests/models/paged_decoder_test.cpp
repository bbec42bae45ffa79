// SPDX-License-Identifier: Apache-2.0
// The paged decoder gives a sequence the bytes of the whole-sequence forward pass: token by token,
// in chunks, among other sequences, packed or not, for any number of threads.
#include "models/paged_decoder.h"

#include <algorithm>
#include <numeric>

#include "base/message_of.h"
#include "models/model_testing.h"

namespace ingot::testing::paged_decoder_test {
namespace {

using models::DecodeRow;
using models::ModelLayout;

constexpr int64_t kContext = 150;  // three pages of 64 tokens
constexpr int64_t kLength = 137;
constexpr int64_t kSequences = 8;
constexpr int64_t kVocab = 97;

struct Rig {
  Rig(int workers, ModelLayout layout, bool tied)
      : team(workers),
        engine(team),
        model(engine, small_config(layout, tied, kContext)),
        store(engine, model) {}

  /// Logits of a whole sequence, [length · vocab].
  std::vector<float> whole(const std::vector<int32_t>& ids) {
    const auto n = static_cast<int64_t>(ids.size());
    const Tensor in = Tensor::from<int32_t>(engine, ids, {1, n});
    return model.logits(model.forward(in)).to_vector<float>();
  }

  Team team;
  Engine engine;
  models::Transformer model;
  nn::ParameterStore store;
};

/// Feeds sequences into a decoder and keeps each one's logits.
class Feeder {
 public:
  Feeder(Rig& rig, uint32_t seed)
      : decoder_(rig.engine, rig.model, {kSequences * 3, kSequences, 512}),
        table_(static_cast<size_t>(kSequences * 3)),
        logits(static_cast<size_t>(kSequences)) {
    std::iota(table_.begin(), table_.end(), 0);  // any page may hold any part of any sequence
    std::shuffle(table_.begin(), table_.end(), std::mt19937(seed));
  }

  void add(int32_t sequence, int32_t token) {
    const auto s = static_cast<size_t>(sequence);
    rows_.push_back({token, sequence, static_cast<int32_t>(fed_[s]++), true});
  }
  void run() {
    std::vector<float> out(rows_.size() * kVocab);
    decoder_.forward(rows_, table_, out);
    for (size_t r = 0; r < rows_.size(); ++r) {
      auto& own = logits[static_cast<size_t>(rows_[r].sequence)];
      const auto first = out.begin() + static_cast<std::ptrdiff_t>(r) * kVocab;
      own.insert(own.end(), first, first + kVocab);
    }
    rows_.clear();
  }

 private:
  models::PagedDecoder decoder_;
  std::vector<int32_t> table_;
  std::vector<DecodeRow> rows_;
  std::array<int64_t, kSequences> fed_{};

 public:
  std::vector<std::vector<float>> logits;
};

std::vector<float> token_by_token(Rig& rig, const std::vector<int32_t>& ids) {
  Feeder feeder(rig, 1);
  for (const int32_t id : ids) {
    feeder.add(5, id);
    feeder.run();
  }
  return feeder.logits[5];
}

std::vector<float> in_chunks(Rig& rig, const std::vector<int32_t>& ids) {
  Feeder feeder(rig, 2);
  const size_t sizes[] = {7, 1, 13, 45, 3, 64, 99};
  size_t at = 0;
  for (const size_t size : sizes) {
    for (const size_t end = std::min(ids.size(), at + size); at < end; ++at) feeder.add(0, ids[at]);
    feeder.run();
  }
  return feeder.logits[0];
}

/// The sequence as number 3 of 8, each at its own pace, rows of all in one call.
std::vector<std::vector<float>> among_others(Rig& rig,
                                             const std::vector<std::vector<int32_t>>& all) {
  Feeder feeder(rig, 3);
  std::array<size_t, kSequences> at{};
  for (size_t round = 0; round < 400; ++round) {
    bool is_idle = true;
    for (size_t k = 0; k < all.size(); ++k) {
      const size_t s = (k * 3 + round) % all.size();
      const size_t take = round % (s + 2) == 0 ? 2 * s + 1 : 1;
      for (size_t i = 0; i < take && at[s] < all[s].size(); ++i) {
        feeder.add(static_cast<int32_t>(s), all[s][at[s]++]);
        is_idle = false;
      }
    }
    if (is_idle) break;
    feeder.run();
  }
  return feeder.logits;
}

std::vector<std::vector<int32_t>> sequences() {
  std::vector<std::vector<int32_t>> all;
  for (int64_t s = 0; s < kSequences; ++s) {
    const int64_t length = s == 3 ? kLength : 11 + 17 * s;
    all.push_back(random_ids(length, static_cast<uint32_t>(40 + s)));
  }
  return all;
}

class PagedDecoder : public ::testing::TestWithParam<std::tuple<ModelLayout, bool>> {};

TEST_P(PagedDecoder, GivesTheBytesOfTheWholeSequenceHoweverItIsFed) {
  const auto [layout, tied] = GetParam();
  const auto all = sequences();
  std::vector<std::vector<float>> want;
  for (const int workers : {1, 2, 3}) {
    Rig rig(workers, layout, tied);
    for (const bool is_packed : {false, true}) {
      SCOPED_TRACE(std::to_string(workers) + (is_packed ? " threads, packed" : " threads, plain"));
      if (is_packed) rig.model.prepare_inference();
      if (want.empty()) {
        for (const auto& ids : all) want.push_back(rig.whole(ids));
      }
      ASSERT_TRUE(rig.whole(all[3]) == want[3]) << "the whole sequence";
      ASSERT_TRUE(token_by_token(rig, all[3]) == want[3]) << "token by token";
      ASSERT_TRUE(in_chunks(rig, all[3]) == want[3]) << "in chunks";
      const auto got = among_others(rig, all);
      for (size_t s = 0; s < all.size(); ++s) ASSERT_TRUE(got[s] == want[s]) << "sequence " << s;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, PagedDecoder,
                         ::testing::Values(std::tuple(ModelLayout::kGpt2, true),
                                           std::tuple(ModelLayout::kLlama, true),
                                           std::tuple(ModelLayout::kLlama, false)));

TEST(PagedDecoderRows, OnlyWantedLogitsAreWritten) {
  Rig rig(1, ModelLayout::kLlama, true);
  const std::vector<int32_t> ids = random_ids(9, 3);
  const std::vector<float> whole = rig.whole(ids);
  models::PagedDecoder decoder(rig.engine, rig.model, {3, 1, 16});
  const std::vector<int32_t> table = {2, 0, 1};
  std::vector<DecodeRow> rows;
  for (int32_t i = 0; i < 9; ++i) rows.push_back({ids[static_cast<size_t>(i)], 0, i, i % 4 == 0});
  std::vector<float> out(3 * kVocab);
  decoder.forward(rows, table, out);
  for (const int64_t k : {0, 1, 2}) {
    EXPECT_TRUE(std::equal(out.begin() + k * kVocab, out.begin() + (k + 1) * kVocab,
                           whole.begin() + 4 * k * kVocab));
  }
  for (DecodeRow& row : rows) row.wants_logits = false;
  decoder.forward(rows, table, {});
  decoder.forward({}, table, {});
}

TEST(PagedDecoderRows, SpecDescribesTheModelAndBadOptionsAreRefused) {
  Rig rig(1, ModelLayout::kLlama, true);
  const models::PagedDecoder decoder(rig.engine, rig.model, {5, 2, 16});
  const models::DecoderSpec spec = decoder.spec();
  EXPECT_EQ(spec.vocab, kVocab);
  EXPECT_EQ(spec.context, kContext);
  EXPECT_EQ(spec.page_tokens, 64);
  EXPECT_EQ(spec.pages, 5);
  EXPECT_EQ(spec.max_sequences, 2);
  EXPECT_EQ(spec.max_rows, 16);
  EXPECT_EQ(spec.page_bytes, 2 * 2 * 2 * 10 * 64 * 4);  // k and v, layers, kv heads, head size
  EXPECT_EQ(message_of([&] {
              models::PagedDecoder(rig.engine, rig.model, {0, 1, 1});
            }),
            "decoder: pages 0, max_sequences 1 and max_rows 1 must be positive");
}

}  // namespace
}  // namespace ingot::testing::paged_decoder_test
