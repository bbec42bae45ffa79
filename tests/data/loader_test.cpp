// SPDX-License-Identifier: Apache-2.0
// The loader against a reference that walks the token stream position by position, coverage of an
// epoch, and the evaluation order. operator new is counted in this test program, so "no
// allocation" is a number.
#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "data/count_new.h"
#include "data/permutation.h"
#include "data/temp_folder.h"

namespace ingot::data::loader_test {
namespace {

constexpr int32_t kEos = 0;

/// A shard with the given document lengths (without eos); token ids grow by one and never repeat
/// below the vocabulary, so a position can be told from its id.
struct Stream {
  explicit Stream(const std::vector<int64_t>& lengths) {
    const auto files = real_files();
    write_atomically(*files, folder.file("s"), [&](WritableFile& file) {
      ShardWriter writer(file, 70000, kEos, sha256_hex("t"));
      int32_t id = 1;
      for (size_t d = 0; d < lengths.size(); ++d) {
        std::vector<int32_t> ids;
        for (int64_t i = 0; i < lengths[d]; ++i) ids.push_back(id++);
        writer.add_document(ids, 3 * lengths[d]);
        tokens.insert(tokens.end(), ids.begin(), ids.end());
        tokens.push_back(kEos);
        owner.resize(tokens.size(), static_cast<int64_t>(d));
      }
      writer.finish();
    });
  }
  TempFolder folder;
  std::vector<int32_t> tokens;
  std::vector<int64_t> owner;  // document of each token
};

struct Buffers {
  Buffers(int64_t batch, int64_t seq)
      : inputs(static_cast<size_t>(batch * seq)),
        targets(inputs),
        doc_start(inputs),
        positions(inputs) {}
  BatchView view() { return {inputs, targets, doc_start, positions}; }
  std::vector<int32_t> inputs, targets, doc_start, positions;
};

/// The document an input belongs to, as the format says it in words.
int64_t input_owner(const Stream& s, size_t at, bool eos_opens) {
  if (eos_opens && s.tokens[at] == kEos) return s.owner[(at + 1) % s.tokens.size()];
  return s.owner[at];
}

/// Checks one row of a batch that starts at stream position `begin`.
void expect_row(const Stream& s, const PackConfig& pack, int64_t begin, const Buffers& b,
                int64_t offset, int64_t seq) {
  const size_t total = s.tokens.size();
  for (int64_t p = 0; p < seq; ++p) {
    const auto i = static_cast<size_t>(offset + p);
    const size_t at = static_cast<size_t>(begin + p) % total;
    const size_t next = (at + 1) % total;
    ASSERT_EQ(b.inputs[i], s.tokens[at]);
    // Walk left while the input before belongs to the same document and is not a new start of it.
    int64_t first = p;
    while (first > 0) {
      const size_t here = static_cast<size_t>(begin + first) % total;
      const size_t before = static_cast<size_t>(begin + first - 1) % total;
      const bool starts =
          pack.eos_opens_document ? s.tokens[here] == kEos : s.tokens[before] == kEos;
      if (starts) break;
      ASSERT_EQ(input_owner(s, here, pack.eos_opens_document),
                input_owner(s, before, pack.eos_opens_document));
      --first;
    }
    ASSERT_EQ(b.doc_start[i], pack.isolate_documents ? first : 0) << "position " << p;
    ASSERT_EQ(b.positions[i], pack.restart_positions ? p - first : p);
    const bool ignored = pack.isolate_documents && !pack.eos_opens_document && s.tokens[at] == kEos;
    ASSERT_EQ(b.targets[i], ignored ? kIgnoreTarget : s.tokens[next]);
  }
}

TEST(Loader, ShowsTheRowOfTheHeaderComment) {
  const Stream s({5, 2, 4});  // a1..a5 . b1 b2 . c1..c4 .  as ids 1..5 0 6 7 0 8..11 0
  const ShardReader shard(s.folder.file("s"));
  const EvalWindows windows(shard, 1, 7);
  Buffers b(1, 7);
  EXPECT_EQ(windows.batch(0, b.view()), 7);
  EXPECT_EQ(b.inputs, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 0}));
  EXPECT_EQ(b.targets, (std::vector<int32_t>{1, 2, 3, 4, 5, 0, 6}));
  EXPECT_EQ(b.doc_start, (std::vector<int32_t>{0, 0, 0, 0, 0, 0, 6}));
  EXPECT_EQ(b.positions, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 0}));
  PackConfig closed;
  closed.eos_opens_document = false;
  const EvalWindows other(shard, 1, 7, 0, closed);
  EXPECT_EQ(other.batch(1, b.view()), 6);
  EXPECT_EQ(b.inputs, (std::vector<int32_t>{6, 7, 0, 8, 9, 10, 11}));
  EXPECT_EQ(b.targets, (std::vector<int32_t>{7, 0, -1, 8 + 1, 10, 11, 0}));
  EXPECT_EQ(b.doc_start, (std::vector<int32_t>{0, 0, 0, 3, 3, 3, 3}));
  EXPECT_EQ(b.positions, (std::vector<int32_t>{0, 1, 2, 0, 1, 2, 3}));
}

TEST(Loader, RowsEqualTheReferenceUnderEveryOption) {
  const Stream s({5, 1, 0, 17, 3, 40, 2, 0, 0, 9});
  const ShardReader shard(s.folder.file("s"));
  for (int options = 0; options < 8; ++options) {
    const PackConfig pack{(options & 1) != 0, (options & 2) != 0, (options & 4) != 0};
    for (const int64_t seq : {int64_t{1}, int64_t{2}, int64_t{7}, int64_t{32}}) {
      const int64_t batch = seq == 32 ? 2 : 3;
      const Loader loader(shard, batch, seq, 11, pack);
      for (int64_t index = 0; index < 40; ++index) {
        Buffers b(batch, seq);
        const int64_t targets = loader.batch(index, b.view());
        for (int64_t row = 0; row < batch; ++row) {
          expect_row(s, pack, loader.window_start(index * batch + row), b, row * seq, seq);
        }
        EXPECT_EQ(targets, batch * seq - std::count(b.targets.begin(), b.targets.end(), -1));
      }
    }
  }
}

TEST(Loader, EveryWindowOfAnEpochComesOnceOnAnEvenGrid) {
  const Stream s({100, 57, 211, 3, 88, 41});
  const ShardReader shard(s.folder.file("s"));
  const auto total = static_cast<int64_t>(s.tokens.size());
  const Loader loader(shard, 4, 7, 5);
  const int64_t windows = loader.windows_per_epoch();
  EXPECT_EQ(windows, total / 7);
  std::set<int64_t> first_starts;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    std::vector<int64_t> starts;
    for (int64_t w = 0; w < windows; ++w) {
      starts.push_back(loader.window_start(epoch * windows + w));
    }
    first_starts.insert(starts[0]);
    EXPECT_FALSE(std::is_sorted(starts.begin(), starts.end()));
    std::sort(starts.begin(), starts.end());
    int64_t wide = 0;  // gaps larger than a window: where the remainder of the division lies
    for (size_t i = 0; i < starts.size(); ++i) {
      const int64_t after = i + 1 < starts.size() ? starts[i + 1] : starts[0] + total;
      if (after - starts[i] != 7) {
        ++wide;
        EXPECT_EQ(after - starts[i], total - 7 * (windows - 1));
      }
    }
    EXPECT_EQ(wide, total % 7 == 0 ? 0 : 1);
  }
  EXPECT_GT(first_starts.size(), 15U);  // epochs differ
}

TEST(Loader, OrderIsAPureFunctionOfSeedAndIndex) {
  const Stream s({100, 57, 211, 3});
  const ShardReader shard(s.folder.file("s"));
  const Loader one(shard, 3, 16, 77);
  const Loader two(shard, 3, 16, 77);
  const Loader other(shard, 3, 16, 78);
  Buffers a(3, 16);
  Buffers b(3, 16);
  bool differs = false;
  for (const int64_t index : {int64_t{9}, int64_t{0}, int64_t{1000000007}, int64_t{9}}) {
    one.batch(index, a.view());
    two.batch(index, b.view());
    EXPECT_EQ(a.inputs, b.inputs);
    EXPECT_EQ(a.targets, b.targets);
    other.batch(index, b.view());
    differs = differs || a.inputs != b.inputs;
  }
  EXPECT_TRUE(differs);
  EXPECT_DOUBLE_EQ(one.epoch_at(46), 46.0 * 3 / static_cast<double>(one.windows_per_epoch()));
}

TEST(Loader, AllocatesNothingPerBatch) {
  const Stream s({100, 57, 211, 3});
  const ShardReader shard(s.folder.file("s"));
  const Loader loader(shard, 4, 16, 1);
  const EvalWindows windows(shard, 4, 16, 8);
  Buffers b(4, 16);
  const int64_t before = allocation_count();
  for (int64_t index = 0; index < 100; ++index) loader.batch(index, b.view());
  for (int64_t index = 0; index < windows.batches(); ++index) windows.batch(index, b.view());
  EXPECT_EQ(allocation_count() - before, 0);
}

TEST(Loader, RefusesCorporaThatAreTooSmall) {
  const Stream none({});
  const ShardReader empty(none.folder.file("s"));
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { const Loader l(empty, 1, 1, 0); }),
            "loader: " + empty.path() +
                " holds 0 tokens: the split is empty; add files, or raise its share of the corpus");
  const Stream s({9});
  const ShardReader shard(s.folder.file("s"));
  const auto refuse = [&](int64_t batch, int64_t seq) {
    std::string message =
        message_of(Code::kInvalidArgument, [&] { const Loader l(shard, batch, seq, 0); });
    const size_t at = message.find(shard.path());
    return at == std::string::npos ? message : message.replace(at, shard.path().size(), "S");
  };
  EXPECT_EQ(refuse(1, 10),
            "loader: S holds 10 tokens, fewer than one window of seq + 1 = 11; set train.seq=9, or "
            "add text");
  EXPECT_EQ(refuse(4, 4),
            "loader: S holds 2 windows of 4 tokens, fewer than one batch of 4; set "
            "train.micro_batch=2, or add text");
  EXPECT_EQ(refuse(4, 10),
            "loader: S holds 10 tokens, fewer than one window of seq + 1 = 11; set "
            "train.micro_batch=1 train.seq=9, or add text");
  EXPECT_EQ(refuse(0, 4), "loader: batch 0 and seq 4 must be positive");
  // The advice works.
  EXPECT_EQ(Loader(shard, 1, 9, 0).windows_per_epoch(), 1);
  EXPECT_EQ(Loader(shard, 2, 4, 0).windows_per_epoch(), 2);
  const auto also = [&](int64_t eval_context) {
    const std::string message = message_of(Code::kInvalidArgument, [&] {
      require_batch(shard, {1, 10}, eval_context);
    });
    return message.find(" train.seq=9 eval.context=-1, or add text") != std::string::npos;
  };
  EXPECT_FALSE(also(8));
  EXPECT_TRUE(also(9));
}

TEST(Loader, TheNearestBatchIsOneThatALoaderTakes) {
  EXPECT_EQ(nearest_batch(1, {1, 1}), std::nullopt);
  EXPECT_EQ(nearest_batch(1000, {4, 200}), (BatchShape{4, 200}));  // what fits stays
  EXPECT_EQ(nearest_batch(1000, {8, 200}), (BatchShape{5, 200}));
  EXPECT_EQ(nearest_batch(1000, {4, 1000}), (BatchShape{4, 250}));
  EXPECT_EQ(nearest_batch(1000, {500, 1000}), (BatchShape{62, 16}));
  for (const int64_t length : {1, 2, 15, 16, 17, 40, 333}) {
    const Stream s({length});
    const ShardReader shard(s.folder.file("s"));
    for (const int64_t batch : {1, 2, 7, 64}) {
      for (const int64_t seq : {1, 5, 16, 32, 332, 333, 334, 500}) {
        const auto nearest = nearest_batch(length + 1, {batch, seq});
        ASSERT_TRUE(nearest.has_value());
        EXPECT_LE(nearest->batch, batch);
        EXPECT_LE(nearest->seq, seq);
        const Loader loader(shard, nearest->batch, nearest->seq, 0);  // does not throw
        EXPECT_GE(loader.windows_per_epoch(), nearest->batch);
      }
    }
  }
}

TEST(Loader, RefusesBuffersOfAnotherShape) {
  const Stream s({50});
  const ShardReader shard(s.folder.file("s"));
  Buffers b(2, 4);
  const Loader loader(shard, 2, 5, 0);
  EXPECT_EQ(message_of(Code::kShapeMismatch, [&] { loader.batch(0, b.view()); }),
            "loader: buffers hold 8 inputs, 8 targets, 8 document starts, 8 positions; batch * seq "
            "is 2 * 5");
}

TEST(EvalWindows, ScoreEveryTokenOnceAndInOrder) {
  for (const std::vector<int64_t>& lengths :
       {std::vector<int64_t>{5, 1, 0, 17, 3, 40, 2}, std::vector<int64_t>{3}, {0}, {15, 16, 15}}) {
    const Stream s(lengths);
    const ShardReader shard(s.folder.file("s"));
    for (const int64_t context : {int64_t{0}, int64_t{3}, int64_t{15}}) {
      const EvalWindows windows(shard, 3, 16, context);
      std::vector<int32_t> scored;
      int64_t total = 0;
      for (int64_t index = 0; index < windows.batches(); ++index) {
        Buffers b(3, 16);
        total += windows.batch(index, b.view());
        std::copy_if(b.targets.begin(), b.targets.end(), std::back_inserter(scored),
                     [](int32_t t) { return t != kIgnoreTarget; });
      }
      EXPECT_EQ(scored, s.tokens) << context;
      EXPECT_EQ(total, std::ssize(s.tokens));
      EXPECT_EQ(windows.scored_tokens(), total);
    }
  }
}

TEST(EvalWindows, GiveContextAndRowsEqualTheReference) {
  const Stream s({5, 1, 0, 17, 3, 40, 2});
  const ShardReader shard(s.folder.file("s"));
  const EvalWindows windows(shard, 2, 16, 6);
  const auto total = static_cast<int64_t>(s.tokens.size());
  for (int64_t index = 0; index < windows.batches(); ++index) {
    Buffers b(2, 16);
    windows.batch(index, b.view());
    for (int64_t row = 0; row < 2; ++row) {
      const int64_t window = index * 2 + row;
      const int64_t begin = window * 10 - 1;
      if (window > 0 && window * 10 + 6 >= total) continue;  // nothing left to score: padding
      for (int64_t p = 0; p < 16 && begin + p + 1 < total; ++p) {
        const auto i = static_cast<size_t>(row * 16 + p);
        EXPECT_EQ(b.inputs[i], s.tokens[static_cast<size_t>((begin + p + total) % total)]);
        const bool is_context = window > 0 && p < 6;
        const int32_t next = s.tokens[static_cast<size_t>(begin + p + 1)];
        EXPECT_EQ(b.targets[i], is_context ? kIgnoreTarget : next);
      }
    }
  }
}

TEST(EvalWindows, ClosedDocumentsLeaveOutFirstTokens) {
  const Stream s({5, 1, 17, 3});
  const ShardReader shard(s.folder.file("s"));
  PackConfig closed;
  closed.eos_opens_document = false;
  const EvalWindows windows(shard, 2, 8, 2, closed);
  int64_t total = 0;
  for (int64_t index = 0; index < windows.batches(); ++index) {
    Buffers b(2, 8);
    total += windows.batch(index, b.view());
  }
  EXPECT_EQ(total, std::ssize(s.tokens) - 4);
  EXPECT_EQ(windows.scored_tokens(), total);
}

TEST(EvalWindows, RefuseBadArguments) {
  const Stream s({5});
  const ShardReader shard(s.folder.file("s"));
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { const EvalWindows w(shard, 1, 8, 8); }),
            "evaluation: context 8 must be at least 0 and below seq 8");
  const Stream none({});
  const ShardReader empty(none.folder.file("s"));
  EXPECT_TRUE(contains(
      message_of(Code::kInvalidArgument, [&] { const EvalWindows w(empty, 1, 8); }), "0 tokens"));
}

TEST(BitsPerByte, DividesByTheBytesOfTheText) {
  const Stream s({5, 2});
  const ShardReader shard(s.folder.file("s"));
  const EvalWindows windows(shard, 1, 4);
  EXPECT_EQ(windows.text_bytes(), 21);
  // A uniform model over 256 tokens: 8 bits per token, 9 tokens (two eos), 21 bytes.
  const double nats = static_cast<double>(windows.scored_tokens()) * std::log(256.0);
  EXPECT_NEAR(bits_per_byte(nats, windows.text_bytes()), 8.0 * 9 / 21, 1e-12);
  EXPECT_EQ(message_of(Code::kInvalidArgument, [] { (void)bits_per_byte(1, 0); }),
            "bits per byte: the text has 0 bytes");
}

TEST(Permutation, IsOneToOneForEverySizeAndDependsOnTheKey) {
  for (int64_t size = 1; size < 300; ++size) {
    const Permutation permutation(size, 42);
    std::set<int64_t> seen;
    for (int64_t i = 0; i < size; ++i) {
      const int64_t to = permutation(i);
      ASSERT_GE(to, 0);
      ASSERT_LT(to, size);
      seen.insert(to);
    }
    ASSERT_EQ(std::ssize(seen), size);
  }
  int64_t same = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    same += Permutation(1000, 1)(i) == Permutation(1000, 2)(i) ? 1 : 0;
  }
  EXPECT_LT(same, 20);  // one of a thousand is expected to agree
}

TEST(Permutation, SpreadsEvenly) {
  // 64 consecutive indices should land in about 64 * (1 - 1/e) of 64 equal parts: 40 +- 3.
  const Permutation permutation(1 << 20, 9);
  double hit = 0;
  for (int64_t block = 0; block < 100; ++block) {
    std::set<int64_t> parts;
    for (int64_t i = 0; i < 64; ++i) parts.insert(permutation(block * 64 + i) >> 14);
    hit += static_cast<double>(parts.size()) / 100;
  }
  EXPECT_NEAR(hit, 40.7, 2);
}

}  // namespace
}  // namespace ingot::data::loader_test
