// SPDX-License-Identifier: Apache-2.0
#include "data/formats/idx.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "base/checked.h"

namespace ingot::data {
namespace {

struct IdxType {
  uint8_t code;
  int64_t size;
  DType dtype;
};
constexpr IdxType kTypes[] = {{0x08, 1, DType::kU8},  {0x09, 1, DType::kI32},
                              {0x0B, 2, DType::kI32}, {0x0C, 4, DType::kI32},
                              {0x0D, 4, DType::kF32}, {0x0E, 8, DType::kF64}};

const IdxType& type_of(std::span<const std::byte> head, const std::string& where) {
  for (const IdxType& type : kTypes) {
    if (head[0] == std::byte{0} && head[1] == std::byte{0} && head[2] == std::byte{type.code}) {
      return type;
    }
  }
  fail(Code::kCorruptFile,
       "{}: begins with {:02x} {:02x} {:02x} {:02x}; an IDX file begins with 00 00, a type 08, 09, "
       "0b, 0c, 0d or 0e, and the number of axes",
       where, static_cast<int>(head[0]), static_cast<int>(head[1]), static_cast<int>(head[2]),
       static_cast<int>(head[3]));
}

/// Big-endian numbers of 1 or 2 bytes to int32.
std::vector<std::byte> widened(const std::vector<std::byte>& bytes, int64_t size) {
  const size_t count = bytes.size() / static_cast<size_t>(size);
  std::vector<std::byte> wide(count * 4);
  for (size_t i = 0; i < count; ++i) {
    const std::byte* p = bytes.data() + i * static_cast<size_t>(size);
    const int32_t value =
        size == 1
            ? static_cast<int8_t>(p[0])
            : static_cast<int16_t>(std::to_integer<int>(p[0]) << 8 | std::to_integer<int>(p[1]));
    std::memcpy(wide.data() + 4 * i, &value, 4);
  }
  return wide;
}

/// A head with the size of one number in the file.
struct IdxHead {
  ArrayHead array;
  int64_t number_bytes = 0;
  int64_t bytes = 0;  // of all numbers
};

IdxHead read_head(io::ByteSource& source) {
  const std::string where = fmt::format("idx: \"{}\"", source.name());
  const auto head = read_exactly(source, 4, "idx");
  const IdxType& type = type_of(head, where);
  const auto rank = static_cast<int>(head[3]);
  require(rank >= 1 && rank <= kMaxRank, Code::kCorruptFile, "{}: {} axes; 1 to {} are possible",
          where, rank, kMaxRank);
  const auto sizes = read_exactly(source, 4 * rank, "idx");
  IdxHead idx{{type.dtype, {}}, type.size, type.size};
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) {
    uint32_t size = 0;
    for (size_t k = 0; k < 4; ++k) size = size << 8 | std::to_integer<uint32_t>(sizes[4 * i + k]);
    idx.array.shape.push(size);
    idx.bytes = checked_mul(idx.bytes, int64_t{size}, where + ": size");
  }
  // Sizes that fit widened must fit too.
  (void)checked_mul(idx.bytes, int64_t{4}, where + ": size");
  return idx;
}

}  // namespace

ArrayHead read_idx_head(io::ByteSource& source) { return read_head(source).array; }

Array read_idx(io::ByteSource& source) {
  const IdxHead head = read_head(source);
  Array array{head.array, read_exactly(source, head.bytes, "idx")};
  require_end(source, "idx");
  if (head.number_bytes < dtype_size(array.dtype)) {
    array.bytes = widened(array.bytes, head.number_bytes);
  } else if (head.number_bytes > 1) {
    for (size_t at = 0; at < array.bytes.size(); at += static_cast<size_t>(head.number_bytes)) {
      const auto number = array.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      std::reverse(number, number + head.number_bytes);
    }
  }
  return array;
}

Array read_idx(const std::string& path) { return read_idx(*io::open_source(path)); }

}  // namespace ingot::data
