// SPDX-License-Identifier: Apache-2.0
// How rows of a table reach a network: pictures as numbers, augmented in training alone, mirrored
// and moved on request; noise on numbers in training alone.
#include "data/transforms/feature_rows.h"

#include <cstring>

#include <gtest/gtest.h>

#include "data/temp_folder.h"
#include "data/transforms/image_feature.h"
#include "data/transforms/samples.h"

namespace ingot::data::feature_rows_test {
namespace {

/// Three gray pictures of 2 x 3 pixels with a number each.
class FeatureRowsTest : public ::testing::Test {
 protected:
  FeatureSet make(std::vector<AugmentConfig> augment, float noise) {
    std::string csv = "photo,age\n";
    for (int i = 0; i < 3; ++i) {
      const std::string name = "p" + std::to_string(i) + ".png";
      std::string pixels;
      for (int k = 0; k < 6; ++k) pixels += static_cast<char>(40 * i + 10 * k);
      (void)folder_.put(name, io::pnm_head(2, 3, 1) + pixels);
      csv += name + "," + std::to_string(i * i) + "\n";
    }
    const auto table = open_table(folder_.put("t.csv", csv));
    std::vector<FeatureConfig> configs(2);
    configs[0].name = "photo";
    configs[0].image.scale = PixelScale::kNone;
    configs[0].image.augment = std::move(augment);
    configs[1].name = "age";
    configs[1].scale = Scale::kNone;
    configs[1].noise = noise;
    FeatureSet set(
        samples::schema_of({{"photo", ColumnKind::kImage}, {"age", ColumnKind::kNumber}}), configs,
        {});
    (void)set.fit(*table);
    return set;
  }
  static std::vector<float> filled(const FeatureRows& rows, const ExampleField& field,
                                   const std::vector<std::byte>& stored, const RowView& view) {
    std::vector<float> out(static_cast<size_t>(field.shape.size()));
    std::vector<std::byte> scratch(static_cast<size_t>(rows.scratch_bytes()));
    rows.fill(field, stored, view, scratch, std::as_writable_bytes(std::span(out)));
    return out;
  }
  static std::vector<std::byte> bytes(const std::vector<int>& values) {
    std::vector<std::byte> out;
    for (const int v : values) out.push_back(static_cast<std::byte>(v));
    return out;
  }

  TempFolder folder_;
  const ExampleField photo_{"photo", DType::kU8, {2, 3, 1}, 0};
  const ExampleField table_{"table", DType::kF32, {1}, 0};
};

using Floats = std::vector<float>;

TEST_F(FeatureRowsTest, BlocksAndInputsOfAPicture) {
  const FeatureSet set = make({}, 0);
  ASSERT_EQ(set.blocks().size(), 2U);
  EXPECT_EQ(set.blocks()[0].name, "table");
  EXPECT_EQ(set.blocks()[1].name, "photo");
  EXPECT_EQ(set.blocks()[1].dtype, DType::kU8);
  EXPECT_EQ(set.blocks()[1].input_dtype(), DType::kF32);
  EXPECT_EQ(set.blocks()[1].shape, (Shape{2, 3, 1}));
  EXPECT_NE(set.find_image("photo"), nullptr);
  EXPECT_EQ(set.find_image("age"), nullptr);
  EXPECT_EQ(set.find_image("none"), nullptr);
}

TEST_F(FeatureRowsTest, EvaluationSeesPicturesAsTheyAreMirroredOrMoved) {
  AugmentConfig cutout;
  cutout.kind = AugmentKind::kCutout;
  cutout.size = 9;
  const FeatureSet set = make({cutout}, 0);
  const FeatureRows rows(set, 1);
  const std::vector<std::byte> stored = bytes({1, 2, 3, 4, 5, 6});
  RowView view;
  EXPECT_EQ(filled(rows, photo_, stored, view), (Floats{1, 2, 3, 4, 5, 6}));
  view.is_mirrored = true;
  EXPECT_EQ(filled(rows, photo_, stored, view), (Floats{3, 2, 1, 6, 5, 4}));
  view.shift_y = view.shift_x = 1;
  EXPECT_EQ(filled(rows, photo_, stored, view), (Floats{5, 4, 5, 2, 1, 2}));
  view.is_training = true;
  EXPECT_EQ(filled(rows, photo_, stored, view), Floats(6, 0)) << "all of it is cut out";
}

TEST_F(FeatureRowsTest, NumbersInPlaceOfAPictureGetNoNoise) {
  const FeatureSet set = make({}, 0.5F);
  const FeatureRows rows(set, 1);
  const ExampleField floats{"photo", DType::kF32, {2, 3, 1}, 0};
  const std::vector<std::byte> zeros(24);
  EXPECT_EQ(filled(rows, floats, zeros, RowView{true, 3, 1, false, 0, 0}), Floats(6, 0));
}

TEST_F(FeatureRowsTest, TrainingIsAFunctionOfSeedEpochAndRow) {
  AugmentConfig crop;
  crop.padding = 1;
  const FeatureSet set = make({crop}, 0.5F);
  const std::vector<std::byte> stored = bytes({1, 2, 3, 4, 5, 6});
  std::vector<std::byte> age(4);
  const FeatureRows rows(set, 1), other(set, 2);
  int same = 0;
  for (int64_t row = 0; row < 50; ++row) {
    const RowView view{true, 3, row, false, 0, 0}, next{true, 4, row, false, 0, 0};
    const Floats first = filled(rows, photo_, stored, view);
    ASSERT_EQ(filled(rows, photo_, stored, view), first);
    same += filled(rows, photo_, stored, next) == first;
    same += filled(other, photo_, stored, view) == first;
    const Floats noisy = filled(rows, table_, age, view);
    EXPECT_NE(noisy[0], 0);
    EXPECT_EQ(filled(rows, table_, age, view), noisy);
    EXPECT_NE(filled(rows, table_, age, next), noisy);
    EXPECT_EQ(filled(rows, table_, age, {}), Floats{0}) << "no noise in evaluation";
  }
  EXPECT_LT(same, 25);
}

}  // namespace
}  // namespace ingot::data::feature_rows_test
