// SPDX-License-Identifier: Apache-2.0
// Pictures that a request holds as numbers in place of a file: whole numbers from 0 to 255 by row,
// column and channel, 1 channel gray or 3 red, green and blue. They become the bytes of a PGM or
// PPM file (io/image.h), so that limits, decoding and resizing are those of every other picture.
// Called by instances and input_tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace ingot::serve {

/// What pixels must be, for messages.
inline constexpr std::string_view kPixelValue =
    "whole numbers from 0 to 255, as pictures hold them before any scaling";

[[nodiscard]] constexpr bool has_picture_channels(int64_t channels) {
  return channels == 1 || channels == 3;
}

/// Appends a value as its byte; false, and nothing is appended, unless it is a pixel's.
[[nodiscard]] bool append_pixel(const Json& value, std::string& to);

/// Whether a value is lists in lists in a list as those of a picture are, by the first of each.
[[nodiscard]] bool is_pixel_lists(const Json& value);

/// The file of the picture in lists of [height][width][channels]. Nothing when they hold none, and
/// `problem` is the rest of a sentence about them: `must be …, but is …`.
[[nodiscard]] std::optional<std::string> read_pixels(const Json& lists, std::string& problem);

}  // namespace ingot::serve
