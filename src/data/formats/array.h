// SPDX-License-Identifier: Apache-2.0
// What array files hold: a dtype, a shape and the numbers in row-major order, in memory. Not a
// tensor: it belongs to no engine and no allocator. Made by npy.h and idx.h.
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

/// What the head of an array file announces.
struct ArrayHead {
  DType dtype = DType::kF32;
  Shape shape;
};

struct Array : ArrayHead {
  std::vector<std::byte> bytes;  ///< shape.size() elements, little-endian

  /// The numbers as T, which must be the array's dtype: Error{kDtypeMismatch} otherwise.
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    require(DTypeOf<T>::kValue == dtype, Code::kDtypeMismatch, "array: holds {}, not {}",
            dtype_name(dtype), dtype_name(DTypeOf<T>::kValue));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Exactly `size` bytes, or Error{kCorruptFile} `<what>: "<name>": ends after … of … bytes`. Memory
/// grows with what is really there, so a lie about the size costs nothing.
[[nodiscard]] std::vector<std::byte> read_exactly(io::ByteSource& source, int64_t size,
                                                  std::string_view what);
/// Error{kCorruptFile} `<what>: "<name>": more bytes follow …` unless the source is at its end.
void require_end(io::ByteSource& source, std::string_view what);

}  // namespace ingot::data
