// SPDX-License-Identifier: Apache-2.0
#include "cli/pipeline/made_folder.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <string_view>

#include <unistd.h>

#include "base/scratch_file.h"

namespace ingot::cli {
namespace {

/// Folders of a run that go with it when they hold nothing else.
constexpr std::string_view kParts[] = {"stages", "data", "tokenizer"};

bool is_part(std::string_view name) {
  return std::find(std::begin(kParts), std::end(kParts), name) != std::end(kParts);
}

/// Those of `path` and the folders above it that are not there, the innermost first.
std::vector<std::string> missing_folders(std::string path) {
  std::vector<std::string> missing;
  while (!path.empty() && !directory_exists(path)) {
    missing.push_back(path);
    std::string parent = parent_path(path);
    if (parent == path) break;
    path = std::move(parent);
  }
  return missing;
}

/// The nearest folder that is there can be written to.
bool can_be_made(const std::string& path) {
  const std::vector<std::string> missing = missing_folders(path);
  const std::string there = missing.empty() ? path : parent_path(missing.back());
  return access(there.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

void fail_out(const std::string& path, const std::string& name, const Error& error) {
  std::string proposed = "another folder";
  for (const std::string& other : {join_path("runs", name), join_path(scratch_folder(), name)}) {
    if (other == path || !can_be_made(other)) continue;
    proposed = "out=" + other;
    break;
  }
  fail(Code::kIo, "run: out={} cannot be written: {}. Use {}", path, error.what(), proposed);
}

MadeFolder::MadeFolder(FileSystem& files, const std::string& path, const std::string& name)
    : files_(files), made_(missing_folders(path)), errors_(std::uncaught_exceptions()) {
  try {
    make_directories(files, path);
  } catch (const Error& error) {
    remove_folders();
    if (error.code() != Code::kIo && error.code() != Code::kNotFound) throw;
    fail_out(path, name, error);
  }
}

MadeFolder::~MadeFolder() {
  if (made_.empty() || is_kept_ || std::uncaught_exceptions() <= errors_) return;
  try {
    if (!holds_only_own()) return;
    remove_files();
  } catch (const std::exception&) {
    return;  // what ended the command is what is told; a folder more does no harm
  }
  remove_folders();
}

bool MadeFolder::holds_only_own() const {
  for (const std::string& name : files_.list(made_.front())) {
    if (own_.contains(name)) continue;
    if (!is_part(name)) return false;
    for (const std::string& inner : files_.list(join_path(made_.front(), name))) {
      if (!own_.contains(join_path(name, inner))) return false;
    }
  }
  return true;
}

/// The lock last: while it is held no other process works in the folder.
void MadeFolder::remove_files() const {
  if (own_.empty()) return;  // it was never held
  const std::string& folder = made_.front();
  for (const std::string& name : own_) {
    if (name != kRunLock) files_.remove(join_path(folder, name));
  }
  for (const std::string_view part : kParts) files_.remove(join_path(folder, part));
  files_.remove(join_path(folder, kRunLock));
}

/// From the inside, as far as they are there and empty.
void MadeFolder::remove_folders() const noexcept {
  try {
    for (const std::string& made : made_) {
      if (directory_exists(made)) files_.remove(made);
    }
  } catch (const std::exception&) {
    // Another process has put something into it: then those above it are not empty either.
  }
}

}  // namespace ingot::cli
