// SPDX-License-Identifier: Apache-2.0
// The folder goes with its object, with everything but what its links lead to.
#include "base/scratch_folder.h"

#include <filesystem>

#include "base/files.h"
#include "base/message_of.h"

namespace ingot::scratch_folder_test {
namespace {

TEST(ScratchFolder, GoesWithItsFilesAndLeavesWhatLinksLeadTo) {
  const testing::TempDir dir;
  const auto files = real_files();
  make_directories(*files, dir.file("kept"));
  write_atomically(*files, dir.file("kept/one"), std::string_view("1"));
  make_directories(*files, dir.file("scratch"));
  std::string path;
  {
    const ScratchFolder folder(dir.file("scratch"));
    path = folder.path();
    EXPECT_EQ(parent_path(path), dir.file("scratch"));
    make_directories(*files, join_path(path, "deep/er"));
    write_atomically(*files, join_path(path, "deep/er/two"), std::string_view("2"));
    std::filesystem::create_symlink(dir.file("kept"), join_path(path, "folder"));
    std::filesystem::create_symlink(dir.file("kept/one"), join_path(path, "file"));
    EXPECT_EQ(read_file(join_path(path, "folder/one")), "1");
  }
  EXPECT_FALSE(directory_exists(path));
  EXPECT_EQ(read_file(dir.file("kept/one")), "1");
}

TEST(ScratchFolder, NamesAFolderThatIsNotThere) {
  const std::string message = testing::message_of([] { ScratchFolder folder("/no/such/folder"); });
  EXPECT_NE(message.find("TMPDIR"), std::string::npos) << message;
  EXPECT_NE(message.find("/no/such/folder"), std::string::npos) << message;
}

}  // namespace
}  // namespace ingot::scratch_folder_test
