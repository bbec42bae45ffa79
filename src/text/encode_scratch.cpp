// SPDX-License-Identifier: Apache-2.0
// The low bits of the hash choose the set, the high 32 bits are compared before the key is.
#include "text/encode_scratch.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ingot::text {
namespace {

constexpr size_t kWays = 2;

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

WordCache::WordCache(int64_t entries) {
  if (entries <= 0) return;
  entries_.resize(std::bit_ceil(std::max(static_cast<size_t>(entries), kWays)));
}

void WordCache::bind(uint64_t fingerprint) {
  if (fingerprint == fingerprint_) return;
  fingerprint_ = fingerprint;
  for (Entry& entry : entries_) entry.key_size = 0;
}

std::span<const int32_t> WordCache::find(std::string_view word, uint64_t hash) const {
  if (entries_.empty() || static_cast<int64_t>(word.size()) > kKeyBytes) return {};
  const size_t set = hash & (entries_.size() - 1) & ~(kWays - 1);
  for (size_t way = 0; way < kWays; ++way) {
    const Entry& entry = entries_[set + way];
    if (entry.tag == tag_of(hash) && entry.key_size == word.size() &&
        std::memcmp(entry.key.data(), word.data(), word.size()) == 0) {
      return {entry.ids.data(), entry.num_ids};
    }
  }
  return {};
}

void WordCache::insert(std::string_view word, uint64_t hash, std::span<const int32_t> ids) {
  const bool fits =
      static_cast<int64_t>(word.size()) <= kKeyBytes && static_cast<int64_t>(ids.size()) <= kMaxIds;
  if (entries_.empty() || word.empty() || ids.empty() || !fits) return;
  const size_t set = hash & (entries_.size() - 1) & ~(kWays - 1);
  Entry& newest = entries_[set];
  entries_[set + 1] = newest;
  newest.tag = tag_of(hash);
  newest.key_size = static_cast<uint8_t>(word.size());
  newest.num_ids = static_cast<uint8_t>(ids.size());
  std::copy(word.begin(), word.end(), newest.key.begin());
  std::copy(ids.begin(), ids.end(), newest.ids.begin());
}

}  // namespace ingot::text
