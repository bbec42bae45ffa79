// SPDX-License-Identifier: Apache-2.0
// What an encoder writes while it works, owned by the caller: a bounded cache word -> ids and the
// buffers of the merge loop. One per thread; it may be passed to different tokenizers, which empty
// the cache when they find another one's entries. Not thread-safe, never shared, holds no text
// beyond the cached words.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ingot::text {

/// A 2-way set-associative table of 64-byte entries. Words or results that do not fit an entry are
/// not cached. A newcomer takes the place of the older entry of its set.
class WordCache {
 public:
  static constexpr int64_t kKeyBytes = 26;
  static constexpr int64_t kMaxIds = 8;

  /// `entries` is rounded up to a power of two; 0 switches the cache off.
  explicit WordCache(int64_t entries);

  /// Empties the cache unless it was filled by the tokenizer with this fingerprint.
  void bind(uint64_t fingerprint);
  /// The ids of `word`; empty where unknown (no word encodes to nothing).
  [[nodiscard]] std::span<const int32_t> find(std::string_view word, uint64_t hash) const;
  void insert(std::string_view word, uint64_t hash, std::span<const int32_t> ids);
  [[nodiscard]] int64_t capacity() const { return static_cast<int64_t>(entries_.size()); }

 private:
  struct alignas(64) Entry {
    uint32_t tag;
    uint8_t key_size;  // 0: empty
    uint8_t num_ids;
    std::array<char, kKeyBytes> key;
    std::array<int32_t, kMaxIds> ids;
  };
  static_assert(sizeof(Entry) == 64);

  std::vector<Entry> entries_;
  uint64_t fingerprint_ = 0;
};

struct EncodeScratch {
  static constexpr int64_t kDefaultCacheEntries = 65536;  // 4 MiB

  explicit EncodeScratch(int64_t cache_entries = kDefaultCacheEntries) : cache(cache_entries) {}

  WordCache cache;
  // Symbols of the word at hand: a linked list in arrays (see bpe.cpp).
  std::vector<int32_t> symbols;
  std::vector<uint32_t> ranks;
  std::vector<int32_t> next;
  std::vector<int32_t> previous;
  std::vector<uint64_t> heap;
};

}  // namespace ingot::text
