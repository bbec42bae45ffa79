// SPDX-License-Identifier: Apache-2.0
// The scanner: at each position the alternatives of the pattern are tried in its order. ASCII goes
// through a 256-entry table, everything else through decode_utf8. A word is scanned once forward;
// only the white-space rule looks one code point beyond the run, so the cost is linear.
#include "text/pretokenize.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"

namespace ingot::text {
namespace {

constexpr uint8_t kNotAscii = 4;

constexpr std::array<uint8_t, 256> make_ascii_table() {
  std::array<uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    CharClass value = CharClass::kOther;
    if (letter) value = CharClass::kLetter;
    if (c >= '0' && c <= '9') value = CharClass::kNumber;
    if (space) value = CharClass::kSpace;
    table[static_cast<size_t>(c)] = c < 128 ? static_cast<uint8_t>(value) : kNotAscii;
  }
  return table;
}

constexpr std::array<uint8_t, 256> kAscii = make_ascii_table();

struct Symbol {
  CharClass kind;
  int32_t size_bytes;
};

Symbol symbol_at(std::string_view text, int64_t pos) {
  const uint8_t ascii = kAscii[static_cast<uint8_t>(text[static_cast<size_t>(pos)])];
  if (ascii != kNotAscii) return {static_cast<CharClass>(ascii), 1};
  const CodePoint point = decode_utf8(text, pos);
  return {point.valid ? char_class(point.value) : CharClass::kOther, point.size_bytes};
}

// End of the run of `kind` that starts at `pos`, at most `limit`, on a code point border.
int64_t run_end(std::string_view text, int64_t pos, int64_t limit, CharClass kind) {
  while (pos < limit) {
    const Symbol symbol = symbol_at(text, pos);
    if (symbol.kind != kind || pos + symbol.size_bytes > limit) break;
    pos += symbol.size_bytes;
  }
  return pos;
}

// Bytes of the contraction at text[begin] ('s 't 're 've 'm 'll 'd), 0 where there is none.
int64_t contraction(std::string_view text, int64_t begin) {
  const std::string_view rest = text.substr(static_cast<size_t>(begin), 3);
  if (rest.size() < 2 || rest[0] != '\'') return 0;
  const char c = rest[1];
  if (c == 's' || c == 't' || c == 'm' || c == 'd') return 2;
  const std::string_view two = rest.substr(1);
  return two == "re" || two == "ve" || two == "ll" ? 3 : 0;
}

// \s+(?!\S)|\s+ : a run leaves its last character to the word behind it, if it has two or more.
int64_t space_end(std::string_view text, int64_t begin, int64_t limit) {
  const int64_t end = run_end(text, begin, limit, CharClass::kSpace);
  const auto size = static_cast<int64_t>(text.size());
  if (end == size || symbol_at(text, end).kind == CharClass::kSpace) return end;  // or cut at limit
  const int64_t last = previous_code_point(text, end);
  return last > begin ? last : end;
}

}  // namespace

int64_t next_word_end(std::string_view text, int64_t begin) {
  const int64_t limit = std::min(static_cast<int64_t>(text.size()), begin + kMaxWordBytes);
  const char first = text[static_cast<size_t>(begin)];
  if (first == '\'') {
    const int64_t size = contraction(text, begin);
    if (size > 0) return begin + size;
  }
  int64_t pos = begin;
  if (first == ' ' && begin + 1 < limit) ++pos;
  const Symbol symbol = symbol_at(text, pos);
  if (symbol.kind == CharClass::kSpace) return space_end(text, begin, limit);
  return run_end(text, pos + symbol.size_bytes, limit, symbol.kind);
}

}  // namespace ingot::text
