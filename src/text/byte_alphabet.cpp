// SPDX-License-Identifier: Apache-2.0
// Two constant tables, made at compile time.
#include "text/byte_alphabet.h"

#include "text/unicode.h"

namespace ingot::text {
namespace {

constexpr uint32_t kAlphabetEnd = 0x144;  // the highest character of the alphabet + 1

constexpr std::array<uint32_t, 256> make_alphabet() {
  std::array<uint32_t, 256> alphabet{};
  uint32_t next = 0x100;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    alphabet[byte] = printable ? byte : next++;
  }
  return alphabet;
}

constexpr std::array<uint32_t, 256> kAlphabet = make_alphabet();

constexpr std::array<int16_t, kAlphabetEnd> make_inverse() {
  std::array<int16_t, kAlphabetEnd> inverse{};
  for (auto& byte : inverse) byte = -1;
  for (size_t byte = 0; byte < 256; ++byte) inverse[kAlphabet[byte]] = static_cast<int16_t>(byte);
  return inverse;
}

constexpr std::array<int16_t, kAlphabetEnd> kInverse = make_inverse();

}  // namespace

const std::array<uint32_t, 256>& byte_alphabet() { return kAlphabet; }

std::string spell_bytes(std::string_view bytes) {
  std::string spelled;
  for (const char c : bytes) append_utf8(kAlphabet[static_cast<uint8_t>(c)], spelled);
  return spelled;
}

std::optional<std::string> unspell_bytes(std::string_view spelled) {
  std::string bytes;
  const auto size = static_cast<int64_t>(spelled.size());
  for (int64_t pos = 0; pos < size;) {
    const CodePoint point = decode_utf8(spelled, pos);
    if (!point.valid || point.value >= kAlphabetEnd || kInverse[point.value] < 0) return {};
    bytes.push_back(static_cast<char>(kInverse[point.value]));
    pos += point.size_bytes;
  }
  return bytes;
}

}  // namespace ingot::text
