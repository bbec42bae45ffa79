// SPDX-License-Identifier: Apache-2.0
// Pictures counted by size and kind, and those that cannot be read, by name.
#include "data/inspect_pictures.h"

#include <nlohmann/json.hpp>

#include "data/schema.h"
#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::inspect_pictures_test {
namespace {

constexpr int64_t kMaxPixels = 1000;

class InspectPictures : public ::testing::Test {
 protected:
  std::string put(const std::string& name, int64_t height, int64_t width, int64_t channels) {
    const std::string pixels(static_cast<size_t>(height * width * channels), 'x');
    return folder_.put(name, io::pnm_head(height, width, channels) + pixels);
  }
  TempFolder folder_;
};

TEST_F(InspectPictures, CountsSizesAndKindsAndNamesTheBad) {
  (void)put("p/a/1.png", 4, 5, 3);
  (void)put("p/a/2.png", 4, 5, 1);
  (void)put("p/b/3.png", 1, 2, 3);
  (void)folder_.put("p/b/4.png", "");
  (void)folder_.put("p/b/5.png", "P5\n20000 20000\n255\n");
  const auto table = open_table(folder_.file("p"));
  const PictureReport report = inspect_pictures(*table, "image", kMaxPixels);
  EXPECT_EQ(report.pictures, 3);
  EXPECT_EQ(report.gray, 1);
  EXPECT_EQ(report.bad, 2);
  EXPECT_EQ(
      report.text(),
      "image: 3 pictures, 1 gray, 2 in colours\n"
      "  2 sizes (height x width), from 1 x 2 to 4 x 5: 4 x 5 (2), 1 x 2 (1)\n"
      "  2 cannot be read:\n"
      "    line 4: image: \"b/4.png\": the file is empty\n"
      "    line 5: image: \"b/5.png\": 20000 x 20000 pixels are more than the 1000 allowed\n");
  const Json json = report.to_json();
  EXPECT_EQ(json["colour"], 2);
  EXPECT_EQ(json["sizes"][0]["count"], 2);
  EXPECT_EQ(json["first_bad"][0]["line"], 4);
}

TEST_F(InspectPictures, LooksBesideTheFileOfEachRow) {
  (void)put("a/1.png", 2, 2, 3);
  (void)put("b/1.png", 3, 3, 3);
  (void)folder_.put("a/t.csv", "photo\n1.png\n");
  (void)folder_.put("b/t.csv", "photo\n1.png\n");
  const auto table = open_table(folder_.file("?/t.csv"));
  EXPECT_EQ(inspect_pictures(*table, "photo", kMaxPixels).different_sizes, 2);
}

TEST_F(InspectPictures, ASharedSizeIsThatOfAllThatCanBeRead) {
  (void)put("p/a/1.png", 4, 5, 3);
  (void)put("p/b/2.png", 4, 5, 1);
  (void)folder_.put("p/b/3.png", "");
  const auto table = open_table(folder_.file("p"));
  const std::optional<SizeCount> shared = shared_size(*table, "image", 3);
  ASSERT_TRUE(shared.has_value());
  EXPECT_EQ(shared->height, 4);
  EXPECT_EQ(shared->width, 5);
  EXPECT_EQ(shared->count, 2);
  (void)put("p/b/4.png", 5, 4, 1);
  EXPECT_FALSE(shared_size(*open_table(folder_.file("p")), "image", 4).has_value());
  // Of 101 pictures every second one is looked at: the fourth is not.
  EXPECT_TRUE(shared_size(*open_table(folder_.file("p")), "image", 101).has_value());
  EXPECT_FALSE(shared_size(*open_table(folder_.put("t.csv", "n,photo\n1,no.png\n2,\n")), "photo", 2,
                           default_missing())
                   .has_value());
}

TEST_F(InspectPictures, ReadsAColumnOfATable) {
  (void)put("photos/a.png", 4, 4, 3);
  const auto table = open_table(folder_.put("t.csv", "n,photo\n1,photos/a.png\n2,\n"));
  EXPECT_EQ(inspect_pictures(*table, "photo", kMaxPixels).text(),
            "photo: 1 pictures, 0 gray, 1 in colours; 1 cells are empty\n"
            "  all are 4 x 4 (height x width)\n");
  EXPECT_EQ(
      message_of(Code::kNotFound, [&] { (void)inspect_pictures(*table, "foto", kMaxPixels); }),
      "inspect: \"" + table->name() + "\" has no column \"foto\". Known: n, photo.");
  const auto listed = open_table(folder_.put("na.csv", "n,photo\n1,photos/a.png\n2,NA\n"));
  const PictureReport report =
      inspect_pictures(*listed, "photo", kMaxPixels, std::vector<std::string>{"NA"});
  EXPECT_EQ(report.missing, 1);
  EXPECT_EQ(report.bad, 0);
  StopFlag stop;
  stop.request();
  EXPECT_EQ(message_of(Code::kCancelled,
                       [&] { (void)inspect_pictures(*table, "photo", kMaxPixels, {}, &stop); })
                .empty(),
            false);
}

}  // namespace
}  // namespace ingot::data::inspect_pictures_test
