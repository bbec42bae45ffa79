// SPDX-License-Identifier: Apache-2.0
// Binary PGM and PPM (netpbm.sourceforge.net/doc/pgm.html, ppm.html) with the most value 255 and
// one white space between the numbers of the head, as pnm_head writes them; comments are not read.
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "io/image_codecs.h"

namespace ingot::io {
namespace {

/// The head's next number and the white space behind it; 0 when there is none.
int64_t take_number(std::string_view& text) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  if (error != std::errc{} || text.empty() || (text[0] != ' ' && text[0] != '\n')) return 0;
  text.remove_prefix(1);
  return value;
}

/// Size and channels from the head, which is taken off `text`; nothing when it is none. The text
/// begins with "P5\n" or "P6\n".
std::optional<ImageInfo> take_head(std::string_view& text) {
  ImageInfo info;
  info.channels = text[1] == '6' ? 3 : 1;
  text.remove_prefix(3);
  info.width = take_number(text);
  info.height = take_number(text);
  if (take_number(text) != 255) return std::nullopt;
  return info;
}

}  // namespace

bool has_pnm_head(std::string_view bytes) {
  const std::optional<ImageInfo> head = take_head(bytes);
  return head && head->height > 0 && head->width > 0;
}

Image decode_pnm(std::span<const std::byte> bytes, std::string_view name,
                 const DecodeOptions& options, ImageInfo* info) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::optional<ImageInfo> head = take_head(text);
  require(head.has_value(), Code::kCorruptFile,
          "image: \"{}\": broken PNM: its head is not width, height and 255", name);
  Image image{head->height, head->width, head->channels};
  check_pixels(image.height, image.width, name, options);
  if (info != nullptr) {
    *info = *head;
    return {};
  }
  const auto size = static_cast<size_t>(image.height * image.width * image.channels);
  require(text.size() == size, Code::kCorruptFile,
          "image: \"{}\": broken PNM: {} x {} x {} pixels need {} bytes, there are {}", name,
          image.height, image.width, image.channels, size, text.size());
  image.pixels.assign(text.begin(), text.end());
  return image;
}

std::string pnm_head(int64_t height, int64_t width, int64_t channels) {
  INGOT_ASSERT(channels == 1 || channels == 3);
  return fmt::format("{}\n{} {}\n255\n", channels == 3 ? "P6" : "P5", width, height);
}

}  // namespace ingot::io
