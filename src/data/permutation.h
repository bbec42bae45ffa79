// SPDX-License-Identifier: Apache-2.0
// A keyed permutation of [0, size) that is computed, not stored: a balanced Feistel network on the
// next even number of bits, walked until it lands inside (Black and Rogaway 2002). Random access
// in O(1), no memory, so the order of an epoch needs no state. Not cryptography. Used by
// loader.cpp.
#pragma once

#include <bit>
#include <cstdint>

#include "base/hash.h"

namespace ingot::data {

class Permutation {
 public:
  /// size >= 1.
  Permutation(int64_t size, uint64_t key)
      : size_(static_cast<uint64_t>(size)),
        key_(key),
        half_bits_((std::bit_width(static_cast<uint64_t>(size) - 1) + 1) / 2) {}

  /// Where `index` goes, 0 <= index < size: expected under four walks.
  [[nodiscard]] int64_t operator()(int64_t index) const {
    auto value = static_cast<uint64_t>(index);
    do value = shuffle(value);
    while (value >= size_);
    return static_cast<int64_t>(value);
  }

 private:
  [[nodiscard]] uint64_t shuffle(uint64_t value) const {
    constexpr uint64_t kRounds = 6;
    const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
    uint64_t left = value >> half_bits_;
    uint64_t right = value & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const uint64_t next = left ^ (mix64(key_ + mix64((right << 8) + round + 1)) & mask);
      left = right;
      right = next;
    }
    return (left << half_bits_) | right;
  }

  uint64_t size_;
  uint64_t key_;
  int half_bits_;
};

}  // namespace ingot::data
