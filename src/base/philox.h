// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10, the counter-based random generator of Salmon et al. (Random123, SC'11): a 128-bit
// counter and a 64-bit key give 128 random bits, with no state, so a number is a pure function of
// what it is for. Tested against Random123's known answers.
// Philox is a stream of numbers for initialisers, samplers and shuffles; kernels that need a number
// per element (dropout) build the counter themselves. Streams and kernels use different keys for
// the same seed. Not for secrets.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace ingot {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

inline constexpr uint32_t kPhiloxMul0 = 0xD2511F53U;
inline constexpr uint32_t kPhiloxMul1 = 0xCD9E8D57U;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9U;
inline constexpr uint32_t kPhiloxWeyl1 = 0xBB67AE85U;
inline constexpr int kPhiloxRounds = 10;

/// The 128 random bits of (counter, key).
[[nodiscard]] constexpr PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey k) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p0 = uint64_t{kPhiloxMul0} * c[0];
    const uint64_t p1 = uint64_t{kPhiloxMul1} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k = {k[0] + kPhiloxWeyl0, k[1] + kPhiloxWeyl1};
  }
  return c;
}

[[nodiscard]] constexpr PhiloxKey philox_key(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

/// Uniform in [0, 1) with 24 bits; 1 is never reached.
[[nodiscard]] constexpr float philox_uniform(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1.0p-24F;
}

/// The counter of 16 consecutive 4-word blocks used for elements 64 * group .. 64 * group + 63 of
/// the op `op` at `step`: word j of block k belongs to element 64 * group + 16 * j + k.
[[nodiscard]] constexpr PhiloxCounter philox_element_counter(uint64_t block, uint32_t op,
                                                             uint64_t step) {
  return {static_cast<uint32_t>(block), op, static_cast<uint32_t>(step),
          static_cast<uint32_t>((step >> 32) & 0xFFFFU) | static_cast<uint32_t>(block >> 32) << 16};
}

/// The word of one element under that layout.
[[nodiscard]] constexpr uint32_t philox_element(uint64_t seed, uint32_t op, uint64_t step,
                                                uint64_t element) {
  const uint64_t block = element / 64 * 16 + element % 16;
  return philox4x32(philox_element_counter(block, op, step), philox_key(seed))[element / 16 % 4];
}

/// A stream of random numbers addressed by (seed, stream, position). Meets the standard's
/// UniformRandomBitGenerator. Copying it copies the position; position() and seek() save and
/// restore.
class Philox {
 public:
  using result_type = uint32_t;

  explicit constexpr Philox(uint64_t seed, uint64_t stream = 0)
      : key_(philox_key(seed ^ kStreamTag)), stream_(stream) {}

  static constexpr uint32_t min() { return 0; }
  static constexpr uint32_t max() { return 0xFFFFFFFFU; }

  constexpr uint32_t operator()() {
    const uint64_t block = position_ / 4;
    if (block != block_) {
      block_ = block;
      words_ = philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                           static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                          key_);
    }
    return words_[position_++ % 4];
  }

  constexpr uint64_t next64() {
    const uint64_t low = (*this)();
    return low | uint64_t{(*this)()} << 32;
  }

  /// Uniform in [0, 1), 24 bits.
  constexpr float uniform() { return philox_uniform((*this)()); }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform_double() { return static_cast<double>(next64() >> 11) * 0x1.0p-53; }

  /// Uniform integer in [0, n), n > 0, without bias (rejection, Lemire's multiply method).
  constexpr uint64_t bounded(uint64_t n) {
    const uint64_t threshold = (0 - n) % n;
    for (;;) {
      const auto product = static_cast<Wide>(next64()) * n;
      if (static_cast<uint64_t>(product) >= threshold) return static_cast<uint64_t>(product >> 64);
    }
  }

  /// Standard normal (Box and Muller, one of the pair); takes four words.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_double()));
    return radius * std::cos(6.283185307179586 * uniform_double());
  }

  /// Words drawn so far.
  [[nodiscard]] constexpr uint64_t position() const { return position_; }
  constexpr void seek(uint64_t position) { position_ = position; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr uint64_t kStreamTag = 0x5851F42D4C957F2DULL;  // apart from the kernels' keys

  PhiloxKey key_;
  uint64_t stream_;
  uint64_t position_ = 0;
  uint64_t block_ = ~uint64_t{0};
  PhiloxCounter words_{};
};

/// 0 .. n - 1 in the random order of (seed, epoch): Fisher and Yates.
[[nodiscard]] inline std::vector<int64_t> permutation(uint64_t seed, uint64_t epoch, int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) order[static_cast<size_t>(i)] = i;
  Philox random(seed, epoch);
  for (int64_t i = n - 1; i > 0; --i) {
    const auto j = random.bounded(static_cast<uint64_t>(i) + 1);
    std::swap(order[static_cast<size_t>(i)], order[j]);
  }
  return order;
}

}  // namespace ingot
