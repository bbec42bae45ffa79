// SPDX-License-Identifier: Apache-2.0
// A folder of files as a list of sources and, per source, a sequence of bounded pieces: the way
// every data stage reads, so that a 2 GiB line, a binary or an unreadable file costs a counter and
// never more memory than one piece. Called by inspect.cpp, clean.cpp and prepare.cpp. The cleaned
// result is a corpus file (corpus_file.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace ingot::data {

/// The newest /usr/include/c++/N of this machine. Throws kNotFound naming the package to install.
[[nodiscard]] std::string default_corpus();

/// `path`, the value of data.path, or default_corpus() when it is empty. Throws kNotFound naming
/// that key when there is no such folder.
[[nodiscard]] std::string corpus_root(const std::string& path);

/// Made by `run`, `train` or `data`: holds run.json and stages/. What lies in it was made of a
/// corpus and is none.
[[nodiscard]] bool is_run_directory(const std::string& folder);

/// "h" for "a/b.h", "none" for "a/b". Lower case.
[[nodiscard]] std::string extension_of(std::string_view path);

/// Counters with a few examples, for reports.
struct Tally {
  static constexpr size_t kExamples = 5;
  int64_t count = 0;
  int64_t bytes = 0;
  std::vector<std::string> examples;
  void add(std::string_view example, int64_t bytes_of_it);
};

/// Files below a folder, sorted by path: not hidden ones, links are not followed, and
/// run directories below it are left out.
struct SourceList {
  std::string root;
  std::vector<FileEntry> files;  ///< path relative to root
  int64_t links_skipped = 0;
  Tally unreadable_folders;     ///< nobody knows what lies in them
  int64_t other_extension = 0;  ///< files left out by `extensions`
  Tally runs;                   ///< run directories, with the bytes of all that lies in them
};

/// `extensions` as in DataConfig; empty takes every file. Throws kNotFound when root is no folder.
[[nodiscard]] SourceList list_corpus(const std::string& root,
                                     const std::vector<std::string>& extensions);

/// Reads one file in pieces of at most max_bytes (>= 4), cut after the last line end in the second
/// half of the piece, else between code points. The pieces joined are the file.
class PieceReader {
 public:
  /// Never throws for a file that cannot be read: failed() tells.
  PieceReader(const std::string& path, int64_t max_bytes);

  /// The next piece, valid until the next call; false at the end or after a failure.
  bool next(std::string_view& piece);
  [[nodiscard]] bool failed() const { return !error_.empty(); }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] int64_t file_bytes() const { return file_ ? file_->size() : 0; }

 private:
  int64_t cut_of(std::string_view bytes) const;

  std::unique_ptr<ReadableFile> file_;
  std::string error_;
  std::string buffer_;
  int64_t max_bytes_;
  int64_t offset_ = 0;
};

}  // namespace ingot::data
