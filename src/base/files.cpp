// SPDX-License-Identifier: Apache-2.0
// See files.h: reading and the real FileSystem, on POSIX calls. Every call that the system may
// interrupt is repeated. Folder walks live in files_list.cpp.
#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/text.h"

namespace ingot {
namespace {

constexpr size_t kStreamBlock = 1 << 16;

// The result of a call, repeated while it is interrupted.
template <class Call>
auto uninterrupted(const Call& call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// A descriptor that closes itself.
struct Descriptor {
  int number = -1;
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int release() { return std::exchange(number, -1); }
};

int open_for_reading(const std::string& path, struct stat& status, int flags = 0) {
  Descriptor file(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags); }));
  if (file.number < 0 || fstat(file.number, &status) != 0) fail_system("read", path, errno);
  require(!S_ISDIR(status.st_mode), Code::kInvalidArgument,
          "read: \"{}\" is a folder, a file is needed", path);
  return file.release();
}

// A pipe is opened without waiting for its writer, to be refused.
int open_regular(const std::string& path, int64_t& size) {
  struct stat status {};
  Descriptor file(open_for_reading(path, status, O_NONBLOCK));
  require(S_ISREG(status.st_mode), Code::kInvalidArgument,
          "read: \"{}\" is a pipe or device, a regular file is needed: copy it to one first", path);
  size = status.st_size;
  return file.release();
}

void require_size(const std::string& path, int64_t size, int64_t max_bytes) {
  require(size <= max_bytes, Code::kInvalidArgument,
          "read: \"{}\" holds {} or more, the limit is {}", path, human_bytes(size),
          human_bytes(max_bytes));
}

class RealFile final : public WritableFile {
 public:
  RealFile(std::string path, int descriptor) : path_(std::move(path)), file_(descriptor) {}

  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written =
          uninterrupted([&] { return ::write(file_.number, bytes.data(), bytes.size()); });
      if (written < 0) fail_system("write", path_, errno);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }

  void sync() override {
    if (uninterrupted([&] { return ::fsync(file_.number); }) == 0) return;
    if (errno == EINVAL || errno == EROFS) return;  // a pipe or device: nothing to flush
    fail_system("sync", path_, errno);
  }

 private:
  std::string path_;
  Descriptor file_;
};

// Opens and locks `path`; -1 when the locked file is no longer the one of that name, because its
// writer renamed it between our two calls.
int open_locked(const std::string& path) {
  Descriptor file(
      uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666); }));
  if (file.number < 0) fail_system("write", path, errno);
  const int locked = uninterrupted([&] { return ::flock(file.number, LOCK_EX | LOCK_NB); });
  require(locked == 0 || errno != EWOULDBLOCK, Code::kIo,
          "write: \"{}\" is being written by another process. Wait for it or stop it.", path);
  struct stat ours {};
  struct stat named {};
  if (fstat(file.number, &ours) != 0) fail_system("write", path, errno);
  const bool same =
      stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
  if (!same) return -1;
  if (S_ISREG(ours.st_mode) && ftruncate(file.number, 0) != 0) fail_system("write", path, errno);
  return file.release();
}

class RealFiles final : public FileSystem {
 public:
  std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) override {
    constexpr int kAppendFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int file = -1;
    if (mode == OpenMode::kAppend) {
      file = uninterrupted([&] { return ::open(path.c_str(), kAppendFlags, 0666); });
      if (file < 0) fail_system("write", path, errno);
    }
    while (file < 0) file = open_locked(path);
    return std::make_unique<RealFile>(path, file);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail_system("rename to", to, errno);
  }

  void remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0 && errno != ENOENT) fail_system("remove", path, errno);
  }

  void sync_directory(const std::string& path) override {
    const Descriptor folder(
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (folder.number < 0) fail_system("sync", path, errno);
    if (uninterrupted([&] { return ::fsync(folder.number); }) == 0) return;
    if (errno == EINVAL) return;  // file systems without folders to flush
    fail_system("sync", path, errno);
  }

  void make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0777) == 0) return;
    const int error = errno;
    if (error == EEXIST && directory_exists(path)) return;
    fail_system("make folder", path, error);
  }

  std::vector<std::string> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
    if (!folder) fail_system("list", path, errno);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(folder.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

void fail_system(std::string_view verb, const std::string& path, int error) {
  const std::string reason = std::generic_category().message(error);
  const Code code = error == ENOENT || error == ENOTDIR ? Code::kNotFound : Code::kIo;
  require(error != ENOMEM, Code::kOutOfMemory,
          "{}: \"{}\": {}. The system gives no more ({}): raise that limit or end what takes it",
          verb, path, reason, scarcity());
  if (error == ENOSPC || error == EDQUOT) {
    const int64_t free = free_disk_bytes(parent_path(path));
    fail(code, "{}: \"{}\": {} ({} free there). Free some space or choose another folder.", verb,
         path, reason, free < 0 ? std::string("unknown space") : human_bytes(free));
  }
  require(error != EFBIG, code,
          "{}: \"{}\": {}. Raise the limit of this shell (ulimit -f unlimited), or write to a file "
          "system that takes larger files.",
          verb, path, reason);
  require(error != EMFILE && error != ENFILE, code,
          "{}: \"{}\": {}. Raise the limit of open files (ulimit -n)", verb, path, reason);
  fail(code, "{}: \"{}\": {}", verb, path, reason);
}

std::string read_file(const std::string& path, int64_t max_bytes) {
  struct stat status {};
  const Descriptor file(open_for_reading(path, status));
  require_size(path, status.st_size, max_bytes);
  // The size is a hint: files of /proc report 0, pipes have none, and a file may still grow.
  std::string text;
  size_t filled = 0;
  while (true) {
    const size_t hint = filled == 0 ? static_cast<size_t>(status.st_size) + 1 : filled * 2;
    if (filled == text.size()) text.resize(std::max(hint, filled + kStreamBlock));
    const ssize_t got = uninterrupted(
        [&] { return ::read(file.number, text.data() + filled, text.size() - filled); });
    if (got < 0) fail_system("read", path, errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    require_size(path, static_cast<int64_t>(filled), max_bytes);
  }
  text.resize(filled);
  return text;
}

std::string read_regular_file(const std::string& path, int64_t max_bytes) {
  const ReadableFile file(path);
  require_size(path, file.size(), max_bytes);
  std::string text(static_cast<size_t>(file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool directory_exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

int64_t file_size(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) fail_system("read", path, errno);
  return status.st_size;
}

std::string join_path(std::string_view dir, std::string_view name) {
  if (dir.empty()) return std::string(name);
  return fmt::format("{}{}{}", dir, dir.back() == '/' ? "" : "/", name);
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

bool is_inside(const std::string& path, const std::string& folder) {
  namespace fs = std::filesystem;
  const auto resolved = [](const std::string& place) {
    std::error_code problem;
    const fs::path whole = fs::absolute(place, problem);
    fs::path followed = fs::weakly_canonical(whole, problem);
    return problem ? whole.lexically_normal() : followed;
  };
  const fs::path whole = resolved(path), part = resolved(folder);
  return std::mismatch(part.begin(), part.end(), whole.begin(), whole.end()).first == part.end();
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Descriptor file(open_regular(path, size_));
  if (size_ == 0) return;
  void* memory = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_PRIVATE, file.number, 0);
  if (memory == MAP_FAILED) fail_system("map", path, errno);
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), static_cast<size_t>(size_));
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::string_view MappedFile::text() const {
  return {reinterpret_cast<const char*>(data_), static_cast<size_t>(size_)};
}

void MappedFile::advise(Advice advice) const {
  if (data_ == nullptr) return;
  const int flag = advice == Advice::kSequential ? MADV_SEQUENTIAL
                   : advice == Advice::kRandom   ? MADV_RANDOM
                   : advice == Advice::kWillNeed ? MADV_WILLNEED
                   : advice == Advice::kDontNeed ? MADV_DONTNEED
                                                 : MADV_NORMAL;
  // Advice may be refused without harm.
  static_cast<void>(madvise(const_cast<std::byte*>(data_), static_cast<size_t>(size_), flag));
}

ReadableFile::ReadableFile(const std::string& path)
    : path_(path), descriptor_(open_regular(path, size_)) {}

ReadableFile::~ReadableFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ReadableFile::ReadableFile(ReadableFile&& other) noexcept
    : path_(std::move(other.path_)),
      size_(std::exchange(other.size_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

ReadableFile& ReadableFile::operator=(ReadableFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void ReadableFile::read_at(int64_t offset, std::span<std::byte> out) const {
  const auto size = static_cast<int64_t>(out.size());
  require(offset >= 0 && offset <= size_ && size <= size_ - offset, Code::kCorruptFile,
          "read: \"{}\": {} bytes at {} are needed, the file has {}", path_, size, offset, size_);
  while (!out.empty()) {
    const ssize_t got =
        uninterrupted([&] { return ::pread(descriptor_, out.data(), out.size(), offset); });
    if (got < 0) fail_system("read", path_, errno);
    require(got > 0, Code::kCorruptFile, "read: \"{}\" became shorter while it was read", path_);
    out = out.subspan(static_cast<size_t>(got));
    offset += got;
  }
}

void WritableFile::write_text(std::string_view text) { write(std::as_bytes(std::span(text))); }

std::unique_ptr<FileSystem> real_files() { return std::make_unique<RealFiles>(); }

}  // namespace ingot
