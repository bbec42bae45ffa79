// SPDX-License-Identifier: Apache-2.0
#include "serve/pixels.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "io/image.h"

namespace ingot::serve {
namespace {

bool is_filled_list(const Json& value) { return value.is_array() && !value.empty(); }

bool is_list_of(const Json& value, size_t count) {
  return value.is_array() && value.size() == count;
}

/// Appends the pixels of row `y`; what is wrong with it, or an empty text.
std::string append_row(const Json& row, size_t y, size_t channels, std::string& to) {
  for (size_t x = 0; x < row.size(); ++x) {
    const Json& pixel = row[x];
    if (!is_list_of(pixel, channels)) {
      return fmt::format("must have {} channels in every pixel, but pixel [{}][{}] is {}", channels,
                         y, x, excerpt(dump_json(pixel)));
    }
    for (size_t channel = 0; channel < channels; ++channel) {
      if (append_pixel(pixel[channel], to)) continue;
      return fmt::format("must have pixels of {}, but [{}][{}][{}] is {}", kPixelValue, y, x,
                         channel, excerpt(dump_json(pixel[channel])));
    }
  }
  return {};
}

}  // namespace

bool append_pixel(const Json& value, std::string& to) {
  if (!value.is_number_unsigned()) return false;
  const auto number = value.get<uint64_t>();
  if (number > 255) return false;
  to += static_cast<char>(static_cast<uint8_t>(number));
  return true;
}

bool is_pixel_lists(const Json& value) {
  return is_filled_list(value) && is_filled_list(value.front()) &&
         is_filled_list(value.front().front()) && !value.front().front().front().is_array();
}

std::optional<std::string> read_pixels(const Json& lists, std::string& problem) {
  problem.clear();
  const size_t channels = is_pixel_lists(lists) ? lists.front().front().size() : 0;
  if (!has_picture_channels(static_cast<int64_t>(channels))) {
    problem = fmt::format(
        "must be the base64 of a file, or its pixels as lists [height][width][channels] of 1 "
        "channel (gray) or 3 (red, green, blue), but is {}",
        excerpt(dump_json(lists)));
    return std::nullopt;
  }
  const size_t width = lists.front().size();
  std::string file = io::pnm_head(static_cast<int64_t>(lists.size()), static_cast<int64_t>(width),
                                  static_cast<int64_t>(channels));
  for (size_t y = 0; y < lists.size() && problem.empty(); ++y) {
    problem = is_list_of(lists[y], width)
                  ? append_row(lists[y], y, channels, file)
                  : fmt::format("must have {} pixels in every row, but row {} is {}", width, y,
                                excerpt(dump_json(lists[y])));
  }
  if (!problem.empty()) return std::nullopt;
  return file;
}

}  // namespace ingot::serve
