// SPDX-License-Identifier: Apache-2.0
// Two processes in one new folder: the other one works through the same file system, at the moments
// that matter.
#include "cli/pipeline/run_folder.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/message_of.h"

namespace ingot::cli::run_folder_test {
namespace {

namespace fs = std::filesystem;
using testing::TempDir;

/// The real file system, with what another process does before a folder is made or a file removed.
class SharedFiles final : public FileSystem {
 public:
  using Other = std::function<void(const std::string& path)>;
  Other before_folder = [](const std::string&) {};
  Other before_remove = [](const std::string&) {};

  std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) override {
    return real_->open(path, mode);
  }
  void rename(const std::string& from, const std::string& to) override { real_->rename(from, to); }
  void remove(const std::string& path) override {
    before_remove(path);
    real_->remove(path);
  }
  void sync_directory(const std::string& path) override { real_->sync_directory(path); }
  void make_directory(const std::string& path) override {
    before_folder(path);
    real_->make_directory(path);
  }
  std::vector<std::string> list(const std::string& path) override { return real_->list(path); }

 private:
  std::unique_ptr<FileSystem> real_ = real_files();
};

struct OpenRun : RunFolder {
  OpenRun(Invocation& invocation, const Recipe& recipe)
      : RunFolder(invocation, recipe, FolderUse::kTrain) {}
};

class RunFolderTest : public ::testing::Test {
 protected:
  RunFolderTest() {
    invocation_.files = &files_;
    invocation_.clock = &clock_;
    invocation_.stop = &stop_;
    invocation_.console = Console(true);
    recipe_.out = dir_.file("runs/one");
    recipe_.threads = 1;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return recipe_.out + "/" + name; }

  TempDir dir_;
  SharedFiles files_;
  RealClock clock_;
  StopFlag stop_;
  Invocation invocation_;
  Recipe recipe_;
};

TEST_F(RunFolderTest, WhatAnotherProcessHoldsStays) {
  const auto real = real_files();
  std::unique_ptr<WritableFile> lock;
  files_.before_folder = [&](const std::string& made) {
    if (made != recipe_.out) return;
    fs::create_directories(made);
    for (const char* name : {"recipe.yaml", "run.json"}) {
      write_atomically(*real, path(name), std::string_view("theirs"));
    }
    lock = real->open(path("run.lock"), OpenMode::kTruncate);
  };
  EXPECT_EQ(testing::message_of([&] { const OpenRun run(invocation_, recipe_); }),
            "run: another ingot works in " + recipe_.out +
                ". Wait for it, stop it, or use another out=DIR");
  for (const char* name : {"recipe.yaml", "run.json"}) EXPECT_EQ(read_file(path(name)), "theirs");
  EXPECT_TRUE(fs::exists(path("run.lock")));
}

TEST_F(RunFolderTest, TheLockIsHeldUntilAllElseIsGone) {
  std::vector<std::string> beside;
  std::string problem;
  files_.before_remove = [&](const std::string& file) {
    if (file != path("run.lock")) return;
    beside = files_.list(recipe_.out);
    problem = testing::message_of([&] { (void)files_.open(file, OpenMode::kTruncate); });
  };
  try {
    const OpenRun run(invocation_, recipe_);
    ASSERT_TRUE(fs::exists(path("recipe.yaml")));
    throw std::runtime_error("refused");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(beside, std::vector<std::string>{"run.lock"});
  EXPECT_NE(problem.find("is being written by another process"), std::string::npos) << problem;
  EXPECT_FALSE(fs::exists(dir_.file("runs")));
}

}  // namespace
}  // namespace ingot::cli::run_folder_test
