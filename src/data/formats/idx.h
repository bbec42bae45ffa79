// SPDX-License-Identifier: Apache-2.0
// IDX files, the format of MNIST and Fashion-MNIST (http://yann.lecun.com/exdb/mnist, "THE IDX FILE
// FORMAT"), also packed with gzip or xz:
//   0 0 type rank | rank sizes, 4 bytes each, big-endian | the numbers, big-endian, row-major
// Types: 08 unsigned byte, 09 signed byte, 0b 2-byte, 0c 4-byte integer, 0d float, 0e double.
#pragma once

#include <string>

#include "data/formats/array.h"

namespace ingot::data {

/// Signed bytes and 2-byte integers become int32, the others keep their type. Throws kCorruptFile
/// for another first word, more than 6 axes, a file that ends early or goes on behind its end.
[[nodiscard]] Array read_idx(const std::string& path);
[[nodiscard]] Array read_idx(io::ByteSource& source);
/// Its head alone, checked; the numbers come next.
[[nodiscard]] ArrayHead read_idx_head(io::ByteSource& source);

}  // namespace ingot::data
