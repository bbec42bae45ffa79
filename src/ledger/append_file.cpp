// SPDX-License-Identifier: Apache-2.0
// Append-only file over POSIX calls. Invariant: size_ is what the file holds, and it ends at a
// record border, whatever happened during an append.
#include "ledger/append_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace ingot::ledger {

AppendFile::AppendFile(const std::filesystem::path& path, Open mode) : path_(path) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mode == Open::kNew ? O_EXCL : 0);
  descriptor_ = ::open(path.c_str(), flags, 0644);
  require(descriptor_ >= 0, Code::kIo, "open {}: {}", path.string(), std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    ::close(descriptor_);
    fail(Code::kIo, "open {}: {}", path.string(), std::strerror(error));
  }
  size_ = status.st_size;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

void AppendFile::append(std::string_view bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
    if (n >= 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    const int error = errno;
    // Best effort: when even this fails, the reader's tolerance of a torn last record remains.
    const bool cut = written == 0 || ::ftruncate(descriptor_, size_) == 0;
    fail(Code::kIo, "append {} bytes to {}: {}{}", bytes.size(), path_.string(),
         std::strerror(error),
         cut ? "; the file was left as before" : "; its last record is incomplete");
  }
  size_ += static_cast<int64_t>(bytes.size());
}

void AppendFile::truncate(int64_t bytes) {
  require(::ftruncate(descriptor_, bytes) == 0, Code::kIo, "cut {} to {} bytes: {}", path_.string(),
          bytes, std::strerror(errno));
  size_ = bytes;
}

void AppendFile::sync() {
  require(::fdatasync(descriptor_) == 0, Code::kIo, "flush {} to the disk: {}", path_.string(),
          std::strerror(errno));
}

}  // namespace ingot::ledger
