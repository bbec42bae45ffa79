// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files, versions 1 to 3 in, version 1 out (numpy/lib/format.py describes them):
//   "\x93NUMPY" major minor | header size: 2 bytes (version 1) or 4 | header | the numbers
// The header is a Python dict of descr, fortran_order and shape. Taken: little-endian f4, f8, i4,
// i8 and u1, and, as wider numbers, f2, i1, i2, u2, u4 and b1 (0 and 1); rank at most 6, the last
// axis fastest or, in Fortran order, the first. Never loaded: objects, which are pickles and may
// run code. Called by the data verbs and by tests against NumPy.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "data/formats/array.h"

namespace ingot::data {

/// What the header announces: `dtype` and `shape` of the array, and how its numbers lie in the
/// file.
struct NpyHead : ArrayHead {
  using Widen = void (*)(const std::byte* from, std::byte* to);

  std::string_view stored_name = "float32";  ///< as NumPy calls the numbers of the file
  int64_t stored_size = 4;                   ///< bytes of each
  Widen widen = nullptr;    ///< one of them into one of `dtype`; nullptr: they are the same
  bool is_fortran = false;  ///< the first axis is the fastest, of two or more
};

/// Reads from a file (also .gz, .xz) or any source, in memory, with the last axis the fastest:
/// float16 becomes float32; bool, int8, int16 and uint16 int32; uint32 int64. Throws kUnsupported
/// naming the dtype and the NumPy call that changes it, kCorruptFile for a broken header, a file
/// that ends early or bytes behind the end.
[[nodiscard]] Array read_npy(const std::string& path);
[[nodiscard]] Array read_npy(io::ByteSource& source);
/// Its head alone, checked; the numbers come next, as the file has them.
[[nodiscard]] NpyHead read_npy_head(io::ByteSource& source);

/// The file for an array of float32, float64, int32, int64 or uint8; the same array gives the same
/// bytes.
[[nodiscard]] std::string npy_bytes(const Array& array);
void write_npy(FileSystem& files, const std::string& path, const Array& array);

}  // namespace ingot::data
