// SPDX-License-Identifier: Apache-2.0
// Shingles are hashed by a rolling polynomial over word hashes and a final mix, so a document costs
// one hash per word whatever the signature size. Bands are found by sorting (key, document), not
// by a hash table: the order of comparisons is then fixed.
#include "data/near_duplicates.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace ingot::data {
namespace {

constexpr int64_t kBandRows = 4;
constexpr int64_t kBands = kSignatureSize / kBandRows;
constexpr int64_t kMaxSteps = 512;                 // comparisons per document and band
constexpr uint64_t kBase = 0x9e3779b97f4a7c15ULL;  // odd, so multiplying loses nothing
constexpr uint64_t kEmpty = ~uint64_t{0};

constexpr uint64_t power(uint64_t base, int64_t exponent) {
  uint64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i) result *= base;
  return result;
}

bool is_word(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// End of the word at `begin`, or `begin` when none starts there.
size_t word_end(std::string_view text, size_t begin) {
  size_t end = begin;
  if (static_cast<unsigned char>(text[begin]) >= 0x80) {
    do ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U);
    return end;
  }
  while (end < text.size() && is_word(static_cast<unsigned char>(text[end]))) ++end;
  return end;
}

template <class Body>
void for_each_shingle(std::string_view text, const Body& body) {
  constexpr uint64_t kDrop = power(kBase, kShingleWords);
  std::array<uint64_t, kShingleWords> ring{};
  uint64_t rolling = 0;
  int64_t words = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = word_end(text, at);
    if (end == at) {
      ++at;
      continue;
    }
    const uint64_t hash = hash64(text.substr(at, end - at));
    uint64_t& oldest = ring[static_cast<size_t>(words % kShingleWords)];
    rolling = rolling * kBase + hash - oldest * kDrop;
    oldest = hash;
    ++words;
    if (words >= kShingleWords) body(mix64(rolling));
    at = end;
  }
  if (words == 0) {
    body(mix64(hash64(text)));
  } else if (words < kShingleWords) {
    body(mix64(rolling));
  }
}

struct UnionFind {
  explicit UnionFind(int64_t size) : parent(static_cast<size_t>(size)) {
    std::iota(parent.begin(), parent.end(), int64_t{0});
  }
  int64_t root(int64_t i) {
    while (parent[static_cast<size_t>(i)] != i) {
      int64_t& up = parent[static_cast<size_t>(i)];
      up = parent[static_cast<size_t>(up)];
      i = up;
    }
    return i;
  }
  /// The smaller index becomes the root: group ids do not depend on the order of unions.
  bool join(int64_t a, int64_t b) {
    a = root(a);
    b = root(b);
    if (a == b) return false;
    parent[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
    return true;
  }
  std::vector<int64_t> parent;
};

using BandEntry = std::pair<uint64_t, int64_t>;  // key of the band, document

/// Compares the documents of one band bucket, sorted by index. Members are kept by component, so
/// that a document which matched one of a thousand copies is not held against the other 999.
void join_bucket(std::span<const BandEntry> bucket, std::span<const Signature> signatures,
                 double threshold, UnionFind& sets, DuplicateGroups& result) {
  std::vector<std::vector<int64_t>> parts;
  for (const BandEntry& entry : bucket) {
    const int64_t a = entry.second;
    const auto similar = [&](int64_t b) {
      return estimate_jaccard(signatures[static_cast<size_t>(a)],
                              signatures[static_cast<size_t>(b)]) >= threshold;
    };
    int64_t steps = 0;
    std::vector<int64_t>* home = nullptr;
    for (std::vector<int64_t>& part : parts) {
      if (++steps > kMaxSteps) break;
      if (sets.root(part[0]) != sets.root(a)) {
        const int64_t room = std::min<int64_t>(std::ssize(part), kMaxSteps - steps);
        const auto match = std::find_if(part.begin(), part.begin() + room, similar);
        steps += match - part.begin();
        if (match == part.begin() + room) continue;
        sets.join(a, *match);
        result.pairs += 1;
      }
      if (home == nullptr) home = &part;
    }
    if (steps >= kMaxSteps) result.cut_searches += 1;
    if (home == nullptr) home = &parts.emplace_back();
    home->push_back(a);
  }
}

}  // namespace

Signature minhash(std::string_view text) {
  std::array<uint64_t, kSignatureSize> lowest;
  lowest.fill(kEmpty);
  constexpr int kShift = 64 - std::countr_zero(static_cast<uint64_t>(kSignatureSize));
  for_each_shingle(text, [&](uint64_t hash) {
    uint64_t& bin = lowest[hash >> kShift];
    bin = std::min(bin, hash & 0xFFFFFFFFU);
  });
  Signature signature;
  for (size_t i = 0; i < signature.size(); ++i) {
    size_t from = i;  // an empty bin borrows from a keyed sequence of bins until one is full
    for (uint64_t attempt = 1; lowest[from] == kEmpty; ++attempt) {
      from = mix64(i * kBase + attempt) % kSignatureSize;
    }
    signature[i] = static_cast<uint32_t>(lowest[from]);
  }
  return signature;
}

std::vector<uint64_t> shingles(std::string_view text) {
  std::vector<uint64_t> all;
  for_each_shingle(text, [&](uint64_t hash) { all.push_back(hash); });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

double estimate_jaccard(const Signature& a, const Signature& b) {
  int32_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(kSignatureSize);
}

DuplicateGroups group_near_duplicates(std::span<const Signature> signatures, double threshold,
                                      std::span<const int64_t> already) {
  const int64_t count = static_cast<int64_t>(signatures.size());
  INGOT_ASSERT(already.empty() || already.size() == signatures.size());
  DuplicateGroups result;
  UnionFind sets(count);
  for (size_t i = 0; i < already.size(); ++i) sets.join(static_cast<int64_t>(i), already[i]);

  std::vector<BandEntry> entries(signatures.size());
  for (int64_t band = 0; band < kBands; ++band) {
    for (size_t i = 0; i < signatures.size(); ++i) {
      const std::span<const uint32_t> rows =
          std::span(signatures[i]).subspan(static_cast<size_t>(band * kBandRows), kBandRows);
      entries[i] = {hash64(std::as_bytes(rows)), static_cast<int64_t>(i)};
    }
    std::sort(entries.begin(), entries.end());
    for (size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
      while (end < entries.size() && entries[end].first == entries[begin].first) ++end;
      if (end - begin < 2) continue;
      join_bucket(std::span(entries).subspan(begin, end - begin), signatures, threshold, sets,
                  result);
    }
  }

  std::vector<int64_t> sizes(signatures.size());
  result.group.resize(signatures.size());
  for (int64_t i = 0; i < count; ++i) {
    const int64_t root = sets.root(i);
    result.group[static_cast<size_t>(i)] = root;
    sizes[static_cast<size_t>(root)] += 1;
  }
  for (const int64_t size : sizes) {
    if (size < 2) continue;
    result.groups += 1;
    result.documents += size;
    result.largest = std::max(result.largest, size);
  }
  return result;
}

}  // namespace ingot::data
