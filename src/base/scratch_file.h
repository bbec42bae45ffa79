// SPDX-License-Identifier: Apache-2.0
// A temporary file without a name: what does not fit into memory waits in it, and it is gone when
// it is closed, however the process ends. Written at its end, read anywhere. Not a FileSystem's
// business: nothing of it lasts. Used by data/external_sort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ingot {

/// Where temporary files go: $TMPDIR, else /var/tmp, which is on a disk where /tmp may be memory.
[[nodiscard]] std::string scratch_folder();

class ScratchFile {
 public:
  /// In `folder`; "": scratch_folder(). Throws kNotFound or kIo naming the folder.
  explicit ScratchFile(const std::string& folder = "");
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  [[nodiscard]] int64_t size() const { return size_; }
  /// All of them, behind what is there. Throws kIo, naming the free space when the disk is full.
  void append(std::span<const std::byte> bytes);
  /// Fills `out` from `offset`; both within the file.
  void read_at(int64_t offset, std::span<std::byte> out) const;

 private:
  std::string folder_;
  int64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace ingot
