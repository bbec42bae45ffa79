// SPDX-License-Identifier: Apache-2.0
// The list of published data says what is needed to accept and to verify it.
#include "data/public_data.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/files.h"
#include "io/download.h"

namespace ingot::data::public_data_test {
namespace {

TEST(PublicData, EverySetHasALicenceAndAddresses) {
  std::string_view before;
  for (const PublicData& set : public_data()) {
    EXPECT_LT(before, set.name) << "in alphabetical order";
    before = set.name;
    EXPECT_FALSE(set.title.empty() || set.licence.empty() || set.files.empty()) << set.name;
    for (const PublicFile& file : set.files) {
      const io::Url url = io::parse_url(std::string(file.url));
      EXPECT_TRUE(url.is_secure) << file.url;
      EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << file.name;
      EXPECT_EQ(file.name.find('/'), std::string_view::npos) << file.name;
    }
    EXPECT_EQ(find_public_data(set.name), &set);
  }
  EXPECT_EQ(find_public_data("nothing"), nullptr);
}

TEST(PublicData, TheNextCommandNamesTheFolder) {
  EXPECT_EQ(use_in(*find_public_data("ames_housing"), "my/data"),
            "ingot new ames --from my/data/house.csv");
  for (const PublicData& set : public_data()) {
    const std::string text = use_in(set, "{}");  // what is put in is not looked at again
    EXPECT_EQ(text, set.use);
    EXPECT_EQ(set.use.empty(), set.use.find("{}") == std::string_view::npos) << set.name;
    EXPECT_EQ(set.use.find(std::string(set.name) + "/"), std::string_view::npos) << set.use;
  }
}

TEST(PublicData, DigestsAreThoseOfTheFiles) {
  const char* const root = std::getenv("INGOT_DATA_DIR");
  if (root == nullptr) GTEST_SKIP() << "INGOT_DATA_DIR is not set";
  int checked = 0;
  for (const PublicData& set : public_data()) {
    for (const PublicFile& file : set.files) {
      const std::string path = join_path(join_path(root, set.name), file.name);
      const std::string packed = file_exists(path) ? path : path + ".gz";
      if (file.sha256.empty() || !file_exists(packed)) continue;
      EXPECT_EQ(io::unpacked_sha256(packed), file.sha256) << packed;
      ++checked;
    }
  }
  EXPECT_GE(checked, 20);
}

}  // namespace
}  // namespace ingot::data::public_data_test
