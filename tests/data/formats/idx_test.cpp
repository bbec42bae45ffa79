// SPDX-License-Identifier: Apache-2.0
// IDX files made by hand: every type and every lie.
#include "data/formats/idx.h"

#include "data/temp_folder.h"

namespace ingot::data::idx_test {
namespace {

std::string head(char type, const std::vector<uint32_t>& sizes) {
  std::string text{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xFF);
  }
  return text;
}

Array read_idx_text(const std::string& file) { return read_idx(*io::memory_source(file, "f")); }

TEST(Idx, ReadsEveryType) {
  const Array bytes = read_idx_text(head(8, {2, 2}) + std::string("\x00\x01\x7f\xff", 4));
  EXPECT_EQ(bytes.shape, (Shape{2, 2}));
  EXPECT_EQ(bytes.values<uint8_t>()[3], 255);
  EXPECT_EQ(read_idx_text(head(9, {1}) + "\xff").values<int32_t>()[0], -1);
  EXPECT_EQ(read_idx_text(head(11, {1}) + "\xff\xfe").values<int32_t>()[0], -2);
  EXPECT_EQ(read_idx_text(head(12, {1}) + "\x01\x02\x03\x04").values<int32_t>()[0], 0x01020304);
  EXPECT_EQ(read_idx_text(head(13, {1}) + std::string("\x3f\xc0\0\0", 4)).values<float>()[0], 1.5F);
  EXPECT_EQ(read_idx_text(head(14, {1}) + std::string("\xc0\0\0\0\0\0\0\0", 8)).values<double>()[0],
            -2.0);
  EXPECT_EQ(read_idx_text(head(8, {0, 28, 28})).bytes.size(), 0U);
}

TEST(Idx, RefusesLies) {
  const auto refusal = [](const std::string& file) {
    return message_of(Code::kCorruptFile, [&] { (void)read_idx_text(file); });
  };
  EXPECT_EQ(refusal(""), "idx: \"f\": ends after 0 of 4 bytes; fetch the file again");
  EXPECT_EQ(
      refusal("PK\x03\x04"),
      "idx: \"f\": begins with 50 4b 03 04; an IDX file begins with 00 00, a type 08, 09, 0b, "
      "0c, 0d or 0e, and the number of axes");
  EXPECT_TRUE(contains(refusal(std::string("\0\0\x0a\1", 4)), "begins with 00 00 0a 01"));
  EXPECT_EQ(refusal(head(8, {1, 1, 1, 1, 1, 1, 1})), "idx: \"f\": 7 axes; 1 to 6 are possible");
  EXPECT_EQ(refusal(head(8, {})), "idx: \"f\": 0 axes; 1 to 6 are possible");
  EXPECT_EQ(refusal(head(8, {3}) + "ab"),
            "idx: \"f\": ends after 2 of 3 bytes; fetch the file again");
  EXPECT_EQ(refusal(head(8, {1}) + "ab"), "idx: \"f\": more bytes follow than its head announces");
  EXPECT_EQ(refusal(head(8, {4000000000, 1000}) + "ab"),
            "idx: \"f\": ends after 2 of 4000000000000 bytes; fetch the file again");
  EXPECT_TRUE(contains(refusal(head(14, {4000000000, 4000000000})), "idx: \"f\": size: "));
}

TEST(Idx, TheHeadIsReadAlone) {
  const auto source = io::memory_source(head(8, {2, 3}) + "abcdef", "f");
  EXPECT_EQ(read_idx_head(*source).shape, (Shape{2, 3}));
  EXPECT_EQ(read_exactly(*source, 6, "idx")[5], std::byte{'f'});
}

}  // namespace
}  // namespace ingot::data::idx_test
