// SPDX-License-Identifier: Apache-2.0
// Near-duplicate groups by MinHash. A document is the set of its 3-word shingles; a signature of
// 256 values comes from one-permutation hashing (Li 2012) with optimal densification (Shrivastava
// 2017), so each shingle is hashed once; candidates come from locality-sensitive bands of 4 values
// (64 bands: a pair of similarity 0.7 is missed with probability 2e-8) and are verified by the
// estimated Jaccard similarity; pairs that pass are joined by union-find. Deterministic: depends
// on the texts and their order only. Called by clean.cpp, inspect.cpp and split.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ingot::data {

inline constexpr int64_t kSignatureSize = 256;
inline constexpr int64_t kShingleWords = 3;

using Signature = std::array<uint32_t, kSignatureSize>;

/// A word is a run of ASCII letters, digits and '_', or one non-ASCII character; everything else
/// separates. A text with fewer than three words is one shingle; one without words is the shingle
/// of its bytes. O(text).
[[nodiscard]] Signature minhash(std::string_view text);

/// The hashes minhash() works on, sorted and distinct: the truth estimates are tested against.
[[nodiscard]] std::vector<uint64_t> shingles(std::string_view text);

/// Share of equal values; standard deviation sqrt(j (1 - j) / 256), 0.029 at j = 0.7.
[[nodiscard]] double estimate_jaccard(const Signature& a, const Signature& b);

struct DuplicateGroups {
  std::vector<int64_t> group;  ///< per document: the smallest index of its group
  int64_t groups = 0;          ///< groups with at least two documents
  int64_t documents = 0;       ///< documents in those groups
  int64_t pairs = 0;           ///< verified pairs that joined two groups
  int64_t largest = 0;         ///< documents of the largest group, 0 if none
  int64_t cut_searches = 0;    ///< documents not compared with all of a very full band
};

/// Joins documents with estimate_jaccard >= threshold (0 < threshold <= 1).
/// `already[i]` is the group a document belongs to from the start (pieces of one file), or empty.
[[nodiscard]] DuplicateGroups group_near_duplicates(std::span<const Signature> signatures,
                                                    double threshold,
                                                    std::span<const int64_t> already = {});

}  // namespace ingot::data
