// SPDX-License-Identifier: Apache-2.0
// A temporary folder with a name, for files that others open by theirs; it goes with this object,
// and stays when the process is killed. One file without a name is scratch_file.h. Used by verbs
// that look at a run without touching it, and by eval for the rows of another file.
#pragma once

#include <string>

namespace ingot {

class ScratchFolder {
 public:
  /// In `folder`; "": scratch_folder() of scratch_file.h. Throws kNotFound or kIo naming it.
  explicit ScratchFolder(const std::string& folder = "");
  /// Removes everything in it; what links lead to stays.
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ingot
