// SPDX-License-Identifier: Apache-2.0
// Sources of bytes: plain files and memory, told from packed ones by their first bytes only.
#include "io/byte_source.h"

#include <fstream>

#include "base/message_of.h"

namespace ingot::io::byte_source_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

std::string put(const TempDir& dir, const std::string& name, const std::string& content) {
  std::ofstream(dir.file(name), std::ios::binary) << content;
  return dir.file(name);
}

TEST(ByteSource, GivesAFileTwice) {
  const TempDir dir;
  const auto source = open_source(put(dir, "a.gz", "no gzip at all"));
  EXPECT_EQ(source->name(), dir.file("a.gz"));
  EXPECT_EQ(read_all(*source), "no gzip at all");
  EXPECT_EQ(read_all(*source), "");
  source->rewind();
  EXPECT_EQ(read_all(*source), "no gzip at all");
}

TEST(ByteSource, GivesMemoryInPiecesOfTheAskedSize) {
  const auto source = memory_source("abcdefg", "text");
  std::string piece(3, ' ');
  const auto room = std::as_writable_bytes(std::span(piece));
  EXPECT_EQ(source->read(room.first(0)), 0);
  EXPECT_EQ(source->read(room), 3);
  EXPECT_EQ(piece, "abc");
  EXPECT_EQ(read_fully(*source, room), 3);
  EXPECT_EQ(read_fully(*source, room), 1);
  EXPECT_EQ(piece.front(), 'g');
  EXPECT_EQ(source->read(room), 0);
  EXPECT_EQ(read_all(*memory_source("", "empty")), "");
}

TEST(ByteSource, ReadAllKeepsItsLimit) {
  const std::string text(200'000, 'x');
  EXPECT_EQ(read_all(*memory_source(text, "t"), 200'000).size(), text.size());
  EXPECT_EQ(message_of([&] { (void)read_all(*memory_source(text, "t"), 199'999); }),
            "read: \"t\" holds more than the 195 KiB allowed");
  EXPECT_EQ(code_of([&] { (void)read_all(*memory_source("ab", "t"), 1); }), "invalid_argument");
}

TEST(ByteSource, NamesAMissingFile) {
  EXPECT_EQ(code_of([] { (void)open_source("/no/such/file.csv"); }), "not_found");
  EXPECT_NE(message_of([] { (void)open_source("/no/such/file.csv"); }).find("/no/such/file.csv"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::io::byte_source_test
