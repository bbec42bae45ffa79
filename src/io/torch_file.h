// SPDX-License-Identifier: Apache-2.0
// Checkpoints as torch.save writes them, both forms: the stream of before version 1.6 (pickles,
// then the numbers of each storage) and the zip file since. The tensors of all dicts and lists are
// listed under their keys joined by dots; other values are passed over. Code is never run: see
// pickle.h. Called by cli (import).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::io {

struct TorchTensor {
  std::string name;  ///< "state_dict.conv1.weight"
  DType dtype = DType::kF32;
  Shape shape;
  Strides strides{};                   ///< in elements
  std::span<const std::byte> storage;  ///< from the tensor's first element on
};

/// The tensors of a file in its order; their storages point into `bytes`. Throws kCorruptFile,
/// kUnsupported naming `what` and the part. Pure: this is what the fuzzer drives.
[[nodiscard]] std::vector<TorchTensor> parse_torch_file(std::span<const std::byte> bytes,
                                                        const std::string& what);

/// A mapped file.
class TorchFile {
 public:
  explicit TorchFile(const std::string& path);
  [[nodiscard]] const std::vector<TorchTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<TorchTensor> tensors_;
};

/// The numbers in row-major order as float32: of float32, float64 (rounded), float16, bfloat16.
/// Throws kDtypeMismatch for whole numbers.
[[nodiscard]] std::vector<float> torch_numbers(const TorchTensor& tensor);

}  // namespace ingot::io
