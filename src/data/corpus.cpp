// SPDX-License-Identifier: Apache-2.0
// Listing and bounded reading. A file that cannot be read is a fact to count, so errors of the
// file layer end here.
#include "data/corpus.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace ingot::data {
namespace {

/// The run directories among the folders of these files.
std::set<std::string, std::less<>> run_folders(const std::string& root,
                                               const std::vector<FileEntry>& files) {
  std::set<std::string, std::less<>> runs;
  for (const FileEntry& file : files) {
    if (!file.path.ends_with("/run.json")) continue;  // root itself was asked for
    std::string folder = parent_path(file.path);
    if (is_run_directory(join_path(root, folder))) runs.insert(std::move(folder));
  }
  return runs;
}

/// The outermost of `folders` that `path` lies in, "" when it is in none.
std::string_view folder_of(const std::set<std::string, std::less<>>& folders,
                           std::string_view path) {
  if (folders.empty()) return {};
  for (size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    if (folders.contains(path.substr(0, at))) return path.substr(0, at);
  }
  return {};
}

}  // namespace

std::string default_corpus() {
  const std::string parent = "/usr/include/c++";
  int newest = -1;
  std::string name;
  if (directory_exists(parent)) {
    for (const std::string& entry : real_files()->list(parent)) {
      int version = -1;
      std::from_chars(entry.data(), entry.data() + entry.size(), version);
      if (version <= newest || !directory_exists(join_path(parent, entry))) continue;
      newest = version;
      name = entry;
    }
  }
  require(newest >= 0, Code::kNotFound,
          "data: no C++ standard library headers below {}; install g++, or set data.path=DIR",
          parent);
  return join_path(parent, name);
}

std::string corpus_root(const std::string& path) {
  if (path.empty()) return default_corpus();
  require(
      !file_exists(path), Code::kNotFound,
      "data: data.path is \"{}\", a file; a folder of files is needed. Of a table set table.path",
      path);
  if (directory_exists(path)) return path;
  std::error_code ignored;
  require(!std::filesystem::exists(path, ignored), Code::kNotFound,
          "data: data.path is \"{}\", which is no folder; a folder of files is needed", path);
  fail(Code::kNotFound, "data: data.path is \"{}\", which is not there.{}", path,
       names_beside(path, directory_exists));
}

bool is_run_directory(const std::string& folder) {
  return file_exists(join_path(folder, "run.json")) &&
         directory_exists(join_path(folder, "stages"));
}

std::string extension_of(std::string_view path) {
  const std::string name = base_name(path);
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) return "none";
  return lower_ascii(std::string_view(name).substr(dot + 1));
}

SourceList list_corpus(const std::string& root, const std::vector<std::string>& extensions) {
  Listing listing = list_files(root);
  SourceList sources{root, {}, listing.links_skipped, {}, 0, {}};
  for (const std::string& path : listing.unreadable_paths) sources.unreadable_folders.add(path, 0);
  const auto wanted = [&](const FileEntry& file) {
    const std::string extension = extension_of(file.path);
    return extensions.empty() ||
           std::any_of(extensions.begin(), extensions.end(), [&](std::string_view name) {
             if (name.substr(0, 1) == ".") name.remove_prefix(1);
             return lower_ascii(name) == extension;
           });
  };
  const auto runs = run_folders(root, listing.files);
  std::map<std::string, int64_t, std::less<>> left_out;  // bytes of each run
  for (FileEntry& file : listing.files) {
    if (const std::string_view run = folder_of(runs, file.path); !run.empty()) {
      left_out[std::string(run)] += file.size;
    } else if (wanted(file)) {
      sources.files.push_back(std::move(file));
    } else {
      sources.other_extension += 1;
    }
  }
  for (const auto& [run, bytes] : left_out) sources.runs.add(run, bytes);
  return sources;
}

PieceReader::PieceReader(const std::string& path, int64_t max_bytes) : max_bytes_(max_bytes) {
  INGOT_ASSERT(max_bytes >= 4);
  try {
    file_ = std::make_unique<ReadableFile>(path);
  } catch (const Error& error) {
    error_ = error.what();
  }
}

int64_t PieceReader::cut_of(std::string_view bytes) const {
  const size_t line = bytes.rfind('\n');
  if (line != std::string_view::npos && line + 1 >= bytes.size() / 2) {
    return static_cast<int64_t>(line + 1);
  }
  // Step back over the continuation bytes of an unfinished code point, at most three.
  for (size_t back = 1; back <= 4; ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    return static_cast<int64_t>(length > back ? bytes.size() - back : bytes.size());
  }
  return static_cast<int64_t>(bytes.size());
}

bool PieceReader::next(std::string_view& piece) {
  if (failed() || offset_ >= file_->size()) return false;
  const int64_t left = file_->size() - offset_;
  buffer_.resize(static_cast<size_t>(std::min(left, max_bytes_)));
  try {
    file_->read_at(offset_, std::as_writable_bytes(std::span(buffer_)));
  } catch (const Error& error) {
    error_ = error.what();
    return false;
  }
  const int64_t take = left > max_bytes_ ? cut_of(buffer_) : left;
  offset_ += take;
  piece = std::string_view(buffer_).substr(0, static_cast<size_t>(take));
  return true;
}

void Tally::add(std::string_view example, int64_t bytes_of_it) {
  count += 1;
  bytes += bytes_of_it;
  if (examples.size() < kExamples) examples.emplace_back(example);
}

}  // namespace ingot::data
