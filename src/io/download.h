// SPDX-License-Identifier: Apache-2.0
// A file fetched into a folder, whole and verified or not at all. The bytes go to "<path>.part",
// which a further call continues; the finished file is checked against its SHA-256 and then
// renamed. Only a file whose digest is known is continued: bytes of two versions would not be
// noticed otherwise. Called by `ingot data get`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/files.h"
#include "io/http_get.h"

namespace ingot::io {

struct Download {
  std::string url;
  std::string path;        ///< where the file will stand
  std::string sha256;      ///< of its bytes once unpacked (gzip, xz); empty: not known
  bool is_packed = false;  ///< sha256 is of its bytes as they come
};

struct DownloadOptions {
  HttpOptions http;
  std::function<void(int64_t done, int64_t total)> progress = [](int64_t, int64_t) {};
};

struct DownloadResult {
  std::string sha256;   ///< as found, of the same bytes
  int64_t bytes = 0;    ///< of the file
  int64_t resumed = 0;  ///< of them were there before
};

/// Throws as http_get; kCorruptFile for bytes that do not match the digest (they are removed), kIo
/// when the disk refuses. After a cut connection the part stays for the next call.
DownloadResult download(FileSystem& files, const Download& what, const DownloadOptions& options);

/// SHA-256 of a file's bytes, unpacked where it is gzip or xz.
[[nodiscard]] std::string unpacked_sha256(const std::string& path);
/// The same, or of the bytes as they are.
[[nodiscard]] std::string digest_of(const std::string& path, bool is_packed);

}  // namespace ingot::io
