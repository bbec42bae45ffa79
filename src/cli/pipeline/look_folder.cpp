// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/look_folder.h"

#include <filesystem>
#include <system_error>

#include "cli/pipeline/run_folder.h"

namespace ingot::cli {
namespace {

constexpr const char* kData[] = {"data", "tokenizer"};
constexpr const char* kRecords = "stages";

using PutFile = void (*)(const std::string& file, const std::string& to, std::error_code& problem);

void put_symlink(const std::string& file, const std::string& to, std::error_code& problem) {
  std::filesystem::create_symlink(std::filesystem::absolute(file), to, problem);
}

void put_copy(const std::string& file, const std::string& to, std::error_code& problem) {
  std::filesystem::copy_file(file, to, problem);
}

void put_hard_link(const std::string& file, const std::string& to, std::error_code& problem) {
  std::filesystem::create_hard_link(std::filesystem::canonical(file), to, problem);
  if (problem) put_copy(file, to, problem);  // another disk, or one without links
}

/// Every file of the folder `part` of `from` in that of `to`. A temporary one is not: its next
/// writer would write through the link.
void put_files(FileSystem& files, const std::string& from, const std::string& to, const char* part,
               PutFile put) {
  const std::string source = join_path(from, part), target = join_path(to, part);
  if (!directory_exists(source)) return;
  make_directories(files, target);
  for (const std::string& name : files.list(source)) {
    const std::string file = join_path(source, name);
    if (!file_exists(file) || name.ends_with(".tmp")) continue;
    std::error_code problem;
    put(file, join_path(target, name), problem);
    if (problem) fail_system("link", join_path(target, name), problem.value());
  }
}

}  // namespace

void share_stages(FileSystem& files, const std::string& from, const std::string& to) {
  for (const char* part : kData) put_files(files, from, to, part, put_hard_link);
  put_files(files, from, to, kRecords, put_copy);  // after what they tell of
}

LookFolder::LookFolder(const Invocation& invocation, const Recipe& recipe) : recipe_(recipe) {
  FileSystem& files = *invocation.files;
  if (invocation.is_fresh || !is_run_directory(recipe.out) || !holds_model(files, recipe.out)) {
    return;
  }
  scratch_.emplace();
  for (const char* part : kData) {
    put_files(files, recipe.out, scratch_->path(), part, put_symlink);
  }
  put_files(files, recipe.out, scratch_->path(), kRecords, put_symlink);
  recipe_.out = scratch_->path();
}

}  // namespace ingot::cli
