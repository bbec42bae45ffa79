// SPDX-License-Identifier: Apache-2.0
// Works off the pending bytes from the front; only the beginning of a code point stays behind.
#include "text/stream_decoder.h"

#include "base/text.h"
#include "text/unicode.h"

namespace ingot::text {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special) {}

std::string StreamDecoder::push(int32_t id) {
  const std::string_view bytes = tokenizer_->token_bytes(id);
  if (skip_special_ && tokenizer_->is_special(id)) return {};
  pending_.append(bytes);
  std::string out;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Utf8Prefix prefix = inspect_utf8(rest.substr(0, 4));
    if (prefix.kind == Utf8Prefix::Kind::kIncomplete) break;
    const auto size = static_cast<size_t>(prefix.size_bytes);
    if (prefix.kind == Utf8Prefix::Kind::kComplete) {
      out.append(rest.substr(0, size));
    } else {
      append_utf8(0xFFFD, out);
    }
    rest.remove_prefix(size);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return out;
}

std::string StreamDecoder::finish() {
  std::string out = replace_invalid_utf8(pending_);
  pending_.clear();
  return out;
}

}  // namespace ingot::text
