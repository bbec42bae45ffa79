// SPDX-License-Identifier: Apache-2.0
// A reader of the new table finds the pictures of the old one.
#include "data/picture_paths.h"

#include <algorithm>
#include <map>

#include "data/table_files.h"
#include "data/temp_folder.h"
#include "data/transforms/image_feature.h"
#include "io/image.h"

namespace ingot::data::picture_paths_test {
namespace {

class PicturePathsTest : public ::testing::Test {
 protected:
  PicturePathsTest() { std::filesystem::create_directories(folder_.file("out/data")); }
  /// A picture of one gray pixel; returns its bytes.
  std::string put(const std::string& name, char pixel) {
    const std::string bytes = io::pnm_head(1, 1, 1) + pixel;
    (void)folder_.put(name, bytes);
    return bytes;
  }
  /// By the cells of column "id", what stands in `column`, and the bytes that a reader finds there.
  struct Found {
    std::string cell, bytes;
  };
  static std::map<std::string, Found> read(const std::string& path, const std::string& column) {
    const std::unique_ptr<TableReader> table = open_table(path);
    const std::vector<std::string>& names = table->columns();
    const auto place = [&](const std::string& name) {
      return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    };
    RowFolder folder(*table);
    std::map<std::string, Found> rows;
    std::vector<std::string_view> cells;
    while (table->next(cells)) {
      const std::string_view cell = cells[place(column)];
      Found& found = rows[std::string(cells[place("id")])];
      found.cell = cell;
      try {
        found.bytes = picture_bytes({cell, false, table->line(), folder.get()});
      } catch (const Error&) {  // none is there
      }
    }
    return rows;
  }
  TableConfig config(const std::string& path) {
    TableConfig c;
    c.path = path;
    c.target.column = "y";
    c.split.validation = c.split.test = 0;
    return c;
  }
  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = real_files();
};

TEST_F(PicturePathsTest, ACleanTableNamesTheSamePictures) {
  const std::string a = put("in/a.png", 'a'), b = put("in/deep/b.png", 'b'), c = put("c.png", 'c');
  const std::string table =
      folder_.put("in/t.csv", "id,photo,y\n1,a.png,u\n2, deep/b.png ,v\n3," +
                                  folder_.file("c.png") + ",u\n4,NA,v\n" + "5,../c.png,u\n");
  (void)write_clean_table(*files_, config(table), folder_.file("out/data/clean.csv"));
  std::map<std::string, Found> rows = read(folder_.file("out/data/clean.csv"), "photo");
  EXPECT_EQ(rows["1"].cell, "../../in/a.png");
  EXPECT_EQ(rows["1"].bytes, a);
  EXPECT_EQ(rows["2"].cell, "../../in/deep/b.png");
  EXPECT_EQ(rows["2"].bytes, b);
  EXPECT_EQ(rows["3"].cell, folder_.file("c.png")) << "found from everywhere";
  EXPECT_EQ(rows["4"].cell, "NA");
  EXPECT_EQ(rows["5"].cell, "../../c.png");
  EXPECT_EQ(rows["5"].bytes, c);
  // And once more, from there to a place beside the pictures.
  (void)write_clean_table(*files_, config(folder_.file("out/data/clean.csv")),
                          folder_.file("in/again.csv"));
  rows = read(folder_.file("in/again.csv"), "photo");
  EXPECT_EQ(rows["1"].cell, "a.png");
  EXPECT_EQ(rows["5"].cell, "../c.png");
}

TEST_F(PicturePathsTest, FilesOfAPatternAndHeldOutOnesHaveFoldersOfTheirOwn) {
  const std::string first = put("p1/a.png", '1'), second = put("p2/a.png", '2');
  const std::string later = put("later/a.png", '3');
  (void)folder_.put("p1/t.csv", "id,photo,y\n1,a.png,u\n");
  (void)folder_.put("p2/t.csv", "id,photo,y\n2,a.png,v\n");
  TableConfig c = config(folder_.file("p?/t.csv"));
  c.split.test_file = folder_.put("later/t.csv", "photo,id,y\na.png,3,u\n");
  (void)write_split_tables(*files_, c, folder_.file("out/data"));
  std::map<std::string, Found> rows = read(folder_.file("out/data/train.csv"), "photo");
  EXPECT_EQ(rows["1"].bytes, first);
  EXPECT_EQ(rows["2"].bytes, second);
  EXPECT_EQ(read(folder_.file("out/data/test.csv"), "photo")["3"].bytes, later);
}

/// An annex keeps pictures under names that end in nothing.
TEST_F(PicturePathsTest, LinksAreFollowedInFoldersAlone) {
  const std::string bytes = put("store/0123", 's');
  (void)folder_.put("in/t.csv", "id,photo,y\n1,a.png,u\n");
  std::filesystem::create_symlink(folder_.file("store/0123"), folder_.file("in/a.png"));
  std::filesystem::create_directory_symlink(folder_.file("out/data"), folder_.file("short"));
  (void)write_clean_table(*files_, config(folder_.file("in/t.csv")),
                          folder_.file("short/clean.csv"));
  const Found found = read(folder_.file("out/data/clean.csv"), "photo")["1"];
  EXPECT_EQ(found.cell, "../../in/a.png");
  EXPECT_EQ(found.bytes, bytes);
}

TEST_F(PicturePathsTest, OnlyColumnsOfKindImageHoldPaths) {
  (void)put("in/a.png", 'a');
  std::string csv = "id,photo,note,raw,empty,y\n";
  for (int i = 0; i < 200; ++i) {
    csv += std::to_string(i) + ",a.png,a." + (i == 150 ? "txt" : "png") + ",a.dat,,u\n";
  }
  csv += "200,a.png,a.png,a.dat,a.png,v\n";
  TableConfig c = config(folder_.put("in/t.csv", csv));
  const auto names = [&] {
    const std::unique_ptr<CleanTable> table = open_clean_table(c);
    return find_picture_columns(c, *table).names;
  };
  EXPECT_EQ(names(), (std::vector<std::string>{"photo", "empty"})) << "\"note\" holds other texts";
  FeatureConfig raw, photo;
  raw.name = "raw";
  raw.kind = FeatureKind::kImage;
  photo.name = "photo";
  photo.kind = FeatureKind::kIgnore;
  c.features = {raw, photo};
  EXPECT_EQ(names(), (std::vector<std::string>{"raw", "empty"}));
  c.features.clear();
  c.target.column = "photo";
  EXPECT_EQ(names(), std::vector<std::string>{"empty"});
  c = config(folder_.put("in/none.csv", "id,photo,y\n"));
  c.format.header = HeaderRow::kYes;
  EXPECT_TRUE(names().empty());
}

TEST_F(PicturePathsTest, WithoutACurrentFolderThereIsNoWayFromARelativeOne) {
  const std::unique_ptr<TableReader> table =
      open_table(folder_.put("in/t.csv", "photo\na.png\nb.png\n"));
  PicturePaths paths(*table, {{"photo"}, {}}, "out");
  std::vector<std::string_view> cells;
  ASSERT_TRUE(table->next(cells));
  const std::filesystem::path before = std::filesystem::current_path();
  const TempFolder gone;
  std::filesystem::current_path(gone.path());
  std::filesystem::remove(gone.path());
  const std::string message = message_of(Code::kNotFound, [&] { paths.move(cells); });
  std::filesystem::current_path(before);
  EXPECT_EQ(message, "data: the way from: \"out\": No such file or directory");
}

}  // namespace
}  // namespace ingot::data::picture_paths_test
