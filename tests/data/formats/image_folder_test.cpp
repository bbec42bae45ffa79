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
                "\" holds no .png, .jpg, .jpeg, .pgm or .ppm file; convert its pictures to one of "
                "them, or remove it");
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
                "\" holds no .png, .jpg, .jpeg, .pgm or .ppm file, nor do its folders; fill it");
  (void)folder.put("empty/f.heic", "");
  EXPECT_TRUE(contains(message_of(Code::kInvalidArgument,
                                  [&] { (void)open_pictures(folder.file("empty"), "photo"); }),
                       "nor do its folders; convert its pictures to one of them"));
  EXPECT_EQ(
      message_of(Code::kNotFound, [&] { (void)open_pictures(folder.file("f.png"), "photo"); }),
      "images: \"" + folder.file("f.png") + "\" is not there");
}

/// What opening the folder refuses, its path written as R.
std::string refusal_of(const TempFolder& folder) {
  std::string message =
      message_of(Code::kInvalidArgument, [&] { (void)list_image_folder(folder.path()); });
  for (size_t at; (at = message.find(folder.path())) != std::string::npos;) {
    message.replace(at, folder.path().size(), "R");
  }
  return message;
}

TEST(ImageFolder, PartsOfADataSetAreNoClasses) {
  const TempFolder parts;
  for (const char* name : {"train/cat/1.png", "train/dog/2.png", "train/fox/deep/3.png",
                           "test/cat/4.png", "test/dog/5.png", "test/notes.txt"}) {
    (void)parts.put(name, "");
  }
  const std::string same =
      " hold no pictures but folders of the same names (\"cat\", \"dog\", ...): they look like "
      "parts of a data set, not like classes; set ";
  const std::string where = ". Where they are classes, put their pictures into them directly";
  EXPECT_EQ(refusal_of(parts),
            "images: \"test\" and \"train\" in \"R\"" + same +
                "table.path=R/train (--from R/train of `ingot new`) table.split.test_file=R/test "
                "table.split.test=0" +
                where);
  for (const char* name :
       {"Validation/cat/6.png", "Validation/dog/7.png", "Validation/fox/8.png"}) {
    (void)parts.put(name, "");
  }
  EXPECT_EQ(refusal_of(parts),
            "images: \"Validation\" and \"test\" in \"R\"" + same +
                "table.path=R/train (--from R/train of `ingot new`) "
                "table.split.validation_file=R/Validation table.split.validation=0 "
                "table.split.test_file=R/test table.split.test=0" +
                where);
  // What the cure names can be read.
  EXPECT_EQ(list_image_folder(parts.file("train")).classes,
            (std::vector<std::string>{"cat", "dog", "fox"}));
  const TempFolder styles;
  for (const char* name :
       {"photo/cat/1.png", "photo/dog/2.png", "sketch/cat/3.png", "sketch/dog/4.png"}) {
    (void)styles.put(name, "");
  }
  EXPECT_EQ(refusal_of(styles),
            "images: \"photo\" and \"sketch\" in \"R\" hold no pictures but folders of the same "
            "names (\"cat\", \"dog\"): they look like parts of a data set, not like classes; set "
            "table.path=R/photo (--from R/photo of `ingot new`), or table.path=\"R/*\", which "
            "takes all of them as one table" +
                where);
}

TEST(ImageFolder, ClassesThatAreCalledAsPartsAreNoted) {
  const auto note = [](const TempFolder& folder) {
    std::string text = note_of_parts(folder.path());
    for (size_t at; (at = text.find(folder.path())) != std::string::npos;) {
      text.replace(at, folder.path().size(), "R");
    }
    return text;
  };
  const std::string taken =
      "\"test\" and \"train\" in \"R\" are taken for classes and look like parts of the data; "
      "where "
      "they are parts, ";
  const TempFolder flat;
  for (const char* name : {"train/cat/1.png", "train/dog/2.png", "test/3.png"}) {
    (void)flat.put(name, "");
  }
  EXPECT_EQ(note(flat),
            taken +
                "set table.path=R/train (--from R/train of `ingot new`); \"R/test\" has no class "
                "folders: `ingot predict RUN R/test` answers for its pictures");
  EXPECT_EQ(passed_over(*open_table(flat.path()), ""),
            std::vector<std::string>{note_of_parts(flat.path())});
  EXPECT_EQ(note_of_parts(flat.file("train")), "");
  // A class in one of them that the other lacks.
  const TempFolder others;
  for (const char* name :
       {"train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "test/fox/4.png"}) {
    (void)others.put(name, "");
  }
  EXPECT_EQ(note(others), taken +
                              "set table.path=R/train (--from R/train of `ingot new`) "
                              "table.split.test_file=R/test table.split.test=0");
  (void)others.put("DEV/cat/5.png", "");
  (void)others.put("DEV/owl/6.png", "");
  EXPECT_TRUE(contains(note(others), "table.split.validation_file=R/DEV"));
  const TempFolder bare;
  for (const char* name : {"Train/1.png", "Val/2.png", ".git/x"}) (void)bare.put(name, "");
  EXPECT_EQ(note(bare),
            "\"Train\" and \"Val\" in \"R\" are taken for classes and look like parts of the data; "
            "where they are parts, put the pictures in each into a folder per class");
  (void)bare.put("cat/3.png", "");
  EXPECT_EQ(note(bare), "");
}

TEST(ImageFolder, FoldersBelowAClassAreTaken) {
  const auto classes = [](const std::vector<const char*>& names) {
    const TempFolder folder;
    for (const char* name : names) (void)folder.put(name, "");
    return list_image_folder(folder.path()).counts;
  };
  const std::vector<int64_t> two_each{2, 2};
  // One folder in each, others in each, and beside pictures of the class itself.
  EXPECT_EQ(
      classes({"cat/images/1.png", "cat/images/2.png", "dog/images/3.png", "dog/images/4.png"}),
      two_each);
  EXPECT_EQ(classes({"cat/may/1.png", "cat/june/2.png", "dog/june/3.png", "dog/july/4.png"}),
            two_each);
  EXPECT_EQ(classes({"cat/1.png", "cat/a/2.png", "cat/b/3.png", "dog/4.png", "dog/a/5.png",
                     "dog/b/6.png"}),
            (std::vector<int64_t>{3, 3}));
}

TEST(ImageFolder, RefusesWhatIsNoDataSet) {
  const TempFolder none;
  EXPECT_EQ(refusal_of(none),
            "images: \"R\" has 0 class folders; two or more are needed, one per class");
  const TempFolder one;
  (void)one.put("cat/a.png", "");
  EXPECT_EQ(refusal_of(one),
            "images: \"R\" has 1 class folders (\"cat\"); two or more are needed, one per class");
  const TempFolder empty;
  (void)empty.put("cat/a.png", "");
  (void)empty.put("dog/a.txt", "");
  EXPECT_EQ(
      refusal_of(empty),
      "images: the class folder \"R/dog\" holds no .png, .jpg, .jpeg, .pgm or .ppm file; fill it "
      "or remove it");
  const TempFolder loose;
  (void)loose.put("cat/a.png", "");
  (void)loose.put("b.png", "");
  (void)loose.put("c.png", "");
  EXPECT_EQ(refusal_of(loose),
            "images: 2 pictures lie in \"R\" itself (the first is \"b.png\"); put each into the "
            "folder of its class");
  EXPECT_EQ(message_of(Code::kNotFound, [] { (void)list_image_folder("/no/such"); }),
            "images: \"/no/such\" is no folder");
}

TEST(ImageFolder, KnowsImageNames) {
  for (const char* name : {"a.png", "A.PNG", ".jpg", "b.c.jpeg", "d.PGM", "e.ppm"}) {
    EXPECT_TRUE(is_image_name(name)) << name;
    EXPECT_FALSE(is_unread_picture_name(name)) << name;
  }
  for (const char* name : {"", "png", "a.gif", "a.png.txt", "xjpeg"}) {
    EXPECT_FALSE(is_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace ingot::data::image_folder_test
