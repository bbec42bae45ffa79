// SPDX-License-Identifier: Apache-2.0
#include "base/checked.h"

#include "base/message_of.h"

namespace ingot::checked_test {
namespace {

using testing::code_of;
using testing::message_of;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Checked, ExactResultsPass) {
  EXPECT_EQ(checked_mul<int64_t>(1 << 20, 1 << 20, "x"), int64_t{1} << 40);
  EXPECT_EQ(checked_add<int64_t>(kMax - 1, 1, "x"), kMax);
  EXPECT_EQ(checked_mul<uint64_t>(uint64_t{1} << 32, (uint64_t{1} << 32) - 1, "x"),
            0xffffffff00000000ULL);
  EXPECT_EQ((checked_cast<uint8_t>(255, "x")), 255);
}

TEST(Checked, OverflowNamesBothValues) {
  EXPECT_EQ(message_of([] { (void)checked_mul<int64_t>(kMax, 2, "safetensors: shape"); }),
            "safetensors: shape: 9223372036854775807 * 2 does not fit in 64 bits");
  EXPECT_EQ(message_of([] { (void)checked_add<uint32_t>(4294967295U, 1U, "offset"); }),
            "offset: 4294967295 + 1 does not fit in 32 bits");
  EXPECT_EQ(message_of([] { (void)checked_cast<uint32_t>(int64_t{-1}, "rows"); }),
            "rows: -1 is outside 0 to 4294967295");
}

TEST(Checked, CodeIsCorruptFileUnlessGiven) {
  EXPECT_EQ(code_of([] { (void)checked_mul<int64_t>(kMax, 2, "x"); }), "corrupt_file");
  EXPECT_EQ(code_of([] { (void)checked_mul<int64_t>(kMax, 2, "x", Code::kInvalidArgument); }),
            "invalid_argument");
}

}  // namespace
}  // namespace ingot::checked_test
