// SPDX-License-Identifier: Apache-2.0
// See hash.h. hash64 is of the multiply-and-fold family (wyhash, mum): the 128-bit product of two
// words, its halves xored, mixes sixteen bytes in one multiplication. Constants are digits of pi.
#include "base/hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include <openssl/evp.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#include <fmt/core.h>

#include "base/error.h"
#include "base/files.h"

namespace ingot {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr uint64_t kPi0 = 0x243f6a8885a308d3ULL;
constexpr uint64_t kPi1 = 0x13198a2e03707344ULL;
constexpr uint64_t kPi2 = 0xa4093822299f31d0ULL;
constexpr int64_t kReadBlock = int64_t{1} << 20;

uint64_t fold_product(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <class Word>
uint64_t load_little(const std::byte* p) {
  Word word;
  std::memcpy(&word, p, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) {
    return sizeof(Word) == 8 ? __builtin_bswap64(word)
                             : __builtin_bswap32(static_cast<uint32_t>(word));
  }
  return word;
}

constexpr std::array<uint32_t, 256> make_crc_table() {
  constexpr uint32_t kReflected = 0x82f63b78U;  // x^32 + x^28 + x^27 + ... of Castagnoli, reversed
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kReflected : 0U);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = make_crc_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(std::span<const std::byte> bytes,
                                                        uint32_t previous) {
  uint64_t crc = ~previous;
  const std::byte* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) crc = _mm_crc32_u64(crc, load_little<uint64_t>(p));
  auto narrow = static_cast<uint32_t>(crc);
  for (; left > 0; --left, ++p) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*p));
  return ~narrow;
}
#endif

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  const bool ready =
      state_->context != nullptr && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1;
  require(ready, Code::kInternal, "sha256: OpenSSL does not offer SHA-256");
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  INGOT_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  INGOT_ASSERT(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.hex();
}

std::string sha256_hex(std::string_view text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string sha256_file(const std::string& path) {
  const ReadableFile file(path);
  std::vector<std::byte> block(static_cast<size_t>(std::min(kReadBlock, file.size())));
  Sha256 sha;
  for (int64_t at = 0; at < file.size(); at += kReadBlock) {
    const auto piece =
        std::span(block).first(static_cast<size_t>(std::min(kReadBlock, file.size() - at)));
    file.read_at(at, piece);
    sha.update(piece);
  }
  return sha.hex();
}

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) {
  const std::byte* p = bytes.data();
  const size_t size = bytes.size();
  uint64_t h = fold_product(seed ^ kPi0, kPi1);
  for (size_t left = size; left > 16; left -= 16, p += 16) {
    h = fold_product(load_little<uint64_t>(p) ^ kPi1, load_little<uint64_t>(p + 8) ^ h);
  }
  uint64_t a = 0;
  uint64_t b = 0;
  const std::byte* end = bytes.data() + size;
  if (size > 16) {  // the last sixteen bytes, some of them for the second time
    a = load_little<uint64_t>(end - 16);
    b = load_little<uint64_t>(end - 8);
  } else if (size >= 8) {
    a = load_little<uint64_t>(p);
    b = load_little<uint64_t>(end - 8);
  } else if (size >= 4) {
    a = load_little<uint32_t>(p);
    b = load_little<uint32_t>(end - 4);
  } else if (size > 0) {
    a = (static_cast<uint64_t>(p[0]) << 16) | (static_cast<uint64_t>(p[size / 2]) << 8) |
        static_cast<uint64_t>(p[size - 1]);
  }
  return mix64(fold_product(a ^ kPi1, b ^ h) ^ fold_product(size ^ kPi2, kPi0));
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return hash64(std::as_bytes(std::span(text)), seed);
}

uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t previous) {
  uint32_t crc = ~previous;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<uint32_t>(byte)) & 0xFFU];
  }
  return ~crc;
}

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t previous) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(bytes, previous);
#endif
  return crc32c_portable(bytes, previous);
}

uint32_t crc32c(std::string_view text, uint32_t previous) {
  return crc32c(std::as_bytes(std::span(text)), previous);
}

}  // namespace ingot
