// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <set>

#include "base/message_of.h"

namespace ingot::error_test {
namespace {

using testing::code_of;
using testing::message_of;

TEST(Error, CarriesCodeAndFormattedMessage) {
  const auto call = [] { fail(Code::kShapeMismatch, "linear: {} but {}", 3, 4); };
  EXPECT_EQ(message_of(call), "linear: 3 but 4");
  EXPECT_EQ(code_of(call), "shape_mismatch");
}

TEST(Error, RequireThrowsOnlyWhenTheConditionFails) {
  EXPECT_EQ(message_of([] { require(true, Code::kIo, "never {}", 1); }), "no error");
  EXPECT_EQ(message_of([] { require(false, Code::kIo, "read: {}", "x"); }), "read: x");
}

TEST(Error, AssertionNamesExpressionAndFileWithoutItsFolder) {
  const auto call = [] { INGOT_ASSERT(1 + 1 == 3); };
  const std::string message = message_of(call);
  EXPECT_EQ(message.rfind("internal: 1 + 1 == 3 does not hold (error_test.cpp:", 0), 0U) << message;
  EXPECT_EQ(code_of(call), "internal");
}

TEST(Error, AssertionThatHoldsIsSilent) {
  EXPECT_EQ(message_of([] { INGOT_ASSERT(2 > 1); }), "no error");
}

TEST(Error, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
    names.insert(code_name(static_cast<Code>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(Code::kInternal) + 1);
}

TEST(Error, IsAStandardException) {
  EXPECT_THROW(fail(Code::kNumeric, "loss: NaN at step {}", 7), std::runtime_error);
}

}  // namespace
}  // namespace ingot::error_test
