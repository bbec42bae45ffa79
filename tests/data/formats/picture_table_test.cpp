// SPDX-License-Identifier: Apache-2.0
// Raw pictures as cells: PNM files that decode to the pixels, names for labels.
#include "data/formats/picture_table.h"

#include "data/temp_folder.h"
#include "io/image.h"

namespace ingot::data::picture_table_test {
namespace {

/// Two gray pictures of 1 x 2 pixels: (0, 1) and (10, 11), labels 0 and 1.
class Counting final : public PictureSource {
 public:
  explicit Counting(bool has_labels) : has_labels_(has_labels) {}
  [[nodiscard]] PictureShape shape() const override { return {1, 2, 1}; }
  [[nodiscard]] bool has_labels() const override { return has_labels_; }
  bool next(std::string& cell, int32_t& label) override {
    if (next_ == 2) return false;
    cell += static_cast<char>(10 * next_);
    cell += static_cast<char>(10 * next_ + 1);
    label = next_++;
    return true;
  }
  void rewind() override { next_ = 0; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  bool has_labels_;
  int next_ = 0;
  std::string name_ = "counting";
};

TEST(PictureTable, CellsAreFilesOfPixels) {
  const auto table = picture_table(std::make_unique<Counting>(true), {"none"});
  EXPECT_EQ(table->name(), "counting");
  EXPECT_EQ(table->skipped(), 0);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::string_view> cells;
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(table->next(cells));
      ASSERT_EQ(cells.size(), 2U);
      EXPECT_TRUE(io::is_image(cells[0]));
      const io::Image image = io::decode_image(std::as_bytes(std::span(cells[0])), "f");
      EXPECT_EQ(image.width, 2);
      EXPECT_EQ(image.pixels[1], 10 * i + 1);
      EXPECT_EQ(cells[1], i == 0 ? "none" : "1") << "a label without a name is its number";
    }
    EXPECT_FALSE(table->next(cells));
    table->rewind();
    EXPECT_EQ(table->line(), 0);
  }
}

TEST(PictureTable, WithoutLabelsThereIsNoClass) {
  const auto table = picture_table(std::make_unique<Counting>(false), {});
  EXPECT_EQ(table->columns(), std::vector<std::string>{"image"});
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  EXPECT_EQ(cells.size(), 1U);
}

TEST(PictureTable, NamesOfClassesAreLines) {
  const TempFolder folder;
  EXPECT_EQ(class_names(folder.put("names.txt", " a b \r\n\nc")),
            (std::vector<std::string>{"a b", "c"}));
  EXPECT_TRUE(class_names(folder.file("none.txt")).empty());
}

}  // namespace
}  // namespace ingot::data::picture_table_test
