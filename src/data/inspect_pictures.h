// SPDX-License-Identifier: Apache-2.0
// What a column of pictures holds, before anything is learned from it: sizes, gray and colours,
// files that cannot be read, by name. Every picture is decoded once; memory is bounded. Called by
// `ingot data inspect` and `ingot new`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/signals.h"
#include "data/formats/table.h"
#include "data/transforms/feature.h"

namespace ingot::data {

struct SizeCount {
  int64_t height = 0;
  int64_t width = 0;
  int64_t count = 0;
};

struct BadPicture {
  int64_t line = 0;
  std::string reason;  ///< names the file
};

struct PictureReport {
  std::string column;
  int64_t pictures = 0;               ///< that can be read
  int64_t gray = 0;                   ///< of them
  int64_t missing = 0;                ///< cells without a value
  int64_t bad = 0;                    ///< cannot be read
  std::vector<BadPicture> first_bad;  ///< at most 20
  int64_t different_sizes = 0;        ///< at most 4,096 are told apart
  std::vector<SizeCount> sizes;       ///< most frequent first, at most 8
  SizeCount smallest, largest;        ///< by pixels

  [[nodiscard]] Json to_json() const;
  /// Aligned plain text for people.
  [[nodiscard]] std::string text() const;
};

/// Where the column stands among those of the table, from 0. Throws kNotFound.
[[nodiscard]] size_t place_of_column(const TableReader& table, const std::string& column);

/// Reads the table from its first record (rewinds it before and after). Cells that are empty or one
/// of `missing` are missing. Throws kNotFound for another column's name, what the reader throws,
/// kCancelled between rows.
[[nodiscard]] PictureReport inspect_pictures(TableReader& table, const std::string& column,
                                             int64_t max_pixels,
                                             std::span<const std::string> missing = {},
                                             const StopFlag* stop = nullptr);

/// The size that all pictures of a sample have, and how many those are: up to 100 from all over the
/// `rows` rows of the table. nullopt when two differ or none can be read. Reads no pixels. Throws
/// as inspect_pictures.
[[nodiscard]] std::optional<SizeCount> shared_size(TableReader& table, const std::string& column,
                                                   int64_t rows,
                                                   std::span<const std::string> missing = {});

/// Equal for pictures that are one to a feature of these options, which are checked: a digest of
/// the pixels in their size and channels. Without a size the picture's own counts too; without
/// channels all are in colours. nullopt when it cannot be read.
[[nodiscard]] std::optional<std::string> picture_digest(const Cell& cell,
                                                        const ImageOptions& options);

}  // namespace ingot::data
