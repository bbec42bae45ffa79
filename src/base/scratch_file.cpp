// SPDX-License-Identifier: Apache-2.0
#include "base/scratch_file.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

namespace ingot {

std::string scratch_folder() {
  const char* named = std::getenv("TMPDIR");
  if (named != nullptr && *named != '\0') return named;
  return directory_exists("/var/tmp") ? "/var/tmp" : "/tmp";
}

ScratchFile::ScratchFile(const std::string& folder)
    : folder_(folder.empty() ? scratch_folder() : folder) {
  std::string name = join_path(folder_, "ingot_XXXXXX");
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail_system("temporary file (TMPDIR)", folder_, errno);
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

void ScratchFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), size_);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_system("temporary file (TMPDIR)", folder_, errno);
    size_ += written;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void ScratchFile::read_at(int64_t offset, std::span<std::byte> out) const {
  INGOT_ASSERT(offset >= 0 && offset + static_cast<int64_t>(out.size()) <= size_);
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_system("temporary file (TMPDIR)", folder_, got < 0 ? errno : EIO);
    offset += got;
    out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace ingot
