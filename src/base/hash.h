// SPDX-License-Identifier: Apache-2.0
// Three hashes for three jobs. SHA-256 (OpenSSL) names files and weights: two equal digests mean
// equal bytes. hash64 spreads shingles and keys over tables: fast, stable across machines and
// versions of this program, not safe against an adversary. crc32c (Castagnoli, RFC 3720 B.4) is
// the check sum of TFRecord and TensorBoard files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ingot {

[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string sha256_hex(std::string_view text);
/// Of a whole file, read in blocks.
[[nodiscard]] std::string sha256_file(const std::string& path);

/// SHA-256 of a stream of pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// Lower-case hexadecimal digest. Call once; the object is finished afterwards.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64-bit hash of bytes: 128-bit multiply-and-fold over 16-byte steps. Little-endian loads, so the
/// value is part of file formats and never changes.
[[nodiscard]] uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0);
[[nodiscard]] uint64_t hash64(std::string_view text, uint64_t seed = 0);

/// A bijection of 64-bit words in which every input bit flips every output bit with probability
/// about one half (the finaliser of splitmix64).
[[nodiscard]] constexpr uint64_t mix64(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// CRC-32C; pass the result of the previous piece to continue.
[[nodiscard]] uint32_t crc32c(std::span<const std::byte> bytes, uint32_t previous = 0);
[[nodiscard]] uint32_t crc32c(std::string_view text, uint32_t previous = 0);
/// The same by table on every processor: what crc32c falls back to, and its test's second opinion.
[[nodiscard]] uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t previous = 0);

}  // namespace ingot
