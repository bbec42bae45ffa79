// SPDX-License-Identifier: Apache-2.0
// The folder of a run as this command found or made it. A recipe that is refused before any work is
// done leaves nothing behind: where an error ends the command and the folder holds nothing but the
// records that this command wrote there, the folder goes again, and those above it that were made
// for it. Whatever else lies in it, it stays, and so does a folder that was there before. Records
// are owned once the lock of the folder is held, and go before it is let go of: those of another
// process that works in the same new folder are never taken for this command's.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace ingot::cli {

/// The file of the folder that is locked, by its path in it.
inline constexpr std::string_view kRunLock = "run.lock";

class MadeFolder {
 public:
  /// Makes what is not there of `path`, as mkdir -p does. Throws kIo naming `out`, the system's
  /// reason and a folder that can be written, out of runs/NAME and the temporary one; what was made
  /// until then goes again.
  MadeFolder(FileSystem& files, const std::string& path, const std::string& name);
  /// Removes what was made, as above; never throws. To be destroyed before the lock.
  ~MadeFolder();
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;

  /// A file of this command that is no loss, by its path in the folder: "recipe.yaml". Once the
  /// lock is held, and it too.
  void own(std::string_view name) { own_.emplace(name); }
  /// Something was done that is worth keeping.
  void keep() { is_kept_ = true; }

 private:
  [[nodiscard]] bool holds_only_own() const;
  void remove_files() const;
  void remove_folders() const noexcept;

  FileSystem& files_;
  std::vector<std::string> made_;  // the folder itself first, then those above it
  std::set<std::string> own_;
  int errors_;  // under way when it was made
  bool is_kept_ = false;
};

/// Throws `error`, which came of making or writing the folder of a run, as kIo naming the key `out`
/// and a value that works.
[[noreturn]] void fail_out(const std::string& path, const std::string& name, const Error& error);

}  // namespace ingot::cli
