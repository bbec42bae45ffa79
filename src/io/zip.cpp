// SPDX-License-Identifier: Apache-2.0
#include "io/zip.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <zlib.h>

#include "base/error.h"
#include "base/text.h"

namespace ingot::io {
namespace {

constexpr uint64_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr uint64_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56;
constexpr size_t kLocatorSize = 20, kMaxComment = 65535;
constexpr uint64_t kIn64 = 0xffffffff;  // the number is in the 64-bit field

class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& what) : file_(file), what_(what) {}

  std::vector<ZipMember> members(bool with_crc) {
    Directory directory = find_directory();
    require(directory.count <= file_.size() / kCentralSize, Code::kCorruptFile,
            "{}: the zip directory lists {} members, more than the file can hold", what_,
            directory.count);
    std::vector<ZipMember> list;
    uint64_t at = directory.begin;
    for (uint64_t i = 0; i < directory.count; ++i) list.push_back(member(at, with_crc));
    return list;
  }

 private:
  struct Directory {
    uint64_t begin = 0, count = 0;
  };

  /// Little-endian number of `size` bytes at an offset of the file.
  uint64_t number(uint64_t at, size_t size) const {
    require(at <= file_.size() && size <= file_.size() - at, Code::kCorruptFile,
            "{}: the zip file ends early, at {} of {} bytes", what_, at, file_.size());
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value |= std::to_integer<uint64_t>(file_[static_cast<size_t>(at) + i]) << (8 * i);
    }
    return value;
  }
  std::span<const std::byte> part(uint64_t at, uint64_t size, std::string_view name) const {
    require(at <= file_.size() && size <= file_.size() - at, Code::kCorruptFile,
            "{}: zip member \"{}\" of {} bytes at {} is not inside the file of {} bytes", what_,
            excerpt(name), size, at, file_.size());
    return file_.subspan(static_cast<size_t>(at), static_cast<size_t>(size));
  }

  /// The end record stands before a comment of up to 64 KiB.
  Directory find_directory() const {
    for (size_t comment = 0; comment <= kMaxComment && comment + kEndSize <= file_.size();
         ++comment) {
      const uint64_t at = file_.size() - kEndSize - comment;
      if (number(at, 4) != kEnd || number(at + 20, 2) != comment) continue;
      Directory d{number(at + 16, 4), number(at + 10, 2)};
      if (at < kLocatorSize || number(at - kLocatorSize, 4) != kLocator64) return d;
      const uint64_t end64 = number(at - kLocatorSize + 8, 8);
      require(
          end64 <= file_.size() && file_.size() - end64 >= kEnd64Size && number(end64, 4) == kEnd64,
          Code::kCorruptFile, "{}: the zip directory's 64-bit end is not where it should be",
          what_);
      return {number(end64 + 48, 8), number(end64 + 32, 8)};
    }
    fail(Code::kCorruptFile, "{}: the zip file has no directory at its end; is it whole?", what_);
  }

  /// The member of the directory entry at `at`, which moves to the next entry.
  ZipMember member(uint64_t& at, bool with_crc) const {
    require(number(at, 4) == kCentral, Code::kCorruptFile,
            "{}: no entry of the zip directory at offset {}", what_, at);
    const uint64_t flags = number(at + 8, 2), method = number(at + 10, 2);
    const uint64_t name_size = number(at + 28, 2), extra_size = number(at + 30, 2);
    const uint64_t entry_size = kCentralSize + name_size + extra_size + number(at + 32, 2);
    const auto name = part(at + kCentralSize, name_size, "");
    ZipMember m;
    m.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    require(method == 0 && (flags & 1) == 0, Code::kUnsupported,
            "{}: zip member \"{}\" is {}; only plain members are read", what_, excerpt(m.name),
            method == 0 ? "encrypted" : "packed");
    uint64_t size = number(at + 24, 4), local = number(at + 42, 4);
    read_extra(at + kCentralSize + name_size, extra_size, size, local);
    require(number(local, 4) == kLocal, Code::kCorruptFile,
            "{}: zip member \"{}\" has no header at offset {}", what_, excerpt(m.name), local);
    const uint64_t begin = local + kLocalSize + number(local + 26, 2) + number(local + 28, 2);
    m.bytes = part(begin, size, m.name);
    if (with_crc) {
      require(crc(m.bytes) == number(at + 16, 4), Code::kCorruptFile,
              "{}: zip member \"{}\" is damaged: its checksum differs", what_, excerpt(m.name));
    }
    at += entry_size;
    return m;
  }

  /// The 64-bit field: size, packed size, offset, each where the entry's own number is all ones.
  void read_extra(uint64_t at, uint64_t extra_size, uint64_t& size, uint64_t& local) const {
    const bool is_size = size == kIn64, is_local = local == kIn64;
    const uint64_t end = at + extra_size;
    while ((is_size || is_local) && at + 4 <= end) {
      const uint64_t field_size = number(at + 2, 2);
      if (number(at, 2) == 1) {
        uint64_t value = at + 4;
        if (is_size) {
          size = number(value, 8);
          value += 16;  // the packed size is the same
        }
        if (is_local) local = number(value, 8);
        return;
      }
      at += 4 + field_size;
    }
  }

  static uint64_t crc(std::span<const std::byte> bytes) {
    uLong sum = crc32(0, nullptr, 0);
    while (!bytes.empty()) {
      const size_t n = std::min(bytes.size(), size_t{1} << 30);
      sum = crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(n));
      bytes = bytes.subspan(n);
    }
    return sum;
  }

  std::span<const std::byte> file_;
  const std::string& what_;
};

}  // namespace

bool is_zip(std::span<const std::byte> file) {
  constexpr std::string_view kMagic = "PK\x03\x04";
  return file.size() >= kMagic.size() &&
         std::string_view(reinterpret_cast<const char*>(file.data()), kMagic.size()) == kMagic;
}

std::vector<ZipMember> read_zip(std::span<const std::byte> file, const std::string& what,
                                bool with_crc) {
  return Reader(file, what).members(with_crc);
}

}  // namespace ingot::io
