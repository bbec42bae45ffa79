// SPDX-License-Identifier: Apache-2.0
// The binary version of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html), also
// packed with gzip or xz: records of one label byte (CIFAR-100: two, coarse and fine) and 1024 red,
// 1024 green, 1024 blue bytes, row-major 32 x 32. Called by table.cpp.
#pragma once

#include <memory>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

/// A file as a table (picture_table.h), the fine label of CIFAR-100 its class. Which of the two it
/// is, the first 64 records tell: where a record of CIFAR-10 would begin, its label is below 10.
/// Names of classes are read from batches.meta.txt or fine_label_names.txt beside the file.
/// Throws kCorruptFile when the file is empty or neither; while reading, when its size is no
/// multiple of the record's, or a label is out of range (its record is named).
[[nodiscard]] std::unique_ptr<TableReader> open_cifar(std::unique_ptr<io::ByteSource> source);

}  // namespace ingot::data
