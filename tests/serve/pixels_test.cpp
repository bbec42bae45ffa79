// SPDX-License-Identifier: Apache-2.0
// Lists of pixels as files of pictures, and what is said of lists that are none.
#include "serve/pixels.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/image.h"

namespace ingot::serve::pixels_test {
namespace {

io::Image decoded(const std::string& file) {
  return io::decode_image(std::as_bytes(std::span(file)), "test");
}

std::string problem_of(const std::string& lists) {
  std::string problem;
  EXPECT_FALSE(read_pixels(parse_json(lists, "test"), problem).has_value()) << lists;
  return problem;
}

TEST(Pixels, ListsAreThePictureThatTheyWereOf) {
  const io::Image gray{2, 3, 1, {0, 1, 2, 253, 254, 255}};
  const io::Image colour{1, 2, 3, {255, 0, 7, 10, 13, 32}};
  std::string problem = "of an earlier picture";
  const auto first =
      read_pixels(parse_json("[[[0],[1],[2]],[[253],[254],[255]]]", "test"), problem);
  ASSERT_TRUE(first.has_value()) << problem;
  EXPECT_TRUE(io::is_image(*first));
  EXPECT_EQ(decoded(*first).pixels, decoded(io::encode_png(gray)).pixels);
  EXPECT_EQ(decoded(*first).height, 2);
  EXPECT_EQ(decoded(*first).channels, 1);
  const auto second = read_pixels(parse_json("[[[255,0,7],[10,13,32]]]", "test"), problem);
  ASSERT_TRUE(second.has_value()) << problem;
  EXPECT_EQ(decoded(*second).pixels, decoded(io::encode_png(colour)).pixels);
  EXPECT_EQ(decoded(*second).width, 2);
  EXPECT_EQ(decoded(*second).channels, 3);
}

TEST(Pixels, WhatIsNoPictureIsNamedWithItsPlace) {
  const std::string form =
      "must be the base64 of a file, or its pixels as lists [height][width][channels] of 1 channel "
      "(gray) or 3 (red, green, blue), but is ";
  for (const char* lists : {"[]", "[1,2]", "[[1,2],[3,4]]", "[[[1,2]]]", "[[[1,2,3,4]]]",
                            "[[[[1]]]]", "[[]]", "[[[]]]", "[{\"b64\":\"\"},1]"}) {
    EXPECT_EQ(problem_of(lists), form + lists);
  }
  const std::string values =
      "must have pixels of whole numbers from 0 to 255, as pictures hold them before any scaling, "
      "but ";
  EXPECT_EQ(problem_of("[[[0.5]]]"), values + "[0][0][0] is 0.5");
  EXPECT_EQ(problem_of("[[[1.0]]]"), values + "[0][0][0] is 1.0") << "0 to 1 or 0 to 255?";
  EXPECT_EQ(problem_of("[[[1,2,3],[1,2,256]]]"), values + "[0][1][2] is 256");
  EXPECT_EQ(problem_of("[[[1]],[[-1]]]"), values + "[1][0][0] is -1");
  EXPECT_EQ(problem_of("[[[1]],[[null]]]"), values + "[1][0][0] is null");
  EXPECT_EQ(problem_of("[[[1]],[[[1]]]]"), values + "[1][0][0] is [1]");
  EXPECT_EQ(problem_of("[[[1],[2]],[[3]]]"), "must have 2 pixels in every row, but row 1 is [[3]]");
  EXPECT_EQ(problem_of("[[[1],[2]],7]"), "must have 2 pixels in every row, but row 1 is 7");
  EXPECT_EQ(problem_of("[[[1,2,3],[4,5]]]"),
            "must have 3 channels in every pixel, but pixel [0][1] is [4,5]");
}

}  // namespace
}  // namespace ingot::serve::pixels_test
