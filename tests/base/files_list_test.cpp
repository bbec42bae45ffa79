// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/message_of.h"

namespace ingot::files_list_test {
namespace {

using testing::message_of;
using testing::TempDir;
using Paths = std::vector<std::string>;

class ListFiles : public ::testing::Test {
 protected:
  void put(const std::string& name, std::string_view text = "x") {
    const auto files = real_files();
    make_directories(*files, parent_path(dir_.file(name)));
    files->open(dir_.file(name), OpenMode::kTruncate)->write_text(text);
  }
  void link(const std::string& target, const std::string& name) {
    ASSERT_EQ(symlink(target.c_str(), dir_.file(name).c_str()), 0);
  }
  [[nodiscard]] Paths paths(const Listing& listing) const {
    Paths result;
    for (const FileEntry& entry : listing.files) result.push_back(entry.path);
    return result;
  }

  TempDir dir_;
};

TEST_F(ListFiles, SortsByTheBytesOfThePath) {
  put("b.txt", "12");
  put("a/z");
  put("a.txt");
  put("a/b/c");
  put("B");
  const Listing listing = list_files(dir_.path());
  EXPECT_EQ(paths(listing), (Paths{"B", "a.txt", "a/b/c", "a/z", "b.txt"}));
  EXPECT_EQ(listing.files.back().size, 2);
  EXPECT_EQ(listing.links_skipped, 0);
}

TEST_F(ListFiles, FiltersExtensionsAndHiddenNames) {
  put("a.h");
  put("a.cpp");
  put(".git/x.h");
  put(".x.h");
  EXPECT_EQ(paths(list_files(dir_.path(), {.extensions = {".h"}})), (Paths{"a.h"}));
  EXPECT_EQ(paths(list_files(dir_.path(), {.extensions = {".h"}, .hidden = true})),
            (Paths{".git/x.h", ".x.h", "a.h"}));
}

TEST_F(ListFiles, SkipsAndCountsLinksByDefault) {
  put("d/x");
  link("/etc", "etc");
  link("d/x", "x");
  link("nothing", "broken");
  const Listing listing = list_files(dir_.path());
  EXPECT_EQ(paths(listing), (Paths{"d/x"}));
  EXPECT_EQ(listing.links_skipped, 3);
}

TEST_F(ListFiles, FollowedLinksEndLoopsAndEnterAFolderOnce) {
  const TempDir outside;
  real_files()->open(outside.file("far"), OpenMode::kTruncate)->write_text("far");
  put("b/x");
  link(".", "loop");
  link("..", "b/up");
  link("b", "a");  // sorts before b, but the real folder goes first
  link(outside.path(), "out");
  link("b/x", "y");
  link("nothing", "broken");
  const Listing listing = list_files(dir_.path(), {.follow_links = true});
  EXPECT_EQ(paths(listing), (Paths{"b/x", "out/far", "y"}));
  EXPECT_EQ(listing.unreadable, 1);
}

TEST_F(ListFiles, TheRootMayBeALink) {
  put("d/x");
  link("d", "root");
  EXPECT_EQ(paths(list_files(dir_.file("root"))), (Paths{"x"}));
}

TEST_F(ListFiles, IgnoresPipes) {
  put("x");
  ASSERT_EQ(mkfifo(dir_.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(paths(list_files(dir_.path())), (Paths{"x"}));
}

TEST_F(ListFiles, CountsFoldersItMayNotRead) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read every folder";
  put("locked/x");
  ASSERT_EQ(chmod(dir_.file("locked").c_str(), 0), 0);
  EXPECT_EQ(list_files(dir_.path()).unreadable, 1);
  EXPECT_EQ(list_files(dir_.path()).unreadable_paths, Paths{"locked"});
  chmod(dir_.file("locked").c_str(), 0700);
}

TEST_F(ListFiles, ErrorsNameTheRoot) {
  put("x");
  EXPECT_EQ(message_of([&] { (void)list_files(dir_.file("no")); }),
            "list: \"" + dir_.file("no") + "\": No such file or directory");
  EXPECT_EQ(message_of([&] { (void)list_files(dir_.file("x")); }),
            "list: \"" + dir_.file("x") + "\" is a file, a folder is needed");
  put("y");
  EXPECT_EQ(message_of([&] { (void)list_files(dir_.path(), {.max_files = 1}); }),
            "list: \"" + dir_.path() +
                "\" holds more than 1 files. Choose a smaller folder or raise the limit.");
}

TEST_F(ListFiles, NamesBesideAPathThatIsNotThere) {
  put("houses.csv");
  put("notes.txt");
  put(".hidden.csv");
  const auto is_table = [](const std::string& path) { return path.ends_with(".csv"); };
  EXPECT_EQ(names_beside(dir_.file("hoses.csv"), is_table),
            " Did you mean \"" + dir_.file("houses.csv") + "\"?");
  EXPECT_EQ(names_beside(dir_.file("houses"), is_table),
            " Did you mean \"" + dir_.file("houses.csv") + "\"?");
  EXPECT_EQ(names_beside(dir_.file("q.csv"), is_table), " Known: houses.csv.");
  EXPECT_EQ(names_beside(dir_.file("q.csv")), " Known: houses.csv, notes.txt.");
  EXPECT_EQ(names_beside(dir_.file("q.csv"), [](const std::string&) { return false; }), "");
  EXPECT_EQ(names_beside(dir_.file("no/q.csv")),
            " There is no folder \"" + dir_.file("no") + "\".");
}

}  // namespace
}  // namespace ingot::files_list_test
