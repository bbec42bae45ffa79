// SPDX-License-Identifier: Apache-2.0
// Patterns of paths against paths, and what stands for their {…}.
#include "serve/route.h"

#include <array>

#include <gtest/gtest.h>

namespace ingot::serve::route_test {
namespace {

using Names = std::vector<std::string>;

TEST(Route, APathWithoutPlacesMatchesOnlyItself) {
  EXPECT_EQ(match_path("/health", "/health"), Names());
  for (const char* path : {"", "/", "/healt", "/health/", "/healthy", "x/health"}) {
    EXPECT_FALSE(match_path("/health", path).has_value()) << path;
  }
}

TEST(Route, PlacesTakeWhatStandsThere) {
  EXPECT_EQ(match_path("/m/{model}", "/m/a/b"), Names{"a/b"});
  EXPECT_EQ(match_path("/m/{model}:predict", "/m/a:predict"), Names{"a"});
  EXPECT_EQ(match_path("/m/{model}:predict", "/m/a:b:predict"), Names{"a:b"});
  EXPECT_EQ(match_path("/m/{model}/versions/{version}/infer", "/m/a/versions/1/infer"),
            (Names{"a", "1"}));
  EXPECT_EQ(match_path("/m/{model}/versions/{version}", "/m/x/versions/y/versions/2"),
            (Names{"x/versions/y", "2"}));
  for (const char* path :
       {"/m/:predict", "/m:predict", "/m/a:predic", "/n/a:predict", ":predict"}) {
    EXPECT_FALSE(match_path("/m/{model}:predict", path).has_value()) << path;
  }
  for (const char* path : {"/m//versions/1", "/m/a/versions/", "/m/versions/1", "/versions/1"}) {
    EXPECT_FALSE(match_path("/m/{model}/versions/{version}", path).has_value()) << path;
  }
}

TEST(Route, PlacesArePercentDecoded) {
  EXPECT_EQ(match_path("/m/{model}", "/m/%61%2Fb%"), Names{"a/b%"});
  EXPECT_EQ(match_path("/m/{model}", "/m/%zz%4"), Names{"%zz%4"});
}

TEST(Route, APathIsItsTargetWithoutTheQuery) {
  for (const auto& [target, authority, path] : {std::array{"/a?b=http://c", "", "/a?b=http://c"},
                                                {"http://h:1/a?b", "h:1", "/a?b"},
                                                {"HTTP://h", "h", "/"},
                                                {"http://h?b", "h", "?b"},
                                                {"https://h/a", "", "https://h/a"},
                                                {"", "", ""}}) {
    EXPECT_EQ(split_target(target).authority, authority) << target;
    EXPECT_EQ(split_target(target).path, path) << target;
  }
  EXPECT_EQ(path_of("/a?b=/c"), "/a");
  EXPECT_EQ(path_of("/a"), "/a");
}

}  // namespace
}  // namespace ingot::serve::route_test
