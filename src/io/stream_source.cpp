// SPDX-License-Identifier: Apache-2.0
#include "io/stream_source.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace ingot::io {

int64_t StreamSource::read(std::span<std::byte> out) {
  if (out.empty()) return 0;
  if (offset_ < kept_.size()) {
    const size_t take = std::min(out.size(), kept_.size() - offset_);
    std::memcpy(out.data(), kept_.data() + offset_, take);
    offset_ += take;
    drop_what_is_given();
    return static_cast<int64_t>(take);
  }
  if (has_ended_) return 0;
  const int64_t got = pull_(out);
  has_ended_ = got == 0;
  if (!is_sealed_) {
    kept_.append(reinterpret_cast<const char*>(out.data()), static_cast<size_t>(got));
    offset_ = kept_.size();
  }
  return got;
}

void StreamSource::rewind() {
  INGOT_ASSERT(!is_sealed_);
  offset_ = 0;
}

void StreamSource::seal() {
  is_sealed_ = true;
  drop_what_is_given();
}

void StreamSource::drop_what_is_given() {
  if (!is_sealed_ || offset_ < kept_.size()) return;
  kept_ = std::string();
  offset_ = 0;
}

}  // namespace ingot::io
