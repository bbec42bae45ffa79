// SPDX-License-Identifier: Apache-2.0
// Some pictures of every class side by side, to be looked at before anything is learned: a row of a
// grid per class. The same pictures every time, those of the smallest hashes of their
// numbers, so they come from all over the table. Two passes; only what is shown is decoded, and
// held in the size in which it is shown. Called by `ingot data inspect`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/signals.h"
#include "data/formats/table.h"
#include "data/schema.h"
#include "io/image.h"

namespace ingot::data {

struct SampleOptions {
  std::string column;   ///< of pictures
  std::string classes;  ///< column of the classes; "": all pictures are of one kind
  int64_t max_pixels = int64_t{64} << 20;
  std::span<const std::string> missing{};  ///< texts that count as no value
  int64_t per_class = 8;
  int64_t most_classes = 100;  ///< the first that the table has
};

struct PictureSamples {
  io::Image grid;
  int64_t pictures = 0;
  /// Of the rows of the grid, from the top, sorted: numbers by value, other names by their bytes.
  std::vector<std::string> classes;
  bool has_more_classes = false;  ///< than most_classes
};

/// The column by whose values pictures are shown apart: the target, else "class", which tables of
/// pictures have; "" where there is none, or the target is a number of more than 100 values.
[[nodiscard]] std::string sampled_classes(const Schema& schema, const std::string& target,
                                          bool is_class);

/// per_class pictures of every class, without classes eight times as many; fewer where there are
/// not so many, and white in place of one that cannot be read (inspect_pictures names it). Rewinds
/// the table before and after. Throws kNotFound for a column that is not there, kInvalidArgument
/// when no picture can be shown, what the reader throws, kCancelled between rows.
[[nodiscard]] PictureSamples sample_pictures(TableReader& table, const SampleOptions& options,
                                             const StopFlag* stop = nullptr);

}  // namespace ingot::data
