// SPDX-License-Identifier: Apache-2.0
// A FileSystem for tests: passes everything to another one, counts, and makes the n-th operation
// of a kind fail as a full or dying disk would, whole or after half its bytes (a torn write).
// `crash` keeps everything failing afterwards, as if the process had died there: nothing can be
// cleaned up. Used by tests of every writer (checkpoints, shards, event files) and by `doctor`.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"

namespace ingot {

enum class FileOp { kOpen, kWrite, kSync, kRename, kRemove, kSyncDirectory, kMakeDirectory };
inline constexpr int kFileOps = 7;

struct Fault {
  FileOp op = FileOp::kWrite;
  int64_t nth = 1;     ///< 1 = the first operation of this kind
  int error = ENOSPC;  ///< errno of the failure
  bool tear = false;   ///< a write: half of the bytes arrive before it fails
  bool crash = false;  ///< every later operation fails too
};

class FaultyFiles final : public FileSystem {
 public:
  /// `inner` must outlive this object and every file opened through it.
  explicit FaultyFiles(FileSystem& inner, std::vector<Fault> faults = {});

  std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void sync_directory(const std::string& path) override;
  void make_directory(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) override;

  [[nodiscard]] int64_t count(FileOp op) const { return counts_[static_cast<size_t>(op)]; }
  [[nodiscard]] int64_t bytes_written() const { return bytes_written_; }
  [[nodiscard]] bool crashed() const { return crashed_; }

 private:
  friend class FaultyFile;
  /// Counts the operation; returns the fault that strikes it, or nullptr.
  const Fault* strike(FileOp op);
  void check(FileOp op, std::string_view verb, const std::string& path);

  FileSystem& inner_;
  std::vector<Fault> faults_;
  std::array<int64_t, kFileOps> counts_{};
  int64_t bytes_written_ = 0;
  bool crashed_ = false;
  Fault after_crash_;
};

}  // namespace ingot
