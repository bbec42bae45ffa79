// SPDX-License-Identifier: Apache-2.0
// The two plain sources, and the choice of an unpacker by the magic bytes: gzip 1f 8b (RFC 1952),
// xz fd 37 7a 58 5a 00 (the .xz file format, 2.1.1.1).
#include "io/byte_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/gzip.h"
#include "io/xz.h"

namespace ingot::io {
namespace {

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::string& path) : file_(path) {}
  int64_t read(std::span<std::byte> out) override {
    const int64_t take = std::min(static_cast<int64_t>(out.size()), file_.size() - offset_);
    file_.read_at(offset_, out.first(static_cast<size_t>(take)));
    offset_ += take;
    return take;
  }
  void rewind() override { offset_ = 0; }
  [[nodiscard]] const std::string& name() const override { return file_.path(); }

 private:
  ReadableFile file_;
  int64_t offset_ = 0;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string bytes, std::string name)
      : bytes_(std::move(bytes)), name_(std::move(name)) {}
  int64_t read(std::span<std::byte> out) override {
    const size_t take = std::min(out.size(), bytes_.size() - offset_);
    if (take > 0) std::memcpy(out.data(), bytes_.data() + offset_, take);
    offset_ += take;
    return static_cast<int64_t>(take);
  }
  void rewind() override { offset_ = 0; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string bytes_;
  std::string name_;
  size_t offset_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> unpacked(std::unique_ptr<ByteSource> source) {
  using namespace std::string_view_literals;
  constexpr std::string_view kGzip = "\x1f\x8b"sv;
  constexpr std::string_view kXz =
      "\xfd"
      "7zXZ\0"sv;
  std::array<char, 6> head{};
  const int64_t size = read_fully(*source, std::as_writable_bytes(std::span(head)));
  source->rewind();
  const std::string_view start(head.data(), static_cast<size_t>(size));
  if (start.starts_with(kGzip)) return gunzip(std::move(source));
  if (start.starts_with(kXz)) return unxz(std::move(source));
  return source;
}

std::unique_ptr<ByteSource> open_source(const std::string& path) {
  return unpacked(std::make_unique<FileSource>(path));
}

std::unique_ptr<ByteSource> memory_source(std::string bytes, std::string name) {
  return unpacked(std::make_unique<MemorySource>(std::move(bytes), std::move(name)));
}

int64_t read_fully(ByteSource& source, std::span<std::byte> out) {
  int64_t total = 0;
  while (!out.empty()) {
    const int64_t got = source.read(out);
    if (got == 0) break;
    total += got;
    out = out.subspan(static_cast<size_t>(got));
  }
  return total;
}

std::string read_all(ByteSource& source, int64_t max_bytes) {
  constexpr int64_t kFirst = int64_t{1} << 16;
  std::string bytes;
  int64_t size = 0;
  while (true) {
    // Doubling, so that a lie about the size costs nothing and a long file little.
    const int64_t room = std::min(std::max(kFirst, size), max_bytes - size + 1);
    bytes.resize(static_cast<size_t>(size + room));
    const int64_t got = read_fully(
        source, std::as_writable_bytes(std::span(bytes)).subspan(static_cast<size_t>(size)));
    size += got;
    require(size <= max_bytes, Code::kInvalidArgument,
            "read: \"{}\" holds more than the {} allowed", source.name(), human_bytes(max_bytes));
    if (got < room) break;
  }
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

}  // namespace ingot::io
