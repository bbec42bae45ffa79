// SPDX-License-Identifier: Apache-2.0
// How a camera was held: the orientation that the Exif segment of a JPEG gives (CIPA DC-008, 4.6.4:
// tag 0x0112 of the first directory), and the picture turned by it, as Pillow's
// ImageOps.exif_transpose does. Nothing else of Exif is read. Called by the JPEG decoder.
#pragma once

#include <cstddef>
#include <span>

#include "io/image.h"

namespace ingot::io {

/// Where the first row and column of the stored pixels belong: 1 top left (as stored), 2 top right,
/// 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom. 1 where
/// there is no Exif segment, it says nothing of it, or it is damaged. Looks at heads of segments
/// and at one directory of at most 65535 entries, never outside `jpeg`.
[[nodiscard]] int exif_orientation(std::span<const std::byte> jpeg);

/// Whether height and width change places.
[[nodiscard]] constexpr bool is_sideways(int orientation) { return orientation >= 5; }

/// The picture as it was seen. Of 1 the same; a second copy of the pixels for the others.
[[nodiscard]] Image upright(Image stored, int orientation);

}  // namespace ingot::io
