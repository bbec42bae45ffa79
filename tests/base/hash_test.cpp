// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <bit>
#include <fstream>
#include <set>
#include <vector>

#include "base/message_of.h"

namespace ingot::hash_test {
namespace {

std::vector<std::byte> counting_bytes(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 131 + 7);
  return bytes;
}

TEST(Sha256, MatchesTheExamplesOfFips180) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesAndFilesEqualTheWhole) {
  const testing::TempDir dir;
  const std::vector<std::byte> bytes = counting_bytes((size_t{3} << 20) + 17);
  Sha256 sha;
  for (size_t at = 0; at < bytes.size(); at += 99'991) {
    sha.update(std::span(bytes).subspan(at, std::min<size_t>(99'991, bytes.size() - at)));
  }
  const std::string whole = sha256_hex(bytes);
  EXPECT_EQ(sha.hex(), whole);
  std::ofstream(dir.file("x"), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(sha256_file(dir.file("x")), whole);
}

TEST(Crc32c, MatchesRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string rising(32, '\0');
  for (int i = 0; i < 32; ++i) rising[static_cast<size_t>(i)] = static_cast<char>(i);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, HardwareEqualsTableForEveryLengthAndStart) {
  const std::vector<std::byte> bytes = counting_bytes(100);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t size = 0; start + size <= bytes.size(); ++size) {
      const auto piece = std::span(bytes).subspan(start, size);
      ASSERT_EQ(crc32c(piece), crc32c_portable(piece)) << start << " " << size;
    }
  }
}

TEST(Crc32c, ContinuesFromThePreviousPiece) {
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283U);
}

// A bit-by-bit CRC straight from the polynomial.
uint32_t slow_crc(std::span<const std::byte> bytes) {
  uint32_t crc = 0xffffffffU;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
  }
  return ~crc;
}

TEST(Crc32c, TableEqualsPolynomialDivision) {
  const std::vector<std::byte> bytes = counting_bytes(777);
  EXPECT_EQ(crc32c_portable(bytes), slow_crc(bytes));
}

TEST(Hash64, ValuesNeverChange) {
  // Computed from the definition with Python integers. Stored in shards and indexes: a change of
  // these numbers breaks old files.
  EXPECT_EQ(hash64(""), 0x7c7bcf4b80c50e38ULL);
  EXPECT_EQ(hash64("a"), 0x027eee8d8dac8893ULL);
  EXPECT_EQ(hash64("abcd"), 0x18f5b2cd8c96973aULL);
  EXPECT_EQ(hash64("the quick brown fox jumps over"), 0xd5065a87677c2006ULL);
  EXPECT_EQ(hash64("abcd", 1), 0x5b3bc60fab8aa705ULL);
}

TEST(Hash64, HasNoCollisionsAmongNearTexts) {
  std::set<uint64_t> seen;
  const std::vector<std::byte> zeros(200, std::byte{0});
  for (size_t size = 0; size <= zeros.size(); ++size) {
    seen.insert(hash64(std::span(zeros).first(size)));
  }
  for (int i = 0; i < 100'000; ++i) seen.insert(hash64("key" + std::to_string(i)));
  EXPECT_EQ(seen.size(), 201U + 100'000U);
}

TEST(Hash64, EveryInputBitMovesAboutHalfOfTheOutput) {
  // 64 output bits flip with probability 1/2; the mean over all flips of one length has a standard
  // deviation below 4 / sqrt(8 * size) bits, so 3 bits is far outside for sizes from 8 on.
  constexpr double kTolerance = 3.0;
  for (const size_t size : {8U, 16U, 17U, 31U, 64U, 100U}) {
    std::vector<std::byte> bytes = counting_bytes(size);
    const uint64_t base = hash64(bytes);
    double flipped = 0;
    for (size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const int changed = std::popcount(hash64(bytes) ^ base);
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_GT(changed, 8) << "size " << size << " bit " << bit;
      flipped += changed;
    }
    EXPECT_NEAR(flipped / static_cast<double>(size * 8), 32.0, kTolerance) << "size " << size;
  }
}

TEST(Hash64, SeedChangesTheHash) {
  EXPECT_NE(hash64("x", 0), hash64("x", 1));
  EXPECT_NE(hash64("", 0), hash64("", 1));
}

TEST(Mix64, MatchesSplitmix64) {
  // First outputs of splitmix64 seeded with 0, which mixes multiples of the golden ratio.
  EXPECT_EQ(mix64(0x9e3779b97f4a7c15ULL), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(mix64(2 * 0x9e3779b97f4a7c15ULL), 0x6e789e6aa1b965f4ULL);
}

}  // namespace
}  // namespace ingot::hash_test
