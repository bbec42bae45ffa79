// SPDX-License-Identifier: Apache-2.0
#include "data/formats/array.h"

#include <algorithm>
#include <array>

namespace ingot::data {

std::vector<std::byte> read_exactly(io::ByteSource& source, int64_t size, std::string_view what) {
  constexpr int64_t kFirst = int64_t{1} << 20;
  std::vector<std::byte> bytes;
  for (int64_t have = 0; have < size;) {
    const int64_t piece = std::min(std::max(kFirst, have), size - have);
    bytes.resize(static_cast<size_t>(have + piece));
    const int64_t got = io::read_fully(source, std::span(bytes).subspan(static_cast<size_t>(have)));
    have += got;
    require(got == piece, Code::kCorruptFile,
            "{}: \"{}\": ends after {} of {} bytes; fetch the file again", what, source.name(),
            have, size);
  }
  return bytes;
}

void require_end(io::ByteSource& source, std::string_view what) {
  std::array<std::byte, 1> one{};
  require(source.read(one) == 0, Code::kCorruptFile,
          "{}: \"{}\": more bytes follow than its head announces", what, source.name());
}

}  // namespace ingot::data
