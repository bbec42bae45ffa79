// SPDX-License-Identifier: Apache-2.0
// xz streams: packed here by liblzma itself, cut and damaged.
#include "io/xz.h"

#include <lzma.h>

#include "base/message_of.h"

namespace ingot::io::xz_test {
namespace {

using testing::code_of;
using testing::message_of;

std::string xz(const std::string& text, uint32_t preset = 6) {
  std::string out(text.size() + 1000, '\0');
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(preset, LZMA_CHECK_CRC64, nullptr,
                                    reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

std::string unpack(const std::string& packed) { return read_all(*memory_source(packed, "f.xz")); }

std::string sample() {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i * 7919 % 10'007) + ",";
  return text;
}

TEST(Xz, GivesWhatWasPackedAndStartsAgain) {
  const std::string text = sample();
  EXPECT_EQ(unpack(xz("")), "");
  EXPECT_EQ(unpack(xz("one ") + xz("two")), "one two");
  const auto source = memory_source(xz(text), "f.xz");
  std::string head(10, ' ');
  EXPECT_EQ(read_fully(*source, std::as_writable_bytes(std::span(head))), 10);
  source->rewind();
  EXPECT_EQ(read_all(*source), text);
  source->rewind();
  EXPECT_EQ(read_all(*source), text);
}

TEST(Xz, CutsAndDamageAreErrors) {
  const std::string packed = xz("some text, some more text");
  for (size_t size = 6; size < packed.size(); ++size) {
    EXPECT_EQ(message_of([&] { (void)unpack(packed.substr(0, size)); }),
              "xz: \"f.xz\": truncated after " + std::to_string(size) +
                  " packed bytes; fetch the file again");
  }
  std::string broken = packed;
  broken[packed.size() / 2] = static_cast<char>(broken[packed.size() / 2] ^ 0x10);
  EXPECT_EQ(code_of([&] { (void)unpack(broken); }), "corrupt_file");
  const std::string message =
      message_of([&] { (void)unpack(packed + "bytes that are no xz stream"); });
  EXPECT_TRUE(message.starts_with("xz: \"f.xz\": damaged before packed byte ")) << message;
  EXPECT_TRUE(message.ends_with("; fetch the file again")) << message;
}

}  // namespace
}  // namespace ingot::io::xz_test
