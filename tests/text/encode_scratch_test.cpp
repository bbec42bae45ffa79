// SPDX-License-Identifier: Apache-2.0
#include "text/encode_scratch.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::text::encode_scratch_test {
namespace {

std::vector<int32_t> found(const WordCache& cache, std::string_view word, uint64_t hash) {
  const auto ids = cache.find(word, hash);
  return {ids.begin(), ids.end()};
}

TEST(WordCache, GivesBackWhatWasInserted) {
  WordCache cache(64);
  const std::vector<int32_t> ids = {3, 1, 2};
  cache.insert("word", 77, ids);
  EXPECT_EQ(found(cache, "word", 77), ids);
  EXPECT_TRUE(found(cache, "ward", 77).empty());  // same hash, another word
  EXPECT_TRUE(found(cache, "wor", 77).empty());
}

TEST(WordCache, IsBoundedAndDropsTheOlderOfASet) {
  WordCache cache(2);
  EXPECT_EQ(cache.capacity(), 2);
  const std::vector<int32_t> one = {1};
  for (const char* word : {"a1", "b1", "c1"}) cache.insert(word, 5, one);
  EXPECT_TRUE(found(cache, "a1", 5).empty());
  EXPECT_EQ(found(cache, "b1", 5), one);
  EXPECT_EQ(found(cache, "c1", 5), one);
}

TEST(WordCache, DoesNotKeepLongWordsOrLongResults) {
  WordCache cache(64);
  const std::string longest(WordCache::kKeyBytes, 'x');
  const std::vector<int32_t> most(WordCache::kMaxIds, 4);
  cache.insert(longest, 1, most);
  EXPECT_EQ(found(cache, longest, 1), most);
  cache.insert(longest + "x", 2, most);
  EXPECT_TRUE(found(cache, longest + "x", 2).empty());
  cache.insert("y", 3, std::vector<int32_t>(WordCache::kMaxIds + 1, 4));
  EXPECT_TRUE(found(cache, "y", 3).empty());
}

TEST(WordCache, ForgetsTheWordsOfAnotherTokenizer) {
  WordCache cache(64);
  cache.bind(1);
  cache.insert("word", 9, std::vector<int32_t>{1});
  cache.bind(1);
  EXPECT_FALSE(found(cache, "word", 9).empty());
  cache.bind(2);
  EXPECT_TRUE(found(cache, "word", 9).empty());
}

TEST(WordCache, OfNoEntriesKeepsNothing) {
  WordCache cache(0);
  cache.insert("word", 9, std::vector<int32_t>{1});
  EXPECT_TRUE(found(cache, "word", 9).empty());
}

}  // namespace
}  // namespace ingot::text::encode_scratch_test
