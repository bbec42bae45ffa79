// SPDX-License-Identifier: Apache-2.0
// The binary version of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html), also
// packed with gzip or xz: records of one label byte (CIFAR-100: two, coarse and fine) and 1024 red,
// 1024 green, 1024 blue bytes, row-major 32 x 32. Read into interleaved pixels.
#pragma once

#include <span>
#include <string>

#include "data/formats/array.h"

namespace ingot::data {

enum class CifarKind : uint8_t { kCifar10, kCifar100 };

/// The files one after the other, labels 0 .. 9 (fine labels 0 .. 99). Throws kCorruptFile when a
/// file is empty, its size is no multiple of the record's, or a label is out of range (its record
/// is named).
[[nodiscard]] ImageSet read_cifar(std::span<const std::string> paths,
                                  CifarKind kind = CifarKind::kCifar10);
/// Appends the records of one source to `set`.
void append_cifar(io::ByteSource& source, CifarKind kind, ImageSet& set);

}  // namespace ingot::data
