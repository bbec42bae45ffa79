// SPDX-License-Identifier: Apache-2.0
// Folders of pictures: order, labels, what is left out, and folders that are no data set.
#include "data/formats/image_folder.h"

#include "data/temp_folder.h"

namespace ingot::data::image_folder_test {
namespace {

TEST(ImageFolder, ClassesAreSortedFolders) {
  const TempFolder folder;
  for (const char* name : {"dog/b.png", "dog/a.JPG", "cat/deep/er/c.jpeg", "cat/notes.txt",
                           "Bird/x.Png", ".hidden/y.png", "cat/.thumb.png", "readme.md"}) {
    (void)folder.put(name, "");
  }
  const ImageFolder found = list_image_folder(folder.path());
  EXPECT_EQ(found.root, folder.path());
  EXPECT_EQ(found.classes, (std::vector<std::string>{"Bird", "cat", "dog"}));
  EXPECT_EQ(found.counts, (std::vector<int64_t>{1, 1, 2}));
  EXPECT_EQ(found.other_files, 2);
  std::vector<std::string> images;
  for (const FolderImage& image : found.images) {
    images.push_back(image.path + ":" + std::to_string(image.label));
  }
  EXPECT_EQ(images, (std::vector<std::string>{"Bird/x.Png:0", "cat/deep/er/c.jpeg:1", "dog/a.JPG:2",
                                              "dog/b.png:2"}));
}

TEST(ImageFolder, PicturesOfOtherKindsAreCounted) {
  const TempFolder folder;
  for (const char* name :
       {"cat/a.png", "cat/b.WebP", "cat/notes.txt", "dog/c.jpg", "dog/d.heic", "loose.gif"}) {
    (void)folder.put(name, "");
  }
  const auto table = open_table(folder.path());
  EXPECT_EQ(table->unread().count, 3);
  EXPECT_EQ(
      passed_over(*table, "table.format."),
      std::vector<std::string>{"3 files are pictures of a kind that is not read, the first \"" +
                               folder.file("cat/b.WebP") + "\"; convert them to PNG or JPEG"});
  (void)folder.put("fox/e.avif", "");
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)open_table(folder.path()); }),
            "images: the class folder \"" + folder.file("fox") +
                "\" holds no .png, .jpg or .jpeg file; convert its pictures to one of them, or "
                "remove it");
}

TEST(ImageFolder, IsATableOfPaths) {
  const TempFolder folder;
  for (const char* name : {"dog/b.png", "cat/x/c.jpeg"}) (void)folder.put(name, "");
  const auto table = open_table(folder.path());
  EXPECT_EQ(table->columns(), (std::vector<std::string>{"image", "class"}));
  EXPECT_EQ(table->name(), folder.path());
  EXPECT_EQ(folder_of_table(table->name()), folder.path());
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::string_view> cells;
    ASSERT_TRUE(table->next(cells));
    EXPECT_EQ(cells, (std::vector<std::string_view>{"cat/x/c.jpeg", "cat"}));
    EXPECT_EQ(table->line(), 1);
    ASSERT_TRUE(table->next(cells));
    EXPECT_EQ(cells, (std::vector<std::string_view>{"dog/b.png", "dog"}));
    EXPECT_FALSE(table->next(cells));
    table->rewind();
  }
}

TEST(ImageFolder, PicturesWithoutClassesAreATableOfOneColumn) {
  const TempFolder folder;
  for (const char* name : {"new/b.png", "new/a.JPG", "new/deep/c.jpeg", "new/d.webp", "new/.e.png",
                           "empty/notes.txt"}) {
    (void)folder.put(name, "");
  }
  const auto paths = [](TableReader& reader) {
    EXPECT_EQ(reader.columns(), std::vector<std::string>{"photo"});
    std::vector<std::string> all;
    std::vector<std::string_view> cells;
    while (reader.next(cells)) {
      EXPECT_EQ(cells.size(), 1U);
      all.emplace_back(cells[0]);
    }
    return all;
  };
  const auto several = open_pictures(folder.file("new"), "photo");
  EXPECT_EQ(paths(*several), (std::vector<std::string>{"a.JPG", "b.png", "deep/c.jpeg"}));
  EXPECT_EQ(several->unread().count, 1);
  EXPECT_EQ(folder_of_table(several->name()), folder.file("new"));
  const auto one = open_pictures(folder.file("new/b.png"), "photo");
  EXPECT_EQ(paths(*one), std::vector<std::string>{"b.png"});
  EXPECT_EQ(folder_of_table(one->name()), folder.file("new"));
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)open_pictures(folder.file("empty"), "photo"); }),
            "images: \"" + folder.file("empty") +
                "\" holds no .png, .jpg or .jpeg file, nor do its folders; fill it");
  (void)folder.put("empty/f.heic", "");
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [&] { (void)open_pictures(folder.file("empty"), "photo"); }),
                       "nor do its folders; convert its pictures to one of them"));
  EXPECT_EQ(
      message_of(Code::kNotFound, [&] { (void)open_pictures(folder.file("f.png"), "photo"); }),
      "images: \"" + folder.file("f.png") + "\" is not there");
}

TEST(ImageFolder, RefusesWhatIsNoDataSet) {
  const auto refusal = [](const TempFolder& folder) {
    std::string message =
        message_of(Code::kInvalidArgument, [&] { (void)list_image_folder(folder.path()); });
    for (size_t at; (at = message.find(folder.path())) != std::string::npos;) {
      message.replace(at, folder.path().size(), "R");
    }
    return message;
  };
  const TempFolder none;
  EXPECT_EQ(refusal(none),
            "images: \"R\" has 0 class folders; two or more are needed, one per class");
  const TempFolder one;
  (void)one.put("cat/a.png", "");
  EXPECT_EQ(refusal(one),
            "images: \"R\" has 1 class folders (\"cat\"); two or more are needed, one per class");
  const TempFolder empty;
  (void)empty.put("cat/a.png", "");
  (void)empty.put("dog/a.txt", "");
  EXPECT_EQ(
      refusal(empty),
      "images: the class folder \"R/dog\" holds no .png, .jpg or .jpeg file; fill it or remove "
      "it");
  const TempFolder loose;
  (void)loose.put("cat/a.png", "");
  (void)loose.put("b.png", "");
  (void)loose.put("c.png", "");
  EXPECT_EQ(refusal(loose),
            "images: 2 pictures lie in \"R\" itself (the first is \"b.png\"); put each into the "
            "folder of its class");
  EXPECT_EQ(message_of(Code::kNotFound, [] { (void)list_image_folder("/no/such"); }),
            "images: \"/no/such\" is no folder");
}

TEST(ImageFolder, KnowsImageNames) {
  for (const char* name : {"a.png", "A.PNG", ".jpg", "b.c.jpeg"}) EXPECT_TRUE(is_image_name(name));
  for (const char* name : {"", "png", "a.gif", "a.png.txt", "xjpeg"}) {
    EXPECT_FALSE(is_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace ingot::data::image_folder_test
