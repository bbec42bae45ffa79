// SPDX-License-Identifier: Apache-2.0
// Arrays of pictures as tables (picture_table.h): IDX files as MNIST's and .npy files, uint8
// [count, height, width] or [count, height, width, channels]. Their labels lie in a file of their
// own beside them, under the usual name; without one the table has no classes, as what predict
// reads:
//   train-images-idx3-ubyte.gz  train-labels-idx1-ubyte.gz
//   test_images.npy             test_labels.npy
//   x_train.npy                 y_train.npy
// Either one may be packed (.gz, .xz) or not.
// Called by table.cpp.
#pragma once

#include <memory>
#include <string>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

/// Throws kCorruptFile when a file holds something else, ends early or goes on behind its end, or
/// the counts of pictures and labels differ (both are named); kUnsupported as read_npy, and in
/// Fortran order.
[[nodiscard]] std::unique_ptr<TableReader> open_idx_pictures(
    std::unique_ptr<io::ByteSource> source);
[[nodiscard]] std::unique_ptr<TableReader> open_npy_pictures(
    std::unique_ptr<io::ByteSource> source);

/// Where the labels of `images` would lie: the first of the names above that exists; "" when none.
[[nodiscard]] std::string labels_beside(const std::string& images);

/// Where those labels would be that labels_beside did not find: what the file of its own packing
/// would be called; "" where they are there, or `images` is no name of such pictures.
[[nodiscard]] std::string labels_wanted(const std::string& images);

}  // namespace ingot::data
