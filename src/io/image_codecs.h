// SPDX-License-Identifier: Apache-2.0
// The codecs behind image.h. libpng and libjpeg leave by longjmp when they meet an error, which
// runs no destructor. So each decoder works in phases (head, pixels); a phase is one function that
// calls setjmp and holds no object with a destructor, and everything that owns memory lives in the
// caller. Called by image.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/image.h"

namespace ingot::io {

/// Throws what decode_image throws for too many pixels.
void check_pixels(int64_t height, int64_t width, std::string_view name,
                  const DecodeOptions& options);

/// The picture with 1 channel when the file is gray, 3 otherwise. With `info`, only the head is
/// read, into *info, and the picture stays empty.
[[nodiscard]] Image decode_png(std::span<const std::byte> bytes, std::string_view name,
                               const DecodeOptions& options, ImageInfo* info);
[[nodiscard]] Image decode_jpeg(std::span<const std::byte> bytes, std::string_view name,
                                const DecodeOptions& options, ImageInfo* info);
[[nodiscard]] Image decode_pnm(std::span<const std::byte> bytes, std::string_view name,
                               const DecodeOptions& options, ImageInfo* info);

/// Whether "P5" or "P6" goes on as the head of a PNM file that decode_pnm reads.
[[nodiscard]] bool has_pnm_head(std::string_view bytes);

}  // namespace ingot::io
