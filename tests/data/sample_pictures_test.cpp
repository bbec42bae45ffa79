// SPDX-License-Identifier: Apache-2.0
// Which pictures stand where in the grid of samples, told by their gray.
#include "data/sample_pictures.h"

#include <set>
#include <tuple>

#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::sample_pictures_test {
namespace {

class SamplePictures : public ::testing::Test {
 protected:
  /// A picture of one gray.
  void put(const std::string& name, int gray) {
    (void)folder_.put(name, io::pnm_head(2, 2, 1) + std::string(4, static_cast<char>(gray)));
  }
  /// The middle of a place of the grid.
  static int at(const io::Image& grid, int64_t row, int64_t column) {
    return grid.pixels[static_cast<size_t>(((row * 100 + 50) * grid.width + column * 100 + 50) *
                                           grid.channels)];
  }
  static SampleOptions options() {
    SampleOptions o;
    o.column = "image";
    o.classes = "class";
    o.per_class = 3;
    return o;
  }
  TempFolder folder_;
};

TEST_F(SamplePictures, EveryClassHasItsRow) {
  for (int i = 0; i < 20; ++i) {
    put("p/dog/" + std::to_string(i) + ".png", 100 + i);
    if (i < 2) put("p/cat/" + std::to_string(i) + ".png", 10 + i);
  }
  const auto table = open_table(folder_.file("p"));
  const PictureSamples samples = sample_pictures(*table, options());
  EXPECT_EQ(samples.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(samples.pictures, 5);
  EXPECT_FALSE(samples.has_more_classes);
  ASSERT_EQ(samples.grid.height, 2 * 100 + 4);
  ASSERT_EQ(samples.grid.width, 3 * 100 + 4);
  const std::set<int> cats = {at(samples.grid, 0, 0), at(samples.grid, 0, 1)};
  EXPECT_EQ(cats, (std::set<int>{10, 11}));
  EXPECT_EQ(at(samples.grid, 0, 2), 255) << "there is no third cat";
  std::set<int> dogs;
  for (int64_t column = 0; column < 3; ++column) dogs.insert(at(samples.grid, 1, column));
  EXPECT_EQ(dogs.size(), 3U);
  EXPECT_GE(*dogs.begin(), 100);
  EXPECT_LT(*dogs.rbegin(), 120);
  EXPECT_EQ(sample_pictures(*table, options()).grid.pixels, samples.grid.pixels);
}

TEST_F(SamplePictures, ClassesThatAreNumbersStandInTheirOrder) {
  for (const char* const name : {"10", "9", "2"}) {
    put("p/" + std::string(name) + "/a.png", std::atoi(name));
  }
  const auto table = open_table(folder_.file("p"));
  SampleOptions o = options();
  const PictureSamples samples = sample_pictures(*table, o);
  EXPECT_EQ(samples.classes, (std::vector<std::string>{"2", "9", "10"}));
  for (const int64_t row : {0, 1, 2}) {
    EXPECT_EQ(std::to_string(at(samples.grid, row, 0)), samples.classes[static_cast<size_t>(row)]);
  }
  o.most_classes = 2;
  const PictureSamples first = sample_pictures(*table, o);
  EXPECT_EQ(first.classes.size(), 2U);
  EXPECT_TRUE(first.has_more_classes);
}

TEST_F(SamplePictures, WithoutClassesThereAreEightRows) {
  std::string csv = "n,photo\n";
  for (int i = 0; i < 30; ++i) {
    put("photos/" + std::to_string(i) + ".png", 50 + i);
    csv += std::to_string(i) + ",photos/" + std::to_string(i) + ".png\n";
  }
  const auto table = open_table(folder_.put("t.csv", csv + "30,\n31,NA\n"));
  SampleOptions o = options();
  o.column = "photo";
  o.classes = "";
  const std::vector<std::string> missing = {"NA"};
  o.missing = missing;
  const PictureSamples samples = sample_pictures(*table, o);
  EXPECT_TRUE(samples.classes.empty());
  EXPECT_EQ(samples.pictures, 24);
  std::set<int> grays;
  for (int64_t i = 0; i < 24; ++i) grays.insert(at(samples.grid, i / 3, i % 3));
  EXPECT_EQ(grays.size(), 24U) << "all different";
  EXPECT_GE(*grays.begin(), 50);
}

TEST_F(SamplePictures, OneThatCannotBeReadLeavesAPlaceEmpty) {
  put("p/a/1.png", 7);
  (void)folder_.put("p/a/2.png", "");
  (void)folder_.put("p/b/3.png", "");
  const auto table = open_table(folder_.file("p"));
  const PictureSamples samples = sample_pictures(*table, options());
  EXPECT_EQ(samples.pictures, 1);
  EXPECT_EQ(at(samples.grid, 0, 0), 7);
  EXPECT_EQ(at(samples.grid, 0, 1), 255);
  EXPECT_EQ(at(samples.grid, 1, 0), 255) << "no b can be read";
  (void)folder_.put("p/a/1.png", "");
  const auto broken = open_table(folder_.file("p"));
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)sample_pictures(*broken, options()); }),
            "inspect: \"" + broken->name() +
                "\" has no picture that can be read in the column \"image\"");
  SampleOptions other = options();
  other.classes = "clas";
  EXPECT_TRUE(contains(message_of(Code::kNotFound, [&] { (void)sample_pictures(*broken, other); }),
                       "has no column \"clas\". Did you mean \"class\"?"));
}

TEST_F(SamplePictures, ClassesAreThoseOfTheTarget) {
  Schema schema;
  for (const auto& [name, kind, distinct] :
       {std::tuple{"image", ColumnKind::kImage, 500}, std::tuple{"class", ColumnKind::kNumber, 10},
        std::tuple{"price", ColumnKind::kNumber, 400}}) {
    ColumnSchema& column = schema.columns.emplace_back();
    column.name = name;
    column.kind = kind;
    column.distinct = distinct;
  }
  EXPECT_EQ(sampled_classes(schema, "", false), "class");
  EXPECT_EQ(sampled_classes(schema, "class", true), "class");
  EXPECT_EQ(sampled_classes(schema, "price", false), "");
  EXPECT_EQ(sampled_classes(schema, "price", true), "price");
  EXPECT_EQ(sampled_classes(schema, "image", false), "");
  schema.columns.erase(schema.columns.begin() + 1);
  EXPECT_EQ(sampled_classes(schema, "", false), "");
}

}  // namespace
}  // namespace ingot::data::sample_pictures_test
