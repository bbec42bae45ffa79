// SPDX-License-Identifier: Apache-2.0
// Bytes that a head promised; typed access is tested with npy_test.cpp.
#include "data/formats/array.h"

#include "data/temp_folder.h"

namespace ingot::data::array_test {
namespace {

TEST(Array, ReadsExactlyWhatIsAskedFor) {
  const std::string text(3'000'000, 'x');
  const auto source = io::memory_source(text, "f");
  EXPECT_EQ(read_exactly(*source, 0, "t").size(), 0U);
  EXPECT_EQ(read_exactly(*source, 2'500'000, "t").size(), 2'500'000U);
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { require_end(*source, "t"); }),
            "t: \"f\": more bytes follow than its head announces");
  EXPECT_EQ(
      message_of(Code::kCorruptFile, [&] { (void)read_exactly(*source, int64_t{1} << 60, "t"); }),
      "t: \"f\": ends after 499999 of 1152921504606846976 bytes; fetch the file again");
  EXPECT_NO_THROW(require_end(*source, "t"));
}

}  // namespace
}  // namespace ingot::data::array_test
