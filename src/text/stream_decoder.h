// SPDX-License-Identifier: Apache-2.0
// Ids to text one by one, for streams. A token may end inside a code point: those bytes are held
// back until the code point is whole, so every piece is valid UTF-8. Bytes that can no longer
// become a code point are replaced by U+FFFD, by maximal subparts, so the pieces in a row equal
// replace_invalid_utf8(decode(ids)). Called by serve/ and generate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace ingot::text {

class StreamDecoder {
 public:
  /// The tokenizer must outlive the decoder.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);

  /// The text that this id completes; may be empty. Throws kInvalidArgument (unknown id).
  [[nodiscard]] std::string push(int32_t id);
  /// Ends the stream: what is still held back becomes one U+FFFD. Then ready for a new stream.
  [[nodiscard]] std::string finish();
  /// Bytes held back, at most 3.
  [[nodiscard]] std::string_view pending() const { return pending_; }

 private:
  const Tokenizer* tokenizer_;
  bool skip_special_;
  std::string pending_;
};

}  // namespace ingot::text
