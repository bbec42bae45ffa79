// SPDX-License-Identifier: Apache-2.0
// The order is that of std::sort, in memory and merged from many runs of a file.
#include "data/external_sort.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace ingot::data {
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
  // 800 kB: in memory, in 13 runs that are read in blocks, in 500 runs.
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

TEST(ExternalSort, OfNothingIsNothing) {
  ExternalSort<1> sort;
  sort.sort();
  ExternalSort<1>::Record record{};
  EXPECT_FALSE(sort.next(record));
}

}  // namespace
}  // namespace ingot::data
