// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/faulty_files.h"
#include "base/files.h"
#include "base/message_of.h"

namespace ingot::files_atomic_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::TempDir;

TEST(WriteAtomically, ReplacesTheFileAndLeavesNothingElse) {
  const TempDir dir;
  const auto files = real_files();
  write_atomically(*files, dir.file("x"), "old");
  write_atomically(*files, dir.file("x"), "new");
  EXPECT_EQ(read_file(dir.file("x")), "new");
  EXPECT_EQ(files->list(dir.path()), (std::vector<std::string>{"x"}));
}

TEST(WriteAtomically, SyncsFileThenRenamesThenSyncsFolder) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real);
  write_atomically(files, dir.file("x"), [](WritableFile& file) {
    file.write_text("a");
    file.write_text("bc");
  });
  EXPECT_EQ(files.count(FileOp::kWrite), 2);
  EXPECT_EQ(files.count(FileOp::kSync), 1);
  EXPECT_EQ(files.count(FileOp::kRename), 1);
  EXPECT_EQ(files.count(FileOp::kSyncDirectory), 1);
  EXPECT_EQ(files.bytes_written(), 3);
  EXPECT_EQ(read_file(dir.file("x")), "abc");
}

TEST(WriteAtomically, EveryFaultBeforeTheRenameKeepsTheOldFile) {
  for (const FileOp op : {FileOp::kOpen, FileOp::kWrite, FileOp::kSync, FileOp::kRename}) {
    for (const bool tear : {false, true}) {
      const TempDir dir;
      const auto real = real_files();
      write_atomically(*real, dir.file("x"), "old");
      FaultyFiles files(*real, {{.op = op, .error = EIO, .tear = tear}});
      const std::string message =
          message_of([&] { write_atomically(files, dir.file("x"), "a new and longer text"); });
      EXPECT_NE(
          message.find("Input/output error. The previous \"" + dir.file("x") + "\" is unchanged."),
          std::string::npos)
          << message;
      EXPECT_EQ(read_file(dir.file("x")), "old");
      EXPECT_EQ(real->list(dir.path()), (std::vector<std::string>{"x"}));
    }
  }
}

TEST(WriteAtomically, FullDiskNamesSpaceAndTheIntactFile) {
  const TempDir dir;
  const auto real = real_files();
  write_atomically(*real, dir.file("x"), "old");
  FaultyFiles files(*real, {{.op = FileOp::kWrite, .error = ENOSPC, .tear = true}});
  const std::string message = message_of([&] { write_atomically(files, dir.file("x"), "new"); });
  const std::string start = "write: \"" + dir.file("x.tmp") + "\": No space left on device (";
  const std::string end =
      " free there). Free some space or choose another folder. The previous \"" + dir.file("x") +
      "\" is unchanged.";
  EXPECT_TRUE(message.starts_with(start) && message.ends_with(end)) << message;
}

TEST(WriteAtomically, FirstWriteThatFailsLeavesNoFile) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real, {{.op = FileOp::kSync, .error = EIO}});
  EXPECT_EQ(message_of([&] { write_atomically(files, dir.file("x"), "new"); }),
            "sync: \"" + dir.file("x.tmp") + "\": Input/output error");
  EXPECT_TRUE(real->list(dir.path()).empty());
}

TEST(WriteAtomically, ACrashLeavesATemporaryThatTheNextWriteReplaces) {
  const TempDir dir;
  const auto real = real_files();
  write_atomically(*real, dir.file("x"), "old");
  FaultyFiles files(*real, {{.op = FileOp::kWrite, .tear = true, .crash = true}});
  EXPECT_EQ(code_of([&] { write_atomically(files, dir.file("x"), "a long new text"); }), "io");
  EXPECT_TRUE(files.crashed());
  EXPECT_EQ(real->list(dir.path()), (std::vector<std::string>{"x", "x.tmp"}));
  EXPECT_EQ(read_file(dir.file("x")), "old");
  write_atomically(*real, dir.file("x"), "new");
  EXPECT_EQ(real->list(dir.path()), (std::vector<std::string>{"x"}));
  EXPECT_EQ(read_file(dir.file("x")), "new");
}

TEST(WriteAtomically, AFolderThatCannotSyncIsReportedAfterTheRename) {
  const TempDir dir;
  const auto real = real_files();
  write_atomically(*real, dir.file("x"), "old");
  FaultyFiles files(*real, {{.op = FileOp::kSyncDirectory, .error = EIO}});
  EXPECT_EQ(message_of([&] { write_atomically(files, dir.file("x"), "new"); }),
            "sync: \"" + dir.path() + "\": Input/output error");
  EXPECT_EQ(read_file(dir.file("x")), "new");
}

TEST(WriteAtomically, ErrorsOfTheCallbackPassThrough) {
  const TempDir dir;
  const auto files = real_files();
  write_atomically(*files, dir.file("x"), "old");
  const auto cancel = [&] {
    write_atomically(*files, dir.file("x"), [](WritableFile& file) {
      file.write_text("half");
      fail(Code::kCancelled, "checkpoint: stopped");
    });
  };
  EXPECT_EQ(message_of(cancel), "checkpoint: stopped");
  const auto foreign = [&] {
    write_atomically(*files, dir.file("x"), [](WritableFile&) { throw 7; });
  };
  EXPECT_THROW(foreign(), int);
  EXPECT_EQ(files->list(dir.path()), (std::vector<std::string>{"x"}));
  EXPECT_EQ(read_file(dir.file("x")), "old");
}

TEST(WriteAtomically, NeedsTheFolder) {
  const TempDir dir;
  const auto files = real_files();
  EXPECT_EQ(code_of([&] { write_atomically(*files, dir.file("no/x"), "new"); }), "not_found");
}

TEST(MakeDirectories, MakesEveryLevelOnce) {
  const TempDir dir;
  const auto real = real_files();
  FaultyFiles files(*real);
  make_directories(files, dir.file("a/b/c"));
  EXPECT_TRUE(directory_exists(dir.file("a/b/c")));
  EXPECT_EQ(files.count(FileOp::kMakeDirectory), 3);
  make_directories(files, dir.file("a/b/c/"));
  EXPECT_EQ(files.count(FileOp::kMakeDirectory), 3);
}

TEST(MakeDirectories, StopsAtAFile) {
  const TempDir dir;
  const auto files = real_files();
  write_atomically(*files, dir.file("f"), "");
  EXPECT_EQ(message_of([&] { make_directories(*files, dir.file("f/g")); }),
            "make folder: \"" + dir.file("f") + "\": File exists");
}

TEST(RemoveTree, RemovesFoldersButNotWhatLinksPointTo) {
  const TempDir dir;
  const auto files = real_files();
  make_directories(*files, dir.file("keep"));
  write_atomically(*files, dir.file("keep/x"), "kept");
  make_directories(*files, dir.file("a/b"));
  write_atomically(*files, dir.file("a/b/y"), "gone");
  ASSERT_EQ(symlink(dir.file("keep").c_str(), dir.file("a/link").c_str()), 0);
  remove_tree(*files, dir.file("a"));
  EXPECT_FALSE(directory_exists(dir.file("a")));
  EXPECT_EQ(read_file(dir.file("keep/x")), "kept");
  remove_tree(*files, dir.file("a"));  // missing is fine
}

}  // namespace
}  // namespace ingot::files_atomic_test
