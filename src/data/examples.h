// SPDX-License-Identifier: Apache-2.0
// Examples of fixed size in one file: what a table, a text or an image is after its transforms,
// ready to be copied into a batch. Records lie back to back, so any one is found without an index
// and the order of an epoch is only a matter of numbers. The writer streams; the reader checks
// every number of the footer against the size of the file before it uses it. Format:
// docs/formats/examples.md. Written by data/table_examples, read by train/supervised_task.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace ingot::data {

struct ExampleField {
  std::string name;
  DType dtype = DType::kF32;  ///< float32, int32 or uint8
  Shape shape;                ///< of one example
  int64_t offset = 0;         ///< bytes from the start of the record; set by ExampleLayout

  [[nodiscard]] int64_t bytes() const { return shape.size() * dtype_size(dtype); }
};

class ExampleLayout {
 public:
  ExampleLayout() = default;
  /// Sets the offsets, each a multiple of 4, in the order given. Throws kInvalidArgument for no
  /// field, a name given twice, or another dtype.
  explicit ExampleLayout(std::vector<ExampleField> fields);

  [[nodiscard]] const std::vector<ExampleField>& fields() const { return fields_; }
  [[nodiscard]] int64_t record_bytes() const { return record_bytes_; }
  /// nullptr when there is none.
  [[nodiscard]] const ExampleField* find(std::string_view name) const;

 private:
  std::vector<ExampleField> fields_;
  int64_t record_bytes_ = 0;
};

/// Streams records into an open file; see ShardWriter for the way to write one atomically.
class ExampleWriter {
 public:
  ExampleWriter(WritableFile& file, ExampleLayout layout);
  /// record.size() == record_bytes().
  void add(std::span<const std::byte> record);
  /// Writes the footer; returns the number of examples. Call once, last.
  int64_t finish();

 private:
  void flush();

  WritableFile& file_;
  ExampleLayout layout_;
  std::vector<std::byte> buffer_;
  int64_t rows_ = 0;
};

/// Examples of one file, or of memory, read only. const members may be called from any thread.
class ExampleReader {
 public:
  /// Throws kNotFound, kIo, or kCorruptFile naming what contradicts.
  explicit ExampleReader(const std::string& path);
  /// Records that are in memory already, whole ones; `name` stands for the path in messages.
  ExampleReader(std::string name, ExampleLayout layout, std::vector<std::byte> records);

  [[nodiscard]] const ExampleLayout& layout() const { return layout_; }
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Example `row`; of a file in the mapped file: a page is read when it is first looked at.
  [[nodiscard]] std::span<const std::byte> row(int64_t row) const {
    INGOT_ASSERT(row >= 0 && row < rows_);
    return {records_ + row * layout_.record_bytes(), static_cast<size_t>(layout_.record_bytes())};
  }

 private:
  std::string path_;
  MappedFile file_;
  std::vector<std::byte> memory_;
  const std::byte* records_ = nullptr;  // in file_ or memory_
  ExampleLayout layout_;
  int64_t rows_ = 0;
};

}  // namespace ingot::data
