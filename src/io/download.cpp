// SPDX-License-Identifier: Apache-2.0
#include "io/download.h"

#include <memory>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "io/byte_source.h"

namespace ingot::io {
namespace {

constexpr size_t kDownloadBlock = size_t{1} << 18;

}  // namespace

std::string unpacked_sha256(const std::string& path) {
  const std::unique_ptr<ByteSource> source = open_source(path);
  std::vector<std::byte> block(kDownloadBlock);
  Sha256 digest;
  while (const int64_t got = source->read(block)) {
    digest.update(std::span<const std::byte>(block).first(static_cast<size_t>(got)));
  }
  return digest.hex();
}

std::string digest_of(const std::string& path, bool is_packed) {
  return is_packed ? sha256_file(path) : unpacked_sha256(path);
}

DownloadResult download(FileSystem& files, const Download& what, const DownloadOptions& options) {
  const std::string part = what.path + ".part";
  const bool is_continued = !what.sha256.empty() && file_exists(part);
  DownloadResult result;
  const int64_t there = is_continued ? file_size(part) : 0;
  std::unique_ptr<WritableFile> file;
  int64_t total = -1;
  http_get(
      what.url, there, options.http,
      [&](const HttpHead& head) {
        file = files.open(part, head.first > 0 ? OpenMode::kAppend : OpenMode::kTruncate);
        result.resumed = result.bytes = head.first;
        total = head.total;
      },
      [&](std::span<const std::byte> bytes) {
        file->write(bytes);
        result.bytes += static_cast<int64_t>(bytes.size());
        options.progress(result.bytes, total);
      });
  INGOT_ASSERT(file != nullptr);
  file->sync();
  file.reset();
  try {
    result.sha256 = digest_of(part, what.is_packed);
    require(what.sha256.empty() || result.sha256 == what.sha256, Code::kCorruptFile,
            "get: \"{}\" has the SHA-256 {}, expected {}; what came is removed. Try again, or take "
            "the file from elsewhere with data.dir=FOLDER",
            what.url, result.sha256, what.sha256);
  } catch (const Error& error) {
    if (error.code() == Code::kCorruptFile) files.remove(part);
    throw;
  }
  files.rename(part, what.path);
  files.sync_directory(parent_path(what.path));
  return result;
}

}  // namespace ingot::io
