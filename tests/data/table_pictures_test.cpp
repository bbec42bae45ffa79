// SPDX-License-Identifier: Apache-2.0
// A table of pictures becomes examples: their bytes, whose folder they lie in, which are one.
#include <cstring>

#include <nlohmann/json.hpp>

#include "data/house_tables.h"
#include "data/transforms/image_feature.h"
#include "io/image.h"

namespace ingot::data::table_pictures_test {
namespace {

class TablePictures : public HouseTables {};

TEST_F(TablePictures, PicturesAreBytesOfARecord) {
  std::string csv = "photo,area,kind\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = "p" + std::to_string(i) + ".png";
    std::string pixels(12, static_cast<char>(10 * (i % 6)));
    pixels[0] = static_cast<char>(i % 6);
    (void)folder_.put("photos/" + name, io::pnm_head(2, 2, 3) + pixels);
    csv += "photos/" + name + "," + std::to_string(i) + (i % 2 == 0 ? ",a\n" : ",b\n");
  }
  TableConfig c;
  c.path = folder_.put("homes.csv", csv);
  c.target.column = "kind";
  c.split.test = 0.25;
  c.split.validation = 0;
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.rows, (std::array<int64_t, kSplits>{9, 0, 3}));
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  const ExampleField* photo = train.layout().find("photo");
  ASSERT_NE(photo, nullptr);
  EXPECT_EQ(photo->dtype, DType::kU8);
  EXPECT_EQ(photo->shape, (Shape{2, 2, 3}));
  const std::byte* pixels = train.row(3).data() + photo->offset;
  EXPECT_EQ(std::to_integer<int>(pixels[1]), 10 * std::to_integer<int>(pixels[0]));
}

TEST_F(TablePictures, APictureIsThatOfItsOwnRowsFolder) {
  // Two folders that hold the same names: gray 10 k under a, 100 + 10 k under b.
  for (int part = 0; part < 2; ++part) {
    const std::string folder = part == 0 ? "shards/a/" : "shards/b/";
    std::string csv = "photo,kind,level\n";
    for (int k = 0; k < 8; ++k) {
      const int level = 100 * part + 10 * k;
      const std::string name = std::to_string(k) + ".png";
      (void)folder_.put(folder + name,
                        io::pnm_head(1, 1, 1) + std::string(1, static_cast<char>(level)));
      csv += name + (k % 2 == 0 ? ",x," : ",y,") + std::to_string(level) + "\n";
    }
    (void)folder_.put(folder + "labels.csv", csv);
  }
  TableConfig c;
  c.path = folder_.file("shards/*/labels.csv");
  c.target.column = "level";
  c.split.validation = c.split.test = 0;
  (void)make_examples(*files_, c, folder_.file("data"));
  const ExampleReader train(examples_path(folder_.file("data"), Split::kTrain));
  ASSERT_EQ(train.rows(), 16);
  const int64_t photo = train.layout().find("photo")->offset;
  const int64_t target = train.layout().find(kTargetField)->offset;
  for (int64_t i = 0; i < train.rows(); ++i) {
    float level = 0;
    std::memcpy(&level, train.row(i).data() + target, sizeof(level));
    EXPECT_EQ(std::to_integer<int>(train.row(i)[static_cast<size_t>(photo)]),
              static_cast<int>(level));
  }
  // Mean and deviation are those of all 16, whatever file the table stood at before.
  const FeatureSet features = FeatureSet::load(folder_.file("data/features.json"));
  double sum = 0;
  for (int value = 0; value < 16; ++value) {
    const auto byte = static_cast<uint8_t>(100 * (value / 8) + 10 * (value % 8));
    float number = 0;
    features.find_image("photo")->to_numbers({&byte, 1}, &number);
    sum += static_cast<double>(number);
  }
  constexpr double kFloat = 1e-5;
  EXPECT_NEAR(sum, 0, kFloat);
}

TEST_F(TablePictures, EqualPicturesUnderOtherNamesAreDuplicates) {
  for (int i = 0; i < 10; ++i) {
    const std::string pixels(3, static_cast<char>(i / 2));
    (void)folder_.put((i % 2 == 0 ? "pets/cat/" : "pets/dog/") + std::to_string(i) + ".png",
                      io::pnm_head(1, 1, 3) + pixels);
  }
  TableConfig c;
  c.path = folder_.file("pets");
  c.target.column = "class";
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).leaks.duplicates, 5);
  // Bytes that are white space in a text are pixels all the same.
  (void)folder_.put("flat/cat/a.png", io::pnm_head(1, 1, 3) + "   ");
  (void)folder_.put("flat/dog/b.png", io::pnm_head(1, 1, 3) + "\t\t\t");
  c.path = folder_.file("flat");
  c.split.test = c.split.validation = 0;
  EXPECT_EQ(make_examples(*files_, c, folder_.file("data")).leaks.duplicates, 0);
}

TEST_F(TablePictures, BadPicturesStopOrAreCounted) {
  for (int i = 0; i < 8; ++i) {
    (void)folder_.put((i % 2 == 0 ? "pets/cat/" : "pets/dog/") + std::to_string(i) + ".png",
                      i == 5 ? "" : io::pnm_head(1, 1, 1) + std::to_string(i));
  }
  TableConfig c;
  c.path = folder_.file("pets");
  c.target.column = "class";
  c.split.test = c.split.validation = 0;
  EXPECT_EQ(message_of(Code::kCorruptFile,
                       [&] { (void)make_examples(*files_, c, folder_.file("data")); }),
            "features: column \"image\" (line 7): image: \"dog/5.png\": the file is empty; correct "
            "it, or set {name: \"image\", image: {bad: drop_row}} in table.features");
  c.features.emplace_back().name = "image";
  c.features[0].image.bad = BadImage::kDropRow;
  const TableExamples made = make_examples(*files_, c, folder_.file("data"));
  EXPECT_EQ(made.rows[0], 7);
  EXPECT_EQ(made.dropped[0], 1);
  ASSERT_EQ(made.fit.warnings.size(), 1U);
  EXPECT_EQ(made.fit.warnings[0],
            "image: 1 of 8 training pictures cannot be read; the first: image: \"dog/5.png\": the "
            "file is empty");
}

}  // namespace
}  // namespace ingot::data::table_pictures_test
