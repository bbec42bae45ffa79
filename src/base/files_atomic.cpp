// SPDX-License-Identifier: Apache-2.0
// write_atomically and folder making on top of a FileSystem (see files.h). The order of the steps
// is the guarantee: bytes, fsync, rename, fsync of the folder; a power cut between any two of them
// leaves the old file or the new one. The temporary's name is fixed, so one left by a killed
// process is overwritten by the next write instead of piling up.
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"

namespace ingot {
namespace {

void remove_quietly(FileSystem& files, const std::string& path) {
  try {
    files.remove(path);
  } catch (const Error&) {
    // The first error is the one to report; the next write replaces the leftover.
  }
}

bool is_real_directory(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

void write_atomically(FileSystem& files, const std::string& path,
                      const std::function<void(WritableFile&)>& writer) {
  const std::string temporary = fmt::format("{}.tmp", path);
  bool opened = false;
  try {
    // Stays open, and thereby locked, until it has its final name.
    const std::unique_ptr<WritableFile> file = files.open(temporary, OpenMode::kTruncate);
    opened = true;
    writer(*file);
    file->sync();
    files.rename(temporary, path);
  } catch (const Error& error) {
    if (opened) remove_quietly(files, temporary);
    if (error.code() != Code::kIo || !file_exists(path)) throw;
    const std::string_view cause = error.what();
    throw Error(Code::kIo, fmt::format("{}{} The previous \"{}\" is unchanged.", cause,
                                       cause.ends_with('.') ? "" : ".", path));
  } catch (...) {
    if (opened) remove_quietly(files, temporary);
    throw;
  }
  files.sync_directory(parent_path(path));
}

void write_atomically(FileSystem& files, const std::string& path,
                      std::span<const std::byte> bytes) {
  write_atomically(files, path, [&](WritableFile& file) { file.write(bytes); });
}

void write_atomically(FileSystem& files, const std::string& path, std::string_view text) {
  write_atomically(files, path, std::as_bytes(std::span(text)));
}

void make_directories(FileSystem& files, const std::string& path) {
  if (path.empty() || directory_exists(path)) return;
  const std::string parent = parent_path(path);
  if (parent != path) make_directories(files, parent);
  files.make_directory(path);
  files.sync_directory(parent);
}

void remove_tree(FileSystem& files, const std::string& path) {
  if (is_real_directory(path)) {
    for (const std::string& name : files.list(path)) remove_tree(files, join_path(path, name));
  }
  files.remove(path);
}

}  // namespace ingot
