// SPDX-License-Identifier: Apache-2.0
// Bytes that come once: the beginning can be read again until the source is sealed, and then
// nothing is kept.
#include "io/stream_source.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ingot::io::stream_source_test {
namespace {

/// Gives `bytes` in pieces of at most three.
StreamSource::Pull pieces_of(std::string bytes) {
  return [bytes = std::move(bytes), at = size_t{0}](std::span<std::byte> out) mutable {
    const size_t take = std::min({out.size(), size_t{3}, bytes.size() - at});
    std::ranges::copy(std::as_bytes(std::span(bytes)).subspan(at, take), out.begin());
    at += take;
    return static_cast<int64_t>(take);
  };
}

std::string read_some(ByteSource& source, size_t size) {
  std::string text(size, ' ');
  text.resize(static_cast<size_t>(read_fully(source, std::as_writable_bytes(std::span(text)))));
  return text;
}

TEST(StreamSource, GivesItsBeginningAgainUntilItIsSealed) {
  StreamSource source("ab", pieces_of("cdefghij"), "pipe");
  EXPECT_EQ(source.name(), "pipe");
  EXPECT_EQ(read_some(source, 4), "abcd");
  source.rewind();
  EXPECT_EQ(read_some(source, 6), "abcdef");
  source.rewind();
  source.seal();
  EXPECT_EQ(read_all(source), "abcdefghij");
  EXPECT_EQ(read_all(source), "");
}

TEST(StreamSource, KeepsNothingOnceItIsSealed) {
  StreamSource source("", pieces_of(std::string(100'000, 'x')), "pipe");
  EXPECT_EQ(read_some(source, 10).size(), 10U);
  EXPECT_EQ(source.kept(), 10);
  source.rewind();
  source.seal();
  EXPECT_EQ(source.kept(), 10);  // still to be given
  EXPECT_EQ(read_some(source, 11).size(), 11U);
  EXPECT_EQ(source.kept(), 0);
  EXPECT_EQ(read_all(source).size(), 99'989U);
  EXPECT_EQ(source.kept(), 0);
}

TEST(StreamSource, IsNotAskedAgainAfterItsEnd) {
  int calls = 0;
  StreamSource source(
      "", [&](std::span<std::byte>) { return int64_t{0} * ++calls; }, "pipe");
  EXPECT_EQ(read_all(source), "");
  source.rewind();
  EXPECT_EQ(read_all(source), "");
  EXPECT_EQ(calls, 1);
}

TEST(StreamSource, IsUnpacked) {
  // `printf hello | gzip -n`
  const std::string packed(
      "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0", 25);
  auto stream = std::make_unique<StreamSource>("", pieces_of(packed), "pipe");
  StreamSource& once = *stream;
  const auto source = unpacked(std::move(stream));
  once.seal();
  EXPECT_EQ(read_all(*source), "hello");
}

}  // namespace
}  // namespace ingot::io::stream_source_test
