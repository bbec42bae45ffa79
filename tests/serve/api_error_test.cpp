// SPDX-License-Identifier: Apache-2.0
// Both forms of an error, literally.
#include "serve/api_error.h"

#include <gtest/gtest.h>

namespace ingot::serve::api_error_test {
namespace {

TEST(ApiError, NestedErrorsHaveNullForWhatIsAbsent) {
  EXPECT_EQ(nested_error_json({400, "t", "say \"x\"\n", "", "", 0}),
            R"({"error":{"message":"say \"x\"\n","type":"t","param":null,"code":null}})");
  EXPECT_EQ(nested_error_json({400, "t", "m", "p", "c", 0}),
            R"({"error":{"message":"m","type":"t","param":"p","code":"c"}})");
}

TEST(ApiError, FlatErrorsAreTheMessage) {
  EXPECT_EQ(flat_error_json({400, "t", "say \"x\"\n", "p", "c", 0}), R"({"error":"say \"x\"\n"})");
}

}  // namespace
}  // namespace ingot::serve::api_error_test
