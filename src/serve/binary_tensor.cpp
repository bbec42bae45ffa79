// SPDX-License-Identifier: Apache-2.0
#include "serve/binary_tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "base/half.h"

namespace ingot::serve {
namespace {

static_assert(std::endian::native == std::endian::little);

using Cells = std::optional<std::vector<std::string>>;

/// IEEE 754 binary16, as it lies in a tensor.
struct Half {
  uint16_t bits;
};

/// NaN is a missing value: an empty cell.
template <class Value>
std::string cell_text(Value value) {
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(value)) return {};
  }
  return fmt::format("{}", value);
}
std::string cell_text(Half half) { return cell_text(half_to_float(half.bits)); }

template <class Value>
Cells read_values(int64_t count, std::string_view bytes) {
  if (bytes.size() != static_cast<uint64_t>(count) * sizeof(Value)) return std::nullopt;
  std::vector<std::string> cells;
  cells.reserve(static_cast<size_t>(count));
  for (size_t at = 0; at < bytes.size(); at += sizeof(Value)) {
    Value value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    cells.push_back(cell_text(value));
  }
  return cells;
}

Cells read_truths(int64_t count, std::string_view bytes) {
  if (bytes.size() != static_cast<uint64_t>(count)) return std::nullopt;
  std::vector<std::string> cells;
  for (const char byte : bytes) cells.emplace_back(byte != 0 ? "true" : "false");
  return cells;
}

Cells read_texts(int64_t count, std::string_view bytes) {
  std::vector<std::string> cells;
  while (!bytes.empty()) {
    uint32_t size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size) return std::nullopt;
    cells.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (cells.size() != static_cast<size_t>(count)) return std::nullopt;
  return cells;
}

struct BinaryReader {
  std::string_view datatype;
  Cells (*read)(int64_t count, std::string_view bytes);
};

constexpr BinaryReader kReaders[] = {{"BOOL", read_truths},
                                     {"UINT8", read_values<uint8_t>},
                                     {"UINT16", read_values<uint16_t>},
                                     {"UINT32", read_values<uint32_t>},
                                     {"UINT64", read_values<uint64_t>},
                                     {"INT8", read_values<int8_t>},
                                     {"INT16", read_values<int16_t>},
                                     {"INT32", read_values<int32_t>},
                                     {"INT64", read_values<int64_t>},
                                     {"FP16", read_values<Half>},
                                     {"FP32", read_values<float>},
                                     {"FP64", read_values<double>},
                                     {"BYTES", read_texts}};

}  // namespace

Cells read_binary_tensor(std::string_view datatype, int64_t count, std::string_view bytes) {
  for (const BinaryReader& reader : kReaders) {
    if (reader.datatype == datatype) return reader.read(count, bytes);
  }
  return std::nullopt;
}

std::string float_cell(std::string_view datatype, double value) {
  const bool is_single = (datatype == "FP32" || datatype == "FP16") &&
                         std::abs(value) <= double{std::numeric_limits<float>::max()};
  return is_single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

void append_binary(float value, std::string& to) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

void append_binary(std::string_view text, std::string& to) {
  const auto size = static_cast<uint32_t>(text.size());
  char bytes[sizeof size];
  std::memcpy(bytes, &size, sizeof size);
  to.append(bytes, sizeof size);
  to.append(text);
}

}  // namespace ingot::serve
