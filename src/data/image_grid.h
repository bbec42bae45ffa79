// SPDX-License-Identifier: Apache-2.0
// Pictures of any size in rows and columns of one picture, to be looked at: previews of
// augmentation, a report's worst mistakes.
#pragma once

#include <cstdint>
#include <span>

#include "io/image.h"

namespace ingot::data {

struct GridOptions {
  int64_t columns = 8;
  int64_t cell = 96;  ///< pixels a side that every picture gets, kept in proportion
  int64_t gap = 4;    ///< between and around them
};

/// As it is shown in a cell: enlarged by a whole factor, or shrunk. Of what it gives it makes the
/// same again.
[[nodiscard]] io::Image in_cell(const io::Image& image, int64_t cell);

/// Row by row; white where there is no picture. Pictures smaller than half a cell are enlarged by a
/// whole factor, without smoothing; larger ones shrink (image_resize.h). Throws kInvalidArgument
/// for no picture, or a grid of more pixels than encode_png takes.
[[nodiscard]] io::Image image_grid(std::span<const io::Image> pictures, const GridOptions& options);

}  // namespace ingot::data
