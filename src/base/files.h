// SPDX-License-Identifier: Apache-2.0
// Files: reading whole, mapped or at an offset; writing through a FileSystem that tests replace;
// and write_atomically, which every checkpoint and index goes through: after it returns the new
// bytes are on the disk under `path`, and if it throws (or the machine dies) the old ones still
// are. Errors are Error{kIo} or Error{kNotFound} and name the path and the system's reason. Not a
// general file API: no seeking writes, no permissions. Paths are UTF-8 or raw bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

/// Throws the error of a failed system call: `<verb>: "<path>": <reason of errno>`, with the free
/// space when the disk is full and the limit to raise when too many files are open. Code kNotFound
/// for a missing path, kOutOfMemory where the system gives no more, else kIo.
[[noreturn]] void fail_system(std::string_view verb, const std::string& path, int error);

/// The whole file. Error{kInvalidArgument} when it holds more than max_bytes.
[[nodiscard]] std::string read_file(const std::string& path, int64_t max_bytes = int64_t{1} << 40);

/// The same of a regular file alone, whose size is known before a byte is read. Throws
/// kInvalidArgument for a pipe or device, without waiting for its writer, and for a folder.
[[nodiscard]] std::string read_regular_file(const std::string& path, int64_t max_bytes);

[[nodiscard]] bool file_exists(const std::string& path);  ///< a regular file (links are followed)
[[nodiscard]] bool directory_exists(const std::string& path);
[[nodiscard]] int64_t file_size(const std::string& path);

/// "<dir>/<name>"; `dir` empty gives `name`.
[[nodiscard]] std::string join_path(std::string_view dir, std::string_view name);
/// The folder part ("." when there is none) and the last part of a path.
[[nodiscard]] std::string parent_path(std::string_view path);
[[nodiscard]] std::string base_name(std::string_view path);
/// True when `path` is `folder` or lies below it, through links; neither needs to be there.
[[nodiscard]] bool is_inside(const std::string& path, const std::string& folder);

enum class Advice { kNormal, kSequential, kRandom, kWillNeed, kDontNeed };

/// A whole file mapped read-only. A file that another process shortens afterwards raises SIGBUS on
/// access, so readers check sizes at open and writers replace files instead of shortening them.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return {data_, static_cast<size_t>(size_)};
  }
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] const std::string& path() const { return path_; }
  void advise(Advice advice) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

/// An open file read by offset (pread), without mapping: no page faults beyond the read itself.
class ReadableFile {
 public:
  explicit ReadableFile(const std::string& path);
  ~ReadableFile();
  ReadableFile(ReadableFile&& other) noexcept;
  ReadableFile& operator=(ReadableFile&& other) noexcept;

  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Fills `out` from `offset`, or Error{kCorruptFile} when the file ends first. Thread-safe.
  void read_at(int64_t offset, std::span<std::byte> out) const;

 private:
  std::string path_;
  int64_t size_ = 0;  // before descriptor_: opening sets both
  int descriptor_ = -1;
};

/// A file open for writing. The destructor closes it without checking; call sync for safety.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void write(std::span<const std::byte> bytes) = 0;  ///< all of them, or throws
  virtual void sync() = 0;                                   ///< fsync
  void write_text(std::string_view text);
};

enum class OpenMode {
  kTruncate,  ///< create or empty; refused while another process writes the same file
  kAppend,    ///< create or continue at the end
};

/// Where bytes get written. Tests pass FaultyFiles (base/faulty_files.h).
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) = 0;  ///< a file or empty folder; missing is fine
  virtual void sync_directory(const std::string& path) = 0;
  virtual void make_directory(const std::string& path) = 0;  ///< existing is fine
  /// Names in a folder, without "." and "..", sorted by bytes.
  virtual std::vector<std::string> list(const std::string& path) = 0;
};

/// The file system of the machine.
[[nodiscard]] std::unique_ptr<FileSystem> real_files();

/// Replaces `path`: writes "<path>.tmp", fsync, rename, fsync of the folder. On failure removes
/// the temporary, leaves the previous file as it was and rethrows, with the free space named when
/// the disk is full. One writer per path at a time.
void write_atomically(FileSystem& files, const std::string& path,
                      const std::function<void(WritableFile&)>& writer);
void write_atomically(FileSystem& files, const std::string& path, std::span<const std::byte> bytes);
void write_atomically(FileSystem& files, const std::string& path, std::string_view text);

/// Like mkdir -p.
void make_directories(FileSystem& files, const std::string& path);
/// Like rm -r, never through a symbolic link; missing is fine.
void remove_tree(FileSystem& files, const std::string& path);

struct ListOptions {
  std::vector<std::string> extensions{};  ///< ".txt"; empty takes every file
  bool hidden = false;                    ///< also names that start with a dot
  bool follow_links = false;              ///< false: links below the root are counted, not opened
  int64_t max_files = int64_t{1} << 24;
};

struct FileEntry {
  std::string path;  ///< relative to the root, parts joined by '/'
  int64_t size = 0;
};

struct Listing {
  std::vector<FileEntry> files;  ///< regular files, sorted by the bytes of path
  int64_t links_skipped = 0;
  int64_t unreadable = 0;                     ///< folders without permission, links to nothing
  std::vector<std::string> unreadable_paths;  ///< those, relative to the root, sorted
};

/// Which names of a folder are meant.
using PathFilter = std::function<bool(const std::string& path)>;

/// For a message about a path that is not there: ` Did you mean "data/houses.csv"?`, else the names
/// beside it, or that its folder is not there either; nothing when there is nothing to say. Of the
/// names that `fits` takes (all when it is empty), hidden ones never.
[[nodiscard]] std::string names_beside(const std::string& path, const PathFilter& fits = {});

/// Every file below `root` (a folder; may itself be a link). Loops of links end: a folder is
/// entered once. Error{kNotFound} when root is not a folder.
[[nodiscard]] Listing list_files(const std::string& root, const ListOptions& options = {});

}  // namespace ingot
