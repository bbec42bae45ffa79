// SPDX-License-Identifier: Apache-2.0
// Added tokens: strings such as "<|endoftext|>" that are cut out of the text before it is split
// into words. Same rules as the PyPI `tokenizers` package: leftmost, then longest match; first the
// tokens with normalized = false, then the others on what is left; single_word, lstrip and rstrip
// honoured; no byte is taken twice. Each position costs at most (longest token) x log(tokens),
// never the rest of the text. Called by ByteBpe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool normalized = false;   ///< matched in the second pass
  bool special = true;       ///< skipped by decode(skip_special)
};

/// A piece of text: an added token, or ordinary text where id is -1.
struct Segment {
  int32_t id = -1;
  std::string_view text;
};

class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  /// No content may be empty.
  explicit AddedTokenMatcher(const std::vector<AddedToken>& tokens);

  [[nodiscard]] bool empty() const { return passes_[0].empty() && passes_[1].empty(); }
  /// Cuts `text` into segments, in order, none of them empty.
  [[nodiscard]] std::vector<Segment> split(std::string_view text) const;

 private:
  using Pass = std::vector<AddedToken>;  // sorted by content
  static const AddedToken* longest_match(const Pass& pass, std::string_view text);
  void split_pass(size_t pass, std::string_view text, std::vector<Segment>& out) const;

  std::array<Pass, 2> passes_;
  std::array<std::array<bool, 256>, 2> starts_{};  // can a token of the pass start with this byte
};

}  // namespace ingot::text
