// SPDX-License-Identifier: Apache-2.0
// One tensor of an infer request of the Open Inference Protocol: its name, datatype and shape,
// checked against what the model can take, and its values, in JSON or raw behind it, on their way
// into cells. Which inputs a tensor stands for is open_inference's to say, which calls this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/instances.h"

namespace ingot::serve {

/// An entry of "inputs". Holds views into the request.
struct InputTensor {
  std::string name;
  std::string_view datatype;                      ///< "FP32", …
  std::vector<int64_t> shape;                     ///< 1 to 4 sizes, each at least 1
  int64_t size = 0;                               ///< their product
  std::vector<const Json*> values;                ///< of JSON, in row-major order
  std::optional<std::vector<std::string>> cells;  ///< of a raw tensor
  std::optional<std::string_view> pixels;         ///< of a raw tensor of pictures: its bytes

  /// [n, height, width, channels], or [height, width, channels] of one picture.
  [[nodiscard]] bool is_pictures() const { return shape.size() > 2; }
  /// Instances.
  [[nodiscard]] int64_t rows() const { return shape.size() == 3 ? 1 : shape[0]; }
};

/// Reads an entry of "inputs" and takes the bytes of a raw tensor off the front of `raw`. After an
/// error, which `in` has, the tensor is of no use.
[[nodiscard]] InputTensor read_input_tensor(InstanceReader& in, const Json& entry,
                                            std::string_view& raw);
/// For a tensor whose shape does not suit what it stands for.
void reject_shape(InstanceReader& in, const InputTensor& tensor);

/// Puts every value into its cell: value i into that of instance i / width and input first + i %
/// width. The rows must be there.
void put_cells(InstanceReader& in, InputTensor& tensor, size_t first, size_t width);
/// Puts every picture into its cell of `input`, as a file.
void put_pictures(InstanceReader& in, const InputTensor& tensor, size_t input);

/// A member that is there and not null, or nullptr.
[[nodiscard]] const Json* member_of(const Json& object, const char* key);
/// The same of an object's "parameters".
[[nodiscard]] const Json* parameter_of(const Json& entry, const char* key);

}  // namespace ingot::serve
