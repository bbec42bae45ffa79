// SPDX-License-Identifier: Apache-2.0
// Pictures at their places in a grid.
#include "data/image_grid.h"

#include "data/temp_folder.h"

namespace ingot::data::image_grid_test {
namespace {

TEST(ImageGrid, PicturesStandRowByRowOnWhite) {
  const io::Image gray{1, 1, 1, {7}}, red{1, 1, 3, {200, 0, 0}};
  const std::vector<io::Image> pictures{gray, red, gray};
  const io::Image grid = image_grid(pictures, {2, 2, 1});
  EXPECT_EQ(grid.height, 7);
  EXPECT_EQ(grid.width, 7);
  ASSERT_EQ(grid.channels, 3);
  const auto at = [&](int64_t y, int64_t x) {
    const auto pixel = grid.pixels.begin() + (y * 7 + x) * 3;
    return std::vector<int>(pixel, pixel + 3);
  };
  const std::vector<int> white(3, 255), seven(3, 7), as_red{200, 0, 0};
  for (const auto& [y, x] : {std::pair{1, 1}, std::pair{2, 2}, std::pair{4, 1}, std::pair{5, 2}})
    EXPECT_EQ(at(y, x), seven);
  for (const auto& [y, x] : {std::pair{1, 4}, std::pair{2, 5}}) EXPECT_EQ(at(y, x), as_red);
  for (const auto& [y, x] :
       {std::pair{0, 0}, std::pair{3, 1}, std::pair{1, 3}, std::pair{4, 4}, std::pair{6, 6}}) {
    EXPECT_EQ(at(y, x), white);
  }
}

TEST(ImageGrid, LargePicturesShrinkInProportion) {
  const std::vector<io::Image> wide{{2, 8, 1, std::vector<uint8_t>(16, 9)}};
  const io::Image grid = image_grid(wide, {8, 4, 0});
  EXPECT_EQ(grid.height, 4);
  EXPECT_EQ(grid.width, 4);
  EXPECT_EQ(grid.pixels[0], 255);
  EXPECT_EQ(grid.pixels[(1 * 4 + 0) * 3], 9) << "one row in the middle";
  EXPECT_EQ(grid.pixels[(2 * 4 + 0) * 3], 255);
}

TEST(ImageGrid, RefusesNothingAndTooMuch) {
  EXPECT_EQ(message_of(Code::kInvalidArgument, [] { (void)image_grid({}, {}); }),
            "grid: 0 pictures in 8 columns of 96 pixels");
  const std::vector<io::Image> two(2, io::Image{1, 1, 1, {0}});
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] {
                         (void)image_grid(two, {1, 8000, 0});
                       }),
            "grid: 2 rows of 1 pictures are too many for one picture");
}

}  // namespace
}  // namespace ingot::data::image_grid_test
