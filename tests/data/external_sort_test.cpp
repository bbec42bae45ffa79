// SPDX-License-Identifier: Apache-2.0
// The order is that of std::sort, in memory and merged from many runs of a file, and memory is that
// of the space.
#include "data/external_sort.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/machine.h"
#include "base/message_of.h"

namespace ingot::data::external_sort_test {
namespace {

using Pairs = std::vector<ExternalSort<2>::Record>;

/// Few different first words, so that many records tie in them, and some records twice.
Pairs made_up_pairs(uint64_t count) {
  Pairs records;
  for (uint64_t i = 0; i < count; ++i) records.push_back({mix64(i) % 50, mix64(i / 2)});
  return records;
}

Pairs drained_pairs(ExternalSort<2>& sort) {
  Pairs records;
  for (ExternalSort<2>::Record record{}; sort.next(record);) records.push_back(record);
  return records;
}

TEST(ExternalSort, OrdersInMemoryAndFromAFile) {
  Pairs wanted = made_up_pairs(50'000);
  const Pairs given = wanted;
  std::sort(wanted.begin(), wanted.end());
  // 800 kB: in memory, in 13 runs that are read in blocks, in 500 runs that are merged in pairs.
  for (const int64_t bytes : {int64_t{1} << 20, int64_t{64} << 10, int64_t{1600}}) {
    ExternalSort<2> sort({bytes, ""});
    for (const auto& record : given) sort.add(record);
    EXPECT_EQ(sort.size(), 50'000);
    sort.sort();
    EXPECT_EQ(sort.spilled(), bytes < (1 << 20)) << bytes;
    EXPECT_TRUE(drained_pairs(sort) == wanted) << bytes;
    EXPECT_TRUE(drained_pairs(sort).empty()) << "at the end";
    sort.rewind();
    EXPECT_TRUE(drained_pairs(sort) == wanted) << "again from the start, " << bytes;
  }
}

TEST(ExternalSort, WordsCountFromTheFirstToTheLast) {
  ExternalSort<5> sort({1, ""});  // one record in memory
  sort.add({1, 0, 0, 0, 2});
  sort.add({0, 9, 9, 9, 9});
  sort.add({1, 0, 0, 0, 1});
  sort.sort();
  ExternalSort<5>::Record record{};
  ASSERT_TRUE(sort.next(record));
  EXPECT_EQ(record[0], 0U);
  ASSERT_TRUE(sort.next(record));
  EXPECT_EQ(record[4], 1U);
  ASSERT_TRUE(sort.next(record));
  EXPECT_EQ(record[4], 2U);
  EXPECT_FALSE(sort.next(record));
}

/// What the process grows by while 16 MiB of records are sorted and read again in `bytes`.
int64_t growth_of_a_sort(int64_t bytes) {
  constexpr uint64_t kRecords = uint64_t{1} << 20;
  const int64_t before = peak_resident_bytes();
  ExternalSort<2> sort({bytes, ""});
  for (uint64_t i = 0; i < kRecords; ++i) sort.add({mix64(i), i});
  sort.sort();
  EXPECT_TRUE(sort.spilled());
  uint64_t count = 0, out_of_order = 0;
  ExternalSort<2>::Record last{};
  for (ExternalSort<2>::Record record{}; sort.next(record); last = record, ++count) {
    out_of_order += record < last ? 1U : 0U;
  }
  EXPECT_EQ(count, kRecords);
  EXPECT_EQ(out_of_order, 0U);
  return peak_resident_bytes() - before;
}

// 4 runs whose blocks take the place of the buffer; 64 runs, too many for blocks that a disk likes.
TEST(ExternalSort, TakesTheMemoryOfItsSpaceHoweverManyRecordsThereAre) {
  constexpr int64_t kRoom = int64_t{3} << 19;  // pages that are counted late, the file's name
  for (const int64_t bytes : {int64_t{4} << 20, int64_t{256} << 10}) {
    const bool is_fresh = reset_peak_resident();
    const int64_t growth = growth_of_a_sort(bytes);
    if (is_fresh && !testing::kIsSanitized) {
      EXPECT_LT(growth, bytes + kRoom) << bytes;
    }
  }
}

TEST(ExternalSort, AsksBetweenBlocksWhetherToStop) {
  StopFlag stop;
  ExternalSort<2> sort({1600, "", &stop});
  for (const auto& record : made_up_pairs(1000)) sort.add(record);
  sort.sort();
  ExternalSort<2>::Record record{};
  ASSERT_TRUE(sort.next(record));
  stop.request();
  EXPECT_EQ(testing::code_of([&] { (void)drained_pairs(sort); }), "cancelled");
  ExternalSort<2> filled({1600, "", &stop});
  const auto fill = [&] {
    for (const auto& one : made_up_pairs(1000)) filled.add(one);
  };
  EXPECT_EQ(testing::code_of(fill), "cancelled");
}

TEST(ExternalSort, OfNothingIsNothing) {
  ExternalSort<1> sort;
  sort.sort();
  ExternalSort<1>::Record record{};
  EXPECT_FALSE(sort.next(record));
}

}  // namespace
}  // namespace ingot::data::external_sort_test
