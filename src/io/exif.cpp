// SPDX-License-Identifier: Apache-2.0
// A JPEG file:  ff d8 | ff marker length(2, with itself) body | ff marker …, until the pixels (ff
// da). Exif body:    "Exif" 0 0 | TIFF: "II" or "MM", 42, offset of the first directory A
// directory:  count(2), then count entries of tag(2) type(2) number of values(4) value(4). A read
// behind the end gives nothing, so that no size that a file claims is believed.
#include "io/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ingot::io {
namespace {

using namespace std::string_view_literals;

constexpr size_t kEntryBytes = 12;

/// Whole numbers of a string in one of two byte orders.
class Words {
 public:
  Words(std::string_view bytes, bool is_big) : bytes_(bytes), is_big_(is_big) {}

  /// The number of `size` bytes at `at`; none where the bytes end before.
  [[nodiscard]] std::optional<uint32_t> get(size_t at, size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return std::nullopt;
    uint32_t number = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t place = is_big_ ? at + i : at + size - 1 - i;
      number = number << 8 | static_cast<unsigned char>(bytes_[place]);
    }
    return number;
  }

 private:
  std::string_view bytes_;
  bool is_big_;
};

/// The TIFF part of the first Exif segment, empty when there is none.
std::string_view exif_of(std::string_view jpeg) {
  constexpr uint32_t kExifMarker = 0xe1, kPixels = 0xda, kEnd = 0xd9;
  constexpr std::string_view kExif = "Exif\0\0"sv;
  const Words words(jpeg, true);
  size_t at = 2;
  while (words.get(at, 1) == 0xffU) {
    while (words.get(at, 1) == 0xffU) ++at;  // a marker may have any number of them before it
    const std::optional<uint32_t> marker = words.get(at, 1), length = words.get(at + 1, 2);
    if (!marker || !length || marker == kPixels || marker == kEnd) break;
    const size_t body = at + 3, end = at + 1 + *length;
    if (end < body || end > jpeg.size()) break;
    const std::string_view text = jpeg.substr(body, end - body);
    if (marker == kExifMarker && text.starts_with(kExif)) return text.substr(kExif.size());
    at = end;
  }
  return {};
}

}  // namespace

int exif_orientation(std::span<const std::byte> jpeg) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3, kLong = 4;
  const std::string_view tiff = exif_of({reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
  const bool is_big = tiff.starts_with("MM\0*"sv);
  if (!is_big && !tiff.starts_with("II*\0"sv)) return 1;
  const Words words(tiff, is_big);
  const size_t directory = words.get(4, 4).value_or(0);
  const size_t entries = words.get(directory, 2).value_or(0);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    const std::optional<uint32_t> tag = words.get(entry, 2);
    if (!tag) break;
    if (tag != kOrientation) continue;
    const std::optional<uint32_t> type = words.get(entry + 2, 2);
    if ((type != kShort && type != kLong) || words.get(entry + 4, 4) != 1U) break;
    const uint32_t value = words.get(entry + 8, type == kShort ? 2 : 4).value_or(1);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// The pixel at (row, column) is stored at (row, column), sideways at (column, row), each counted
/// from the other end where its side is mirrored.
Image upright(Image stored, int orientation) {
  if (orientation <= 1 || orientation > 8) return stored;
  const bool is_turned = is_sideways(orientation);
  const bool is_from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool is_from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image seen{stored.height, stored.width, stored.channels, {}};
  if (is_turned) std::swap(seen.height, seen.width);
  seen.pixels.resize(stored.pixels.size());
  uint8_t* to = seen.pixels.data();
  for (int64_t y = 0; y < seen.height; ++y) {
    for (int64_t x = 0; x < seen.width; ++x) {
      int64_t row = is_turned ? x : y, column = is_turned ? y : x;
      if (is_from_bottom) row = stored.height - 1 - row;
      if (is_from_right) column = stored.width - 1 - column;
      const int64_t at = (row * stored.width + column) * stored.channels;
      to = std::copy_n(stored.pixels.data() + at, stored.channels, to);
    }
  }
  return seen;
}

}  // namespace ingot::io
