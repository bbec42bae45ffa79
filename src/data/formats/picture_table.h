// SPDX-License-Identifier: Apache-2.0
// Raw pictures of one size as a table: a column "image", whose cells are PGM or PPM files in memory
// (io/image.h), and a column "class" when there are labels. What the pixels come from is a
// PictureSource: cifar.h, array_pictures.h. Folders of picture files are image_folder.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/formats/table.h"
#include "io/byte_source.h"

namespace ingot::data {

inline constexpr const char* kImageColumn = "image";
inline constexpr const char* kClassColumn = "class";

struct PictureShape {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;  ///< 1 or 3

  [[nodiscard]] int64_t size() const { return height * width * channels; }
};

/// Pictures one after the other, in bounded memory.
class PictureSource {
 public:
  virtual ~PictureSource() = default;
  [[nodiscard]] virtual PictureShape shape() const = 0;
  [[nodiscard]] virtual bool has_labels() const = 0;
  /// Appends the bytes [height, width, channels] to `cell` and sets the label; false at the end.
  /// Throws kCorruptFile.
  virtual bool next(std::string& cell, int32_t& label) = 0;
  virtual void rewind() = 0;
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// Appends the next `size` bytes of a file; false when it ends first. Memory grows with what is
/// really there, so a lie about the size costs nothing.
[[nodiscard]] bool append_pixels(io::ByteSource& source, int64_t size, std::string& cell);

/// `classes` names the labels; empty: their numbers are their names.
[[nodiscard]] std::unique_ptr<TableReader> picture_table(std::unique_ptr<PictureSource> source,
                                                         std::vector<std::string> classes);

/// The lines of a small text file without spaces at their ends and empty ones: names of classes.
/// Nothing when there is no such file.
[[nodiscard]] std::vector<std::string> class_names(const std::string& path);

}  // namespace ingot::data
