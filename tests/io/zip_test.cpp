// SPDX-License-Identifier: Apache-2.0
// Zip files written by hand: members, the 64-bit form, and every lie of a directory. Files of
// PyTorch are in torch_file_test.cpp.
#include "io/zip.h"

#include <cstdint>

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/message_of.h"

namespace ingot::io::zip_test {
namespace {

using testing::message_of;

std::string le(uint64_t value, size_t size) {
  std::string s;
  for (size_t i = 0; i < size; ++i) s += static_cast<char>(value >> (8 * i) & 255U);
  return s;
}

struct Lies {
  uint64_t method = 0, flags = 0, crc_change = 0, size_change = 0, offset_change = 0, count = 1;
  bool is_64 = false;
  std::string comment;
};

/// One member "a" holding "hello".
std::string zip_of(const Lies& lies = {}) {
  const std::string data = "hello";
  const uint64_t crc =
      crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())) +
      lies.crc_change;
  const std::string local = "PK\x03\x04" + le(20, 2) + le(lies.flags, 2) + le(lies.method, 2) +
                            le(0, 4) + le(crc, 4) + le(5, 4) + le(5, 4) + le(1, 2) + le(0, 2) + "a";
  const uint64_t size = data.size() + lies.size_change, offset = lies.offset_change;
  const std::string extra = lies.is_64 ? le(99, 2) + le(1, 2) + "x" + le(1, 2) + le(24, 2) +
                                             le(size, 8) + le(size, 8) + le(offset, 8)
                                       : "";
  const uint64_t all_ones = 0xffffffff;
  const std::string central =
      "PK\x01\x02" + le(20, 2) + le(20, 2) + le(lies.flags, 2) + le(lies.method, 2) + le(0, 4) +
      le(crc, 4) + le(lies.is_64 ? all_ones : size, 4) + le(lies.is_64 ? all_ones : size, 4) +
      le(1, 2) + le(extra.size(), 2) + le(0, 2) + le(0, 2) + le(0, 2) + le(0, 4) +
      le(lies.is_64 ? all_ones : offset, 4) + "a" + extra;
  std::string file = local + data;
  const uint64_t begin = file.size();
  file += central;
  if (lies.is_64) {
    const uint64_t end64 = file.size();
    file += "PK\x06\x06" + le(44, 8) + le(0, 2) + le(0, 2) + le(0, 4) + le(0, 4) + le(1, 8) +
            le(lies.count, 8) + le(central.size(), 8) + le(begin, 8);
    file += "PK\x06\x07" + le(0, 4) + le(end64, 8) + le(1, 4);
  }
  return file + "PK\x05\x06" + le(0, 4) + le(1, 2) + le(lies.is_64 ? 0xffff : lies.count, 2) +
         le(central.size(), 4) + le(lies.is_64 ? all_ones : begin, 4) + le(lies.comment.size(), 2) +
         lies.comment;
}

std::string content(const std::string& file) {
  const std::vector<ZipMember> members = read_zip(std::as_bytes(std::span(file)), "z");
  EXPECT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].name, "a");
  return {reinterpret_cast<const char*>(members[0].bytes.data()), members[0].bytes.size()};
}
std::string refusal(const std::string& file) {
  return message_of([&] { (void)read_zip(std::as_bytes(std::span(file)), "z"); });
}

TEST(Zip, GivesTheBytesOfAMember) {
  EXPECT_EQ(content(zip_of()), "hello");
  Lies with_comment;
  with_comment.comment = "written by hand";
  EXPECT_EQ(content(zip_of(with_comment)), "hello");
  Lies wide;
  wide.is_64 = true;
  EXPECT_EQ(content(zip_of(wide)), "hello");
  const std::string file = zip_of();
  EXPECT_TRUE(is_zip(std::as_bytes(std::span(file))));
  EXPECT_FALSE(is_zip({}));
}

TEST(ZipErrors, NameTheMemberAndTheLie) {
  const auto lie = [](auto change) {
    Lies lies;
    change(lies);
    return refusal(zip_of(lies));
  };
  EXPECT_EQ(lie([](Lies& l) { l.method = 8; }),
            "z: zip member \"a\" is packed; only plain members are read");
  EXPECT_EQ(lie([](Lies& l) { l.flags = 1; }),
            "z: zip member \"a\" is encrypted; only plain members are read");
  EXPECT_EQ(lie([](Lies& l) { l.crc_change = 1; }),
            "z: zip member \"a\" is damaged: its checksum differs");
  EXPECT_EQ(lie([](Lies& l) { l.size_change = 1000; }),
            "z: zip member \"a\" of 1005 bytes at 31 is not inside the file of 105 bytes");
  EXPECT_EQ(lie([](Lies& l) { l.offset_change = 2; }),
            "z: zip member \"a\" has no header at offset 2");
  EXPECT_EQ(lie([](Lies& l) { l.count = 50; }),
            "z: the zip directory lists 50 members, more than the file can hold");
  EXPECT_EQ(lie([](Lies& l) { l.count = 2; }), "z: no entry of the zip directory at offset 83");
  EXPECT_EQ(refusal("PK\x03\x04 and no more"),
            "z: the zip file has no directory at its end; is it whole?");
  const std::string whole = zip_of();
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_NE(refusal(whole.substr(0, n)), "no error") << n;
}

}  // namespace
}  // namespace ingot::io::zip_test
