// SPDX-License-Identifier: Apache-2.0
#include "base/faulty_files.h"

#include "base/message_of.h"

namespace ingot::faulty_files_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

TEST(FaultyFiles, WithoutFaultsPassesEverythingAndCounts) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real);
  files.make_directory(dir.file("d"));
  files.open(dir.file("d/x"), OpenMode::kTruncate)->write_text("abc");
  files.open(dir.file("d/x"), OpenMode::kAppend)->write_text("de");
  files.rename(dir.file("d/x"), dir.file("d/y"));
  files.sync_directory(dir.file("d"));
  EXPECT_EQ(files.list(dir.file("d")), (std::vector<std::string>{"y"}));
  EXPECT_EQ(read_file(dir.file("d/y")), "abcde");
  files.remove(dir.file("d/y"));
  EXPECT_EQ(files.count(FileOp::kOpen), 2);
  EXPECT_EQ(files.count(FileOp::kWrite), 2);
  EXPECT_EQ(files.count(FileOp::kRename), 1);
  EXPECT_EQ(files.count(FileOp::kRemove), 1);
  EXPECT_EQ(files.count(FileOp::kSync), 0);
  EXPECT_EQ(files.bytes_written(), 5);
  EXPECT_FALSE(files.crashed());
}

TEST(FaultyFiles, OnlyTheNthOperationFails) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real, {{.op = FileOp::kWrite, .nth = 2, .error = EIO}});
  const auto file = files.open(dir.file("x"), OpenMode::kTruncate);
  file->write_text("a");
  EXPECT_EQ(message_of([&] { file->write_text("b"); }),
            "write: \"" + dir.file("x") + "\": Input/output error");
  file->write_text("c");
  EXPECT_EQ(read_file(dir.file("x")), "ac");
}

TEST(FaultyFiles, ATornWriteLeavesHalf) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real, {{.op = FileOp::kWrite, .tear = true}});
  const auto file = files.open(dir.file("x"), OpenMode::kTruncate);
  EXPECT_EQ(code_of([&] { file->write_text("12345678"); }), "io");
  EXPECT_EQ(read_file(dir.file("x")), "1234");
}

TEST(FaultyFiles, AfterACrashEverythingFails) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real, {{.op = FileOp::kSync, .crash = true}});
  const auto file = files.open(dir.file("x"), OpenMode::kTruncate);
  EXPECT_EQ(code_of([&] { file->sync(); }), "io");
  EXPECT_EQ(code_of([&] { file->write_text("x"); }), "io");
  EXPECT_EQ(code_of([&] { files.rename(dir.file("x"), dir.file("y")); }), "io");
  EXPECT_EQ(code_of([&] { files.remove(dir.file("x")); }), "io");
  EXPECT_EQ(code_of([&] { files.make_directory(dir.file("d")); }), "io");
  EXPECT_EQ(code_of([&] { files.sync_directory(dir.path()); }), "io");
  EXPECT_EQ(code_of([&] { (void)files.open(dir.file("z"), OpenMode::kAppend); }), "io");
  EXPECT_TRUE(file_exists(dir.file("x")));
}

}  // namespace
}  // namespace ingot::faulty_files_test
