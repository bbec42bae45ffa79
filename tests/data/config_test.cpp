// SPDX-License-Identifier: Apache-2.0
// Ranges of a corpus's keys, and their names in a recipe.
#include "data/config.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "data/temp_folder.h"

namespace ingot::data::config_test {
namespace {

TEST(DataConfig, RangesAreChecked) {
  const auto refuse = [](auto change) {
    DataConfig config;
    change(config);
    return message_of(Code::kInvalidArgument, [&] { check(config); });
  };
  EXPECT_EQ(refuse([](DataConfig& c) { c.max_file.bytes = 10; }),
            "data.max_file: 10 bytes is below the smallest piece of 1024");
  EXPECT_EQ(refuse([](DataConfig& c) { c.min_bytes = -1; }), "data.min_bytes: -1 is negative");
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.near_duplicate = 0; }),
                       "data.near_duplicate: 0 is not in (0, 1]"));
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.test = 0.96; }),
                       "data.validation and data.test: 0.05 and 0.96 must be"));
  EXPECT_TRUE(contains(refuse([](DataConfig& c) { c.extensions = {""}; }),
                       "data.extensions: \"\" is no extension"));
  check(DataConfig{});
}

TEST(DataConfig, BindsFromARecipe) {
  DataConfig config;
  const std::string recipe =
      "path: /x\nextensions: [h, cpp]\nmax_file: 1MiB\ninvalid_utf8: replace\nlarge_files: skip\n";
  bind_text(recipe, "recipe", config);
  EXPECT_EQ(config.extensions, (std::vector<std::string>{"h", "cpp"}));
  EXPECT_EQ(config.max_file.bytes, 1 << 20);
  EXPECT_EQ(config.invalid_utf8, InvalidUtf8::kReplace);
  EXPECT_EQ(config.large_files, LargeFiles::kSkip);
}

}  // namespace
}  // namespace ingot::data::config_test
