// SPDX-License-Identifier: Apache-2.0
// MinHash against the exact Jaccard similarity of the shingle sets, and grouping against a
// brute-force comparison of all pairs.
#include "data/near_duplicates.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ingot::data::near_duplicates_test {
namespace {

// Four standard deviations of 256 independent comparisons at j = 0.5 (0.031 each).
constexpr double kEstimateTolerance = 0.125;

double true_jaccard(const std::string& a, const std::string& b) {
  const std::vector<uint64_t> x = shingles(a);
  const std::vector<uint64_t> y = shingles(b);
  std::vector<uint64_t> both;
  std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
  const auto all = static_cast<double>(x.size() + y.size() - both.size());
  return static_cast<double>(both.size()) / all;
}

std::string random_words(std::mt19937_64& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "w" + std::to_string(random() % 5000) + " ";
  return text;
}

/// `text` with every word replaced with this probability.
std::string edited(std::mt19937_64& random, const std::string& text, double probability) {
  std::string out;
  std::uniform_real_distribution<double> uniform(0, 1);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find(' ', at);
    out += uniform(random) < probability ? "new" + std::to_string(random() % 100000)
                                         : text.substr(at, end - at);
    out += ' ';
    at = end + 1;
  }
  return out;
}

TEST(MinHash, ShinglesAreWordsThreeByThree) {
  EXPECT_EQ(shingles("a b c").size(), 1U);
  EXPECT_EQ(shingles("a b c d").size(), 2U);
  EXPECT_EQ(shingles("a b c a b c a b c").size(), 3U);
  EXPECT_EQ(shingles("a, (b) c\n\td; e->f"), shingles("a b c d e f"));
  EXPECT_EQ(shingles("a b").size(), 1U);
  EXPECT_NE(shingles("a b"), shingles("b a"));
  EXPECT_EQ(shingles("").size(), 1U);
  EXPECT_NE(shingles("!!!"), shingles("???"));
  // One non-ASCII character is one word: two characters and one word make one shingle.
  EXPECT_EQ(shingles("\xe4\xb8\xad\xe6\x96\x87 a").size(), 1U);
}

TEST(MinHash, EstimateIsCloseToTheTrueSimilarity) {
  std::mt19937_64 random(7);
  double bias = 0;
  int pairs = 0;
  for (const int words : {60, 300, 2000}) {
    for (const double probability : {0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.5}) {
      for (int repeat = 0; repeat < 5; ++repeat) {
        const std::string a = random_words(random, words);
        const std::string b = edited(random, a, probability);
        const double estimate = estimate_jaccard(minhash(a), minhash(b));
        // Short texts fill few bins; borrowed bins repeat values, so the spread grows.
        const double tolerance = words < 256 ? 2 * kEstimateTolerance : kEstimateTolerance;
        EXPECT_NEAR(estimate, true_jaccard(a, b), tolerance) << words << " " << probability;
        bias += estimate - true_jaccard(a, b);
        ++pairs;
      }
    }
  }
  EXPECT_NEAR(bias / pairs, 0, 0.02);  // unbiased: the mean error shrinks with the pairs
}

TEST(MinHash, EqualTextsHaveSimilarityOneAndForeignOnesNone) {
  std::mt19937_64 random(8);
  const std::string a = random_words(random, 500);
  EXPECT_EQ(estimate_jaccard(minhash(a), minhash(a)), 1.0);
  EXPECT_LT(estimate_jaccard(minhash(a), minhash(random_words(random, 500))), 0.05);
}

TEST(NearDuplicates, GroupsEqualTheComparisonOfAllPairs) {
  std::mt19937_64 random(9);
  std::vector<Signature> signatures;
  for (int family = 0; family < 30; ++family) {
    const std::string origin = random_words(random, 400);
    for (int copy = 0; copy < 1 + family % 4; ++copy) {
      signatures.push_back(minhash(edited(random, origin, 0.01 * (family % 7))));
    }
  }
  constexpr double kThreshold = 0.7;
  const DuplicateGroups groups = group_near_duplicates(signatures, kThreshold);
  // Reference: repeat the smallest reachable index until nothing changes.
  std::vector<int64_t> expected(signatures.size());
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<int64_t>(i);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < signatures.size(); ++i) {
      for (size_t j = 0; j < signatures.size(); ++j) {
        if (estimate_jaccard(signatures[i], signatures[j]) < kThreshold) continue;
        if (expected[j] < expected[i]) {
          expected[i] = expected[j];
          changed = true;
        }
      }
    }
  }
  EXPECT_EQ(groups.group, expected);
  EXPECT_GT(groups.groups, 5);
  EXPECT_EQ(groups.cut_searches, 0);
  int64_t members = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    members += std::count(expected.begin(), expected.end(), expected[i]) > 1 ? 1 : 0;
  }
  EXPECT_EQ(groups.documents, members);
}

TEST(NearDuplicates, RespectsGroupsGivenFromTheStart) {
  std::mt19937_64 random(10);
  std::vector<Signature> signatures;
  for (int i = 0; i < 4; ++i) signatures.push_back(minhash(random_words(random, 100)));
  const std::vector<int64_t> already{0, 1, 0, 3};
  EXPECT_EQ(group_near_duplicates(signatures, 0.7, already).group,
            (std::vector<int64_t>{0, 1, 0, 3}));
  EXPECT_EQ(group_near_duplicates({}, 0.7).groups, 0);
}

TEST(NearDuplicates, AHundredThousandCopiesStayLinear) {
  const std::vector<Signature> signatures(100000, minhash("one text that is copied very often"));
  const DuplicateGroups groups = group_near_duplicates(signatures, 0.7);
  EXPECT_EQ(groups.groups, 1);
  EXPECT_EQ(groups.largest, 100000);
  EXPECT_EQ(groups.pairs, 99999);
}

}  // namespace
}  // namespace ingot::data::near_duplicates_test
