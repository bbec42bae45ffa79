// SPDX-License-Identifier: Apache-2.0
// gzip streams: packed here by zlib itself, cut and damaged at every byte.
#include "io/gzip.h"

#include <zlib.h>

#include "base/message_of.h"

namespace ingot::io::gzip_test {
namespace {

using testing::code_of;
using testing::message_of;

std::string gzip(const std::string& text, int level = 6) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string unpack(const std::string& packed) { return read_all(*memory_source(packed, "f.gz")); }

std::string sample() {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i * 7919 % 10'007) + ",";
  return text;
}

TEST(Gzip, GivesWhatWasPacked) {
  const std::string text = sample();
  for (const int level : {0, 1, 9}) EXPECT_EQ(unpack(gzip(text, level)), text);
  EXPECT_EQ(unpack(gzip("")), "");
  const auto source = memory_source(gzip(text), "f.gz");
  std::string head(10, ' ');
  EXPECT_EQ(read_fully(*source, std::as_writable_bytes(std::span(head))), 10);
  source->rewind();
  EXPECT_EQ(read_all(*source), text);
  source->rewind();
  EXPECT_EQ(read_all(*source), text);
}

TEST(Gzip, JoinsMembersAndIgnoresZerosBehindThem) {
  const std::string a = gzip("first "), b = gzip("second");
  EXPECT_EQ(unpack(a + b), "first second");
  EXPECT_EQ(unpack(a + std::string(600, '\0')), "first ");
  EXPECT_EQ(unpack(a + std::string(3, '\0') + b), "first second");
}

TEST(Gzip, ACutAnywhereIsAnError) {
  const std::string packed = gzip("some text, some more text");
  for (size_t size = 2; size < packed.size(); ++size) {
    EXPECT_EQ(message_of([&] { (void)unpack(packed.substr(0, size)); }),
              "gzip: \"f.gz\": truncated after " + std::to_string(size) +
                  " packed bytes; fetch the file again");
  }
  EXPECT_EQ(code_of([&] { (void)unpack(packed.substr(0, 12)); }), "corrupt_file");
}

TEST(Gzip, DamageIsAnErrorThatSaysWhere) {
  std::string packed = gzip("some text, some more text");
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);  // the CRC
  EXPECT_EQ(message_of([&] { (void)unpack(packed); }),
            "gzip: \"f.gz\": damaged before packed byte " + std::to_string(packed.size() - 4) +
                " (incorrect data check); fetch the file again");
  EXPECT_EQ(
      message_of([&] { (void)unpack(gzip("x") + "junk"); }),
      "gzip: \"f.gz\": damaged before packed byte 23 (incorrect header check); fetch the file "
      "again");
  const std::string whole = gzip(sample());
  for (size_t at = 10; at < whole.size(); at += 997) {  // behind the header, which has no check
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x10);
    EXPECT_EQ(code_of([&] { (void)unpack(broken); }), "corrupt_file") << at;
  }
}

}  // namespace
}  // namespace ingot::io::gzip_test
