// SPDX-License-Identifier: Apache-2.0
// A preview holds the pictures themselves and what training makes of them.
#include "data/preview.h"

#include <cmath>
#include <utility>
#include <vector>

#include "data/table_examples.h"
#include "data/temp_folder.h"

namespace ingot::data::preview_test {
namespace {

TEST(Preview, ShowsPicturesAndTheirVersions) {
  const TempFolder folder;
  for (int i = 0; i < 6; ++i) {
    (void)folder.put((i % 2 == 0 ? "pets/cat/" : "pets/dog/") + std::to_string(i) + ".png",
                     io::pnm_head(2, 2, 1) + std::string(4, static_cast<char>(50 + i)));
  }
  TableConfig c;
  c.path = folder.file("pets");
  c.target.column = "class";
  c.split.test = c.split.validation = 0;
  c.features.emplace_back().name = "image";
  AugmentConfig& crop = c.features[0].image.augment.emplace_back();
  crop.padding = 2;  // a window of 2 x 2 may miss the picture: black
  const auto files = real_files();
  (void)make_examples(*files, c, folder.file("data"));
  const FeatureSet features = FeatureSet::load(folder.file("data/features.json"));
  const ExampleReader train(examples_path(folder.file("data"), Split::kTrain));
  const io::Image grid = preview(features, train, {3, 5, 42});
  EXPECT_EQ(grid.height, 3 * 100 + 4);
  EXPECT_EQ(grid.width, 6 * 100 + 4);
  const auto at = [&](int64_t row, int64_t column) {
    return grid
        .pixels[static_cast<size_t>(((row * 100 + 50) * grid.width + column * 100 + 50) * 3)];
  };
  EXPECT_EQ(at(0, 0), 50) << "cat/0.png as it is";
  EXPECT_EQ(at(1, 0), 54) << "the third of six";
  for (int64_t column = 1; column < 6; ++column) {
    EXPECT_TRUE(at(0, column) == 0 || at(0, column) == 50);
  }
  EXPECT_EQ(preview(features, train, {3, 5, 42}).pixels, grid.pixels);
  EXPECT_NE(preview(features, train, {3, 5, 43}).pixels, grid.pixels);
}

/// Without augmentation a mixture is a mean of two pictures of one gray each.
TEST(Preview, ShowsMixtures) {
  const TempFolder folder;
  for (int i = 0; i < 4; ++i) {
    (void)folder.put((i < 2 ? "pets/cat/" : "pets/dog/") + std::to_string(i) + ".png",
                     io::pnm_head(2, 2, 1) + std::string(4, static_cast<char>(10 + 20 * i)));
  }
  TableConfig c;
  c.path = folder.file("pets");
  c.target.column = "class";
  c.split.test = c.split.validation = 0;
  const auto files = real_files();
  (void)make_examples(*files, c, folder.file("data"));
  const FeatureSet features = FeatureSet::load(folder.file("data/features.json"));
  const ExampleReader train(examples_path(folder.file("data"), Split::kTrain));
  PreviewOptions options{4, 3, 42, {}};
  std::vector<std::pair<int64_t, uint64_t>> asked;
  options.mix = [&](int64_t row, uint64_t epoch) {
    asked.emplace_back(row, epoch);
    return PreviewMix{3 - row, epoch == 0 ? 1.0F : epoch == 1 ? 0.75F : 0.0F};
  };
  const io::Image grid = preview(features, train, options);
  ASSERT_EQ(asked.size(), 12U);
  EXPECT_EQ(asked[4], (std::pair<int64_t, uint64_t>{1, 1}));
  for (int64_t row = 0; row < 4; ++row) {
    const auto at = [&](int64_t column) {
      return grid
          .pixels[static_cast<size_t>(((row * 100 + 50) * grid.width + column * 100 + 50) * 3)];
    };
    const auto own = static_cast<double>(10 + 20 * row), other = 80.0 - own;
    EXPECT_EQ(at(0), own) << "as it is";
    EXPECT_EQ(at(1), own);
    EXPECT_EQ(at(2), std::lround(0.75 * own + 0.25 * other));
    EXPECT_EQ(at(3), other);
  }
}

TEST(Preview, NeedsPictures) {
  const TempFolder folder;
  TableConfig c;
  c.path = folder.put("t.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n");
  c.target.column = "y";
  c.split.test = c.split.validation = 0;
  const auto files = real_files();
  (void)make_examples(*files, c, folder.file("data"));
  const FeatureSet features = FeatureSet::load(folder.file("data/features.json"));
  const ExampleReader train(examples_path(folder.file("data"), Split::kTrain));
  EXPECT_EQ(
      message_of(Code::kInvalidArgument, [&] { (void)preview(features, train, {}); }),
      "preview: the table has no column of pictures; a preview shows pictures that are trained "
      "on");
}

}  // namespace
}  // namespace ingot::data::preview_test
