// SPDX-License-Identifier: Apache-2.0
// The raw form of tensors in the Open Inference Protocol's binary extension: little-endian values
// without gaps; a text is its length in 4 bytes and its bytes. Values become the texts that a table
// would hold. Called by open_inference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::serve {

/// `count` values of a datatype ("FP32", "BYTES", …) as cells; nothing unless the bytes are exactly
/// those. A number is its shortest text: the float32 0.1 gives "0.1". A float16 is the float32 of
/// the same value. NaN is a missing value: an empty cell.
[[nodiscard]] std::optional<std::vector<std::string>> read_binary_tensor(std::string_view datatype,
                                                                         int64_t count,
                                                                         std::string_view bytes);

/// The cell that a number in the JSON of such a tensor has as a category or text, so that it is the
/// one of the raw tensor: 4.0 is "4".
[[nodiscard]] std::string float_cell(std::string_view datatype, double value);

void append_binary(float value, std::string& to);
void append_binary(std::string_view text, std::string& to);

}  // namespace ingot::serve
