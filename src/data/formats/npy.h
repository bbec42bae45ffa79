// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files, versions 1 to 3 in, version 1 out (numpy/lib/format.py describes them):
//   "\x93NUMPY" major minor | header size: 2 bytes (version 1) or 4 | header | the numbers
// The header is a Python dict of descr, fortran_order and shape. Taken: little-endian f4, f8, i4,
// i8 and u1 in row-major order, rank at most 6. Never loaded: objects, which are pickles and may
// run code. Called by the data verbs and by tests against NumPy.
#pragma once

#include <string>

#include "base/files.h"
#include "data/formats/array.h"

namespace ingot::data {

/// Reads from a file (also .gz, .xz) or any source. Throws kUnsupported naming the dtype or order
/// and the NumPy call that changes it, kCorruptFile for a broken header, a file that ends early or
/// bytes behind the end.
[[nodiscard]] Array read_npy(const std::string& path);
[[nodiscard]] Array read_npy(io::ByteSource& source);
/// Its head alone, checked; the numbers come next.
[[nodiscard]] ArrayHead read_npy_head(io::ByteSource& source);

/// The file for an array of one of those five dtypes; the same array gives the same bytes.
[[nodiscard]] std::string npy_bytes(const Array& array);
void write_npy(FileSystem& files, const std::string& path, const Array& array);

}  // namespace ingot::data
