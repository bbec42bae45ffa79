// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/look_folder.h"

#include <filesystem>
#include <system_error>

#include "cli/pipeline/run_folder.h"

namespace ingot::cli {
namespace {

/// Every file of `from` as a link in `to`. A temporary one is not: its next writer would write
/// through the link.
void link_files(FileSystem& files, const std::string& from, const std::string& to) {
  if (!directory_exists(from)) return;
  make_directories(files, to);
  for (const std::string& name : files.list(from)) {
    const std::string file = join_path(from, name);
    if (!file_exists(file) || name.ends_with(".tmp")) continue;
    std::error_code problem;
    std::filesystem::create_symlink(std::filesystem::absolute(file), join_path(to, name), problem);
    if (problem) fail_system("link", join_path(to, name), problem.value());
  }
}

}  // namespace

void link_stages(FileSystem& files, const std::string& from, const std::string& to) {
  for (const char* part : {"data", "tokenizer", "stages"}) {  // records after what they tell of
    link_files(files, join_path(from, part), join_path(to, part));
  }
}

LookFolder::LookFolder(const Invocation& invocation, const Recipe& recipe) : recipe_(recipe) {
  FileSystem& files = *invocation.files;
  if (invocation.is_fresh || !is_run_directory(recipe.out) || !holds_model(files, recipe.out)) {
    return;
  }
  scratch_.emplace();
  link_stages(files, recipe.out, scratch_->path());
  recipe_.out = scratch_->path();
}

}  // namespace ingot::cli
