// SPDX-License-Identifier: Apache-2.0
// A stream of bytes that can start again: a plain file, a file packed with gzip or xz (told by the
// first bytes, whatever the name says), or bytes in memory. Memory is bounded by the packer's
// window, so a file larger than memory can be read. Not random access: base/files.h has that.
// Called by the readers of tables, images and arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace ingot::io {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills a front part of `out` and returns its length: at least 1 byte while there is one and
  /// `out` is not empty, 0 at the end. Errors name the file and where in it.
  virtual int64_t read(std::span<std::byte> out) = 0;
  /// Back to the first byte.
  virtual void rewind() = 0;
  /// The path (or name), for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// The bytes of a file, unpacked when it is gzip or xz. Throws kNotFound, kIo; while reading
/// kCorruptFile `gzip: "<path>": …` for a truncated or damaged file.
[[nodiscard]] std::unique_ptr<ByteSource> open_source(const std::string& path);

/// The same for packed or plain bytes in memory, which the source keeps.
[[nodiscard]] std::unique_ptr<ByteSource> memory_source(std::string bytes, std::string name);

/// The bytes of `source`, unpacked when they are gzip or xz, which its first six tell.
[[nodiscard]] std::unique_ptr<ByteSource> unpacked(std::unique_ptr<ByteSource> source);

/// Reads until `out` is full or the source ends; the number of bytes read.
int64_t read_fully(ByteSource& source, std::span<std::byte> out);

/// All that is left. Error{kInvalidArgument} when it is more than max_bytes.
[[nodiscard]] std::string read_all(ByteSource& source, int64_t max_bytes = int64_t{1} << 32);

}  // namespace ingot::io
