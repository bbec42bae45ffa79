// SPDX-License-Identifier: Apache-2.0
// safetensors: named tensors in one file that can be mapped (Hugging Face's format).
//   offset 0            u64 little endian: header size n, at most 100 MB
//   offset 8            n bytes of JSON: {"name": {"dtype": "F32", "shape": [2, 3],
//                       "data_offsets": [begin, end]}, …, "__metadata__": {"key": "value"}}
//   offset 8 + n        the data; offsets count from here, ranges cover it without gap or overlap
// Elements are little endian, row-major. docs/formats/safetensors.md. Every size is checked against
// the file before anything is allocated. Called by models (weights) and train (checkpoints).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::io {

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  int64_t begin = 0;  ///< bytes from the start of the data
  int64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  ///< in the order of the data
  std::map<std::string, std::string> metadata;
  int64_t data_begin = 0;  ///< offset of the data in the file
};

/// Reads and checks a header. `bytes` is the file's beginning (at least the whole header),
/// file_size its size. Throws kCorruptFile naming `what`, the tensor and the contradiction;
/// kUnsupported for a dtype that is not here. Pure: this is what the fuzzer drives.
[[nodiscard]] SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes,
                                                  int64_t file_size, const std::string& what);

/// A mapped file.
class Safetensors {
 public:
  explicit Safetensors(const std::string& path);

  [[nodiscard]] const SafetensorsHeader& header() const { return header_; }
  [[nodiscard]] const TensorInfo* find(const std::string& name) const;
  /// Throws kNotFound naming the nearest tensor.
  [[nodiscard]] const TensorInfo& at(const std::string& name) const;
  [[nodiscard]] std::span<const std::byte> bytes(const TensorInfo& info) const;
  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// Lets the system drop the pages read so far, so that a copied file does not stay in memory.
  void forget() const { file_.advise(Advice::kDontNeed); }

 private:
  MappedFile file_;
  SafetensorsHeader header_;
};

/// One tensor to write. `dtype` q8 and q4 are written as U8 with their shape in the metadata by the
/// caller (compress/), so `shape` is the shape of the bytes then.
struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::span<const std::byte> bytes;
};

/// Writes tensors in the given order, atomically; the data begins at a multiple of 64 bytes.
void write_safetensors(FileSystem& files, const std::string& path,
                       const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ingot::io
