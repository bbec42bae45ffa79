// SPDX-License-Identifier: Apache-2.0
// A table larger than the memory it is allowed: 128 MB of rows that are made while they are read go
// through cleaning, schema, split, fitting and the search for leaks, and the process grows by a
// fraction of that. docs/tables.md has the same with 10 GB.
#include <cstring>

#include <fmt/format.h>

#include "base/machine.h"
#include "base/message_of.h"
#include "data/clean_table.h"
#include "data/leak_check.h"
#include "data/table_split.h"
#include "data/temp_folder.h"
#include "data/transforms/feature_set.h"

namespace ingot::data::table_stream_test {
namespace {

constexpr int64_t kRows = 512 << 10;
constexpr int64_t kRowBytes = 256;
constexpr int64_t kAllowed = 12 << 20;  // two bits per row for the split, samples, sorts, buffers
constexpr int64_t kSort = 1 << 20;      // an eighth of what the hashes of all rows need

/// "number,text,answer" rows of kRowBytes bytes each.
class MadeUpCsv final : public io::ByteSource {
 public:
  int64_t read(std::span<std::byte> out) override {
    size_t filled = 0;
    while (filled < out.size() && (at_ < pending_.size() || next_row())) {
      const size_t take = std::min(out.size() - filled, pending_.size() - at_);
      std::memcpy(out.data() + filled, pending_.data() + at_, take);
      filled += take;
      at_ += take;
    }
    return static_cast<int64_t>(filled);
  }
  void rewind() override {
    row_ = -1;
    pending_.clear();
    at_ = 0;
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  bool next_row() {
    if (row_ == kRows) return false;
    if (row_ < 0) {
      pending_ = "number,text,answer\n";
    } else {
      pending_ = fmt::format("{},word{} and ", row_ * 7919 % 100'003, row_ % 5000);
      const std::string tail = fmt::format(",{}\n", row_ % 1000);
      while (static_cast<int64_t>(pending_.size() + tail.size()) + 5 < kRowBytes)
        pending_ += " more";
      pending_ += tail;
    }
    ++row_;
    at_ = 0;
    return true;
  }

  std::string name_ = "made_up.csv";
  std::string pending_;
  size_t at_ = 0;
  int64_t row_ = -1;
};

TEST(SlowTableStream, MemoryDoesNotGrowWithTheTable) {
  if (testing::kIsSanitized) GTEST_SKIP() << "memory of a sanitized program means nothing";
  if (!reset_peak_resident()) GTEST_SKIP() << "the kernel does not restart the peak";
  const int64_t before = peak_resident_bytes();
  const SortSpace space{kSort, ""};
  TableCleanConfig clean;
  clean.duplicates = Duplicates::kDrop;
  const auto table = std::make_unique<CleanTable>(
      open_table(std::make_unique<MadeUpCsv>(), "made_up.csv"), clean, default_missing(), space);
  const Schema schema = infer_schema(*table);
  EXPECT_EQ(schema.rows, kRows);
  TableSplitConfig split_config;
  const TableSplit split = split_table(*table, split_config);
  TargetConfig target;
  target.column = "answer";
  FeatureSet features(schema, {}, target);
  const FitReport fit =
      features.fit(*table, [&](int64_t row) { return split.at(row) == Split::kTrain; });
  EXPECT_EQ(fit.rows, split.counts[0]);
  LeakCheck leaks(space);
  std::vector<std::string_view> cells;
  for (int64_t row = 0; table->next(cells); ++row) {
    leaks.add(std::span(cells).first(2), split.at(row), table->name(), table->line());
  }
  EXPECT_EQ(leaks.report().rows, kRows);
  const int64_t grown = peak_resident_bytes() - before;
  EXPECT_LT(grown, kAllowed) << "for " << kRows * kRowBytes << " bytes of table";
}

}  // namespace
}  // namespace ingot::data::table_stream_test
