// SPDX-License-Identifier: Apache-2.0
// What array files hold: a dtype, a shape and the numbers in row-major order, in memory. Not a
// tensor: it belongs to no engine and no allocator. ImageSet is the special case of labelled
// pictures of one size. Made by npy.h, idx.h and cifar.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/byte_source.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::data {

struct Array {
  DType dtype = DType::kF32;
  Shape shape;
  std::vector<std::byte> bytes;  ///< shape.size() elements, little-endian

  /// The numbers as T, which must be the array's dtype: Error{kDtypeMismatch} otherwise.
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    require(DTypeOf<T>::kValue == dtype, Code::kDtypeMismatch, "array: holds {}, not {}",
            dtype_name(dtype), dtype_name(DTypeOf<T>::kValue));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Pictures of one size with a class each.
struct ImageSet {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> pixels;  ///< [count, height, width, channels]
  std::vector<int32_t> labels;  ///< [count]; empty when the file has none
};

/// Exactly `size` bytes, or Error{kCorruptFile} `<what>: "<name>": ends after … of … bytes`. Memory
/// grows with what is really there, so a lie about the size costs nothing.
[[nodiscard]] std::vector<std::byte> read_exactly(io::ByteSource& source, int64_t size,
                                                  std::string_view what);
/// Error{kCorruptFile} `<what>: "<name>": more bytes follow …` unless the source is at its end.
void require_end(io::ByteSource& source, std::string_view what);

}  // namespace ingot::data
