// SPDX-License-Identifier: Apache-2.0
// GPT-2's pre-tokenizer as a hand-written scanner (Radford 2019, the pattern of encoder.py):
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// Every byte belongs to exactly one word; invalid UTF-8 bytes count as [^\s\p{L}\p{N}]. Words are
// cut at kMaxWordBytes, so the work per word is bounded and a text costs linear time.
// Not a regular expression engine: other patterns of tokenizer.json get their own scanner.
// Called by the trainer and by ByteBpe.
#pragma once

#include <cstdint>
#include <string_view>

namespace ingot::text {

/// Longer runs of one class are cut here, on a code point border. Real words never reach it.
inline constexpr int64_t kMaxWordBytes = 65536;

/// One past the last byte of the word that starts at text[begin]; begin < text.size().
[[nodiscard]] int64_t next_word_end(std::string_view text, int64_t begin);

/// Calls visit(string_view word) for each word of `text`, in order.
template <class Visit>
void for_each_word(std::string_view text, Visit&& visit) {
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t begin = 0; begin < size;) {
    const int64_t end = next_word_end(text, begin);
    visit(text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
    begin = end;
  }
}

}  // namespace ingot::text
