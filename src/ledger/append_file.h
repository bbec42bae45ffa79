// SPDX-License-Identifier: Apache-2.0
// A file that only grows: every append is one write to the operating system, so that what was
// appended survives the death of the process (not of the machine: for that call sync).
// Not a general file class (see base/files.h). Used by metrics.cpp and event_file.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace ingot::ledger {

class AppendFile {
 public:
  enum class Open {
    kKeep,  ///< create, or keep what is there
    kNew,   ///< create; a file that is already there is an error
  };
  AppendFile(const std::filesystem::path& path, Open mode);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  AppendFile& operator=(AppendFile&&) = delete;

  /// Writes all bytes. When the system takes only a part (disk full), the part is cut off again,
  /// so that the file never holds half a record, and Error{kIo} is thrown.
  void append(std::string_view bytes);
  /// Cuts the file to its first `bytes` bytes.
  void truncate(int64_t bytes);
  /// Waits until the disk has everything (fdatasync).
  void sync();

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int descriptor_;
  int64_t size_ = 0;
};

}  // namespace ingot::ledger
