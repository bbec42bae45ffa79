// SPDX-License-Identifier: Apache-2.0
// What a command that is refused leaves of the folder that it made: nothing, but for what is not
// its own. The truth is the file system, looked at with std::filesystem.
#include "cli/pipeline/made_folder.h"

#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>

#include "base/message_of.h"

namespace ingot::cli::made_folder_test {
namespace {

namespace fs = std::filesystem;
using testing::TempDir;

void put(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << "text";
}

/// A command that makes `folder`, does `work` in it and is refused.
void refused(const std::string& folder, const std::function<void(MadeFolder&)>& work) {
  const auto files = real_files();
  try {
    MadeFolder made(*files, folder, "run");
    ASSERT_TRUE(fs::is_directory(folder));
    work(made);
    throw std::runtime_error("refused");
  } catch (const std::runtime_error&) {
  }
}

/// The records of a run that did nothing.
void write_records(MadeFolder& made, const std::string& folder) {
  for (const char* name : {"recipe.yaml", "stages/inspect.json"}) {
    put(folder + "/" + name);
    made.own(name);
  }
}

TEST(MadeFolder, ARefusalTakesItAndTheFoldersAboveAway) {
  const TempDir dir;
  const std::string folder = dir.file("runs/new/one");
  refused(folder, [&](MadeFolder& made) { write_records(made, folder); });
  EXPECT_FALSE(fs::exists(dir.file("runs")));
}

TEST(MadeFolder, FoldersAboveThatHoldOthersStay) {
  const TempDir dir;
  const std::string folder = dir.file("runs/one");
  refused(folder, [&](MadeFolder& made) {
    write_records(made, folder);
    put(dir.file("runs/two/recipe.yaml"));
  });
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_TRUE(fs::exists(dir.file("runs/two/recipe.yaml")));
}

TEST(MadeFolder, WhatIsNotItsOwnKeepsAllOfIt) {
  for (const char* other : {"notes.txt", "data/train.jsonl", "stages/train.json", "mine/a.txt"}) {
    const TempDir dir;
    const std::string folder = dir.file("one");
    refused(folder, [&](MadeFolder& made) {
      write_records(made, folder);
      put(folder + "/" + other);
    });
    EXPECT_TRUE(fs::exists(folder + "/" + other)) << other;
    EXPECT_TRUE(fs::exists(folder + "/recipe.yaml")) << other;
  }
}

// Another process came first into the folder that both found missing: the lock is its own, and so
// is what this one would have written.
TEST(MadeFolder, WhereAnotherHoldsTheLockNothingGoes) {
  const TempDir dir;
  const std::string folder = dir.file("one");
  const auto files = real_files();
  std::unique_ptr<WritableFile> lock;
  refused(folder, [&](MadeFolder&) {
    for (const char* name : {"recipe.yaml", "run.json"}) put(folder + "/" + name);
    lock = files->open(folder + "/run.lock", OpenMode::kTruncate);
  });
  for (const char* name : {"recipe.yaml", "run.json", "run.lock"}) {
    EXPECT_TRUE(fs::exists(folder + "/" + name)) << name;
  }
}

TEST(MadeFolder, HalfAWayThatWasMadeGoesAgain) {
  const TempDir dir;
  put(dir.file("kept/file"));
  const auto files = real_files();
  const std::string name(300, 'a');  // longer than a name may be
  for (const char* above : {"new/deep/", "kept/new/"}) {
    const std::string folder = dir.file(above + name);
    EXPECT_EQ(testing::code_of([&] { const MadeFolder made(*files, folder, "run"); }), "io");
  }
  EXPECT_FALSE(fs::exists(dir.file("new")));
  EXPECT_FALSE(fs::exists(dir.file("kept/new")));
  EXPECT_TRUE(fs::exists(dir.file("kept/file")));
}

TEST(MadeFolder, AFolderThatWasThereStays) {
  const TempDir dir;
  const std::string folder = dir.file("one");
  fs::create_directories(folder);
  refused(folder, [&](MadeFolder& made) { write_records(made, folder); });
  EXPECT_TRUE(fs::exists(folder + "/recipe.yaml"));
}

TEST(MadeFolder, WorkThatWasDoneAndAGoodEndKeepIt) {
  const TempDir dir;
  const std::string done = dir.file("done"), good = dir.file("good");
  refused(done, [&](MadeFolder& made) {
    write_records(made, done);
    made.keep();
  });
  EXPECT_TRUE(fs::exists(done + "/recipe.yaml"));
  {
    const auto files = real_files();
    MadeFolder made(*files, good, "run");
    write_records(made, good);
  }
  EXPECT_TRUE(fs::exists(good + "/recipe.yaml"));
}

TEST(MadeFolder, AFolderThatCannotBeMadeNamesTheKeyAndOneThatCan) {
  const TempDir dir;
  put(dir.file("file"));
  const std::string folder = dir.file("file/one");
  const auto files = real_files();
  const std::string message =
      testing::message_of([&] { const MadeFolder made(*files, folder, "tiny"); });
  EXPECT_EQ(message.substr(0, message.find(" cannot be written: ")), "run: out=" + folder);
  const size_t at = message.find(". Use out=");
  ASSERT_NE(at, std::string::npos) << message;
  EXPECT_TRUE(message.ends_with("/tiny")) << message;
  EXPECT_EQ(testing::code_of([&] { const MadeFolder made(*files, folder, "tiny"); }), "io");
}

}  // namespace
}  // namespace ingot::cli::made_folder_test
