// SPDX-License-Identifier: Apache-2.0
#include "base/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/files.h"
#include "base/scratch_file.h"

namespace ingot {

ScratchFolder::ScratchFolder(const std::string& folder) {
  const std::string parent = folder.empty() ? scratch_folder() : folder;
  path_ = join_path(parent, "ingot_XXXXXX");
  if (::mkdtemp(path_.data()) == nullptr) fail_system("temporary folder (TMPDIR)", parent, errno);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace ingot
