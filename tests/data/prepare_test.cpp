// SPDX-License-Identifier: Apache-2.0
// Folders made up by hand go through listing, cleaning, splitting and writing.
#include "data/prepare.h"

#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/faulty_files.h"
#include "base/hash.h"
#include "base/machine.h"
#include "base/message_of.h"
#include "base/team.h"
#include "data/corpus_file.h"
#include "data/made_corpus.h"
#include "data/temp_folder.h"
#include "data/tokenize.h"
#include "text/bpe_train.h"

namespace ingot::data::prepare_test {
namespace {

using made_corpus::config_of;
using made_corpus::put_families;
using made_corpus::words;

// Every byte a token: the most that ids take. What is measured is the process.
TEST(Prepare, HoldsNoMoreCopiesOfAPieceThanItSays) {
  if (testing::kIsSanitized) GTEST_SKIP() << "a sanitizer's memory is part of the program's";
  constexpr int64_t kBeside = 24 << 20;  // caches and buffers that do not grow with the piece
  const TempFolder folder, out;
  const std::string text = words(1, 3'000'000);
  const auto size = std::ssize(text);
  folder.put("one.txt", text);
  DataConfig config = config_of(folder);
  config.max_file.bytes = size;
  config.validation = config.test = 0;
  const auto files = real_files();
  const text::ByteBpe bytes(text::BpeTrainer({257, 2, {"<|endoftext|>"}}).train());
  Team team(1);
  const int64_t before = resident_bytes();
  if (!reset_peak_resident()) GTEST_SKIP() << "the kernel does not allow it here";
  (void)prepare_corpus(*files, config, out.path());
  const ShardInfo shard = tokenize_corpus(*files, corpus_path(out.path(), Split::kTrain), bytes,
                                          sha256_hex("tokenizer"), out.file("train.shard"), team);
  EXPECT_EQ(shard.tokens, size + 1);
  EXPECT_LE(peak_resident_bytes() - before, kPieceCopies * size + kBeside);
}

TEST(Prepare, KeepsNearDuplicatesInOneSplitAndLosesNothing) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  DataConfig config = config_of(folder);
  config.validation = 0.2;
  config.test = 0.1;
  const PrepareReport report = prepare_corpus(*files, config, out.file("clean"));
  EXPECT_EQ(report.split.groups.groups, 40);
  EXPECT_EQ(report.split.groups.documents, 120);
  EXPECT_EQ(report.split.exact_across, 0);
  EXPECT_EQ(report.split.near_pairs_across, 0);

  std::map<std::string, Split> family_split;
  std::set<std::string> paths;
  int64_t total = 0;
  for (int i = 0; i < kSplits; ++i) {
    const auto split = static_cast<Split>(i);
    int64_t bytes = 0;
    for (const Document& d : read_corpus(corpus_path(out.file("clean"), split))) {
      EXPECT_EQ(d.text, read_file(folder.file(d.path)));
      EXPECT_TRUE(paths.insert(d.path).second);
      bytes += std::ssize(d.text);
      if (d.path[0] != 'f') continue;
      const auto [at, added] = family_split.try_emplace(base_name(d.path), split);
      EXPECT_EQ(at->second, split) << d.path;
    }
    EXPECT_EQ(bytes, report.split.bytes[static_cast<size_t>(i)]);
    total += bytes;
  }
  EXPECT_EQ(paths.size(), 220U);
  EXPECT_EQ(total, report.clean.kept_bytes);
  const auto share = [&](Split s) {
    return static_cast<double>(report.split.bytes[static_cast<size_t>(s)]) /
           static_cast<double>(total);
  };
  // fill_split aims at 90 % to 105 % of the share.
  EXPECT_NEAR(share(Split::kTest), 0.1, 0.01);
  EXPECT_NEAR(share(Split::kValidation), 0.2, 0.02);
  EXPECT_EQ(report.to_json()["split"]["train"]["documents"], report.split.documents[0]);
  EXPECT_TRUE(contains(report.table(), "(after cleaning)"));
}

TEST(Prepare, SaysWhyThereIsNoText) {
  const TempFolder folder;
  folder.put("a", "");
  folder.put("b", std::string("\0", 1));
  const auto files = real_files();
  const TempFolder out;
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { prepare_corpus(*files, config_of(folder), out.path()); }),
            "data: no usable text in '" + folder.path() +
                "': 2 files, of them 1 empty, 0 near-empty, 1 binary, 0 not UTF-8, 0 too large, 0 "
                "unreadable; 0 have other extensions, 0 run directories are left out. Check "
                "data.path and data.extensions");
  DataConfig config = config_of(folder);
  config.path = folder.file("none");
  EXPECT_TRUE(
      contains(message_of(Code::kNotFound, [&] { prepare_corpus(*files, config, out.path()); }),
               folder.file("none")));
}

TEST(Prepare, AFullDiskLeavesThePreviousSplit) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  prepare_corpus(*files, config_of(folder), out.path());
  const std::string before = read_file(corpus_path(out.path(), Split::kTrain));
  FaultyFiles faulty(*files, {Fault{.op = FileOp::kWrite, .nth = 20, .tear = true}});
  DataConfig config = config_of(folder);
  config.seed = 5;
  EXPECT_TRUE(contains(message_of(Code::kIo, [&] { prepare_corpus(faulty, config, out.path()); }),
                       "train.jsonl"));
  EXPECT_EQ(read_file(corpus_path(out.path(), Split::kTrain)), before);
}

/// Goes on by one second per look, and may ask for a stop at one of them.
class CountingClock final : public Clock {
 public:
  explicit CountingClock(StopFlag* stop = nullptr, int64_t stop_at = 0)
      : stop_(stop), stop_at_(stop_at) {}
  [[nodiscard]] double now_s() const override {
    if (++looks_ == stop_at_) stop_->request();
    return static_cast<double>(looks_);
  }
  [[nodiscard]] double wall_s() const override { return now_s(); }
  [[nodiscard]] int64_t looks() const { return looks_; }

 private:
  StopFlag* stop_;
  int64_t stop_at_;
  mutable int64_t looks_ = 0;
};

TEST(Prepare, MeasuresCleaningMaskingAndSplittingWhereTheyHappen) {
  const TempFolder folder;
  for (int i = 0; i < 10; ++i) folder.put(std::to_string(i), words(static_cast<uint64_t>(i), 100));
  const TempFolder out;
  const auto files = real_files();
  const CountingClock clock;
  const PrepareSeconds s =
      prepare_corpus(*files, config_of(folder), out.path(), nullptr, &clock).seconds;
  EXPECT_EQ(s.mask, 20.0);   // every text in both passes, one second each
  EXPECT_EQ(s.clean, 11.0);  // 21 looks from the start to the end of the first pass
  EXPECT_EQ(s.split, 11.0);  // the same for the second
  EXPECT_EQ(s.clean + s.mask + s.split, static_cast<double>(clock.looks() - 1));
}

TEST(Prepare, AStopBetweenFilesLeavesThePreviousSplits) {
  const TempFolder folder;
  put_families(folder);
  const TempFolder out;
  const auto files = real_files();
  const CountingClock whole;
  prepare_corpus(*files, config_of(folder), out.path(), nullptr, &whole);
  const std::string before = read_file(corpus_path(out.path(), Split::kTrain));
  DataConfig config = config_of(folder);
  config.seed = 5;
  for (const int64_t look : {int64_t{3}, whole.looks() / 2 + 5}) {  // in the first and second pass
    StopFlag stop;
    const CountingClock clock(&stop, look);
    EXPECT_EQ(message_of(Code::kCancelled,
                         [&] { prepare_corpus(*files, config, out.path(), &stop, &clock); }),
              "stopped by a signal");
    EXPECT_LT(clock.looks(), look + 5);
    EXPECT_EQ(read_file(corpus_path(out.path(), Split::kTrain)), before);
  }
}

TEST(SlowPrepare, ALineOfMoreThanTwoGibibytesIsSplitOrSkipped) {
  constexpr int64_t kLine = (int64_t{1} << 31) + 1;  // no int32 holds it
  constexpr int64_t kNeeded = int64_t{6} << 30;
  const TempFolder folder;
  if (free_disk_bytes(folder.path()) < kNeeded) {
    GTEST_SKIP() << "needs 6 GiB free in " << folder.path();
  }
  folder.put("small.txt", words(1, 100));
  {
    std::ofstream line(folder.file("line.txt"), std::ios::binary);
    std::string block;
    for (int64_t left = kLine, number = 0; left > 0; left -= std::ssize(block)) {
      block.clear();
      while (std::ssize(block) < 1 << 20) block += "w" + std::to_string(number++) + " ";
      block.resize(static_cast<size_t>(std::min<int64_t>(left, std::ssize(block))));
      line.write(block.data(), std::ssize(block));
    }
    ASSERT_TRUE(line.good());
  }
  ASSERT_EQ(file_size(folder.file("line.txt")), kLine);
  const TempFolder out;
  const auto files = real_files();
  DataConfig config = config_of(folder);
  config.validation = config.test = 0;
  const CleanReport split = prepare_corpus(*files, config, out.path()).clean;
  EXPECT_EQ(split.large_split.count, 1);
  EXPECT_EQ(split.large_split.bytes, kLine);
  EXPECT_EQ(split.near_empty.count, 1);  // the one byte that is left for the last piece
  EXPECT_EQ(split.kept_bytes, kLine - 1 + file_size(folder.file("small.txt")));
  EXPECT_EQ(split.kept_documents, 1 + kLine / config.max_file.bytes);
  EXPECT_GT(file_size(corpus_path(out.path(), Split::kTrain)), kLine);
  config.large_files = LargeFiles::kSkip;
  const CleanReport skipped = prepare_corpus(*files, config, out.path()).clean;
  EXPECT_EQ(skipped.large_skipped.count, 1);
  EXPECT_EQ(skipped.large_skipped.bytes, kLine);
  EXPECT_EQ(skipped.kept_documents, 1);
}

}  // namespace
}  // namespace ingot::data::prepare_test
