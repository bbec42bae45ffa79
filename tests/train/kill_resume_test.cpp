// SPDX-License-Identifier: Apache-2.0
// SIGKILL at twenty random moments, many of them inside the writing of a checkpoint: each time the
// same command continues, and the run ends with the bytes and metrics of one that was never
// stopped. The killed process is a fork that makes its own thread team (threads do not survive a
// fork). A full disk and RLIMIT_FSIZE are here too: the run ends with an error, and loses nothing.
#include <csignal>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/faulty_files.h"
#include "base/philox.h"
#include "train/tiny_run.h"
#include "train/unsynced_files.h"

namespace ingot::train::kill_resume_test {
namespace {

using testing::run_tiny;
using testing::TempDir;
using testing::tiny_config;
using testing::TinyData;
using testing::TinyOptions;
using testing::TinyResult;

constexpr int kKills = 20;

/// A file system on which the process dies before the n-th operation, or in the middle of a write.
class DeadlyFiles final : public FileSystem {
 public:
  DeadlyFiles(FileSystem& inner, int64_t fatal) : inner_(inner), fatal_(fatal) {}

  std::unique_ptr<WritableFile> open(const std::string& path, OpenMode mode) override {
    count();
    return std::make_unique<File>(*this, inner_.open(path, mode));
  }
  void rename(const std::string& from, const std::string& to) override {
    count();
    inner_.rename(from, to);
  }
  void remove(const std::string& path) override {
    count();
    inner_.remove(path);
  }
  void sync_directory(const std::string& path) override {
    count();
    inner_.sync_directory(path);
  }
  void make_directory(const std::string& path) override {
    count();
    inner_.make_directory(path);
  }
  std::vector<std::string> list(const std::string& path) override { return inner_.list(path); }

 private:
  class File final : public WritableFile {
   public:
    File(DeadlyFiles& files, std::unique_ptr<WritableFile> inner)
        : files_(files), inner_(std::move(inner)) {}
    void write(std::span<const std::byte> bytes) override {
      if (files_.is_last()) inner_->write(bytes.first(bytes.size() / 2));
      files_.count();
      inner_->write(bytes);
    }
    void sync() override {
      files_.count();
      inner_->sync();
    }

   private:
    DeadlyFiles& files_;
    std::unique_ptr<WritableFile> inner_;
  };

  [[nodiscard]] bool is_last() const { return done_ + 1 == fatal_; }
  void count() {
    if (++done_ == fatal_) (void)std::raise(SIGKILL);
  }

  FileSystem& inner_;
  int64_t fatal_;
  int64_t done_ = 0;
};

/// Runs `body` in a child and returns how that ended (as waitpid tells it).
template <class Body>
int in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    int code = 0;
    try {
      code = body();
    } catch (...) {
      code = 99;
    }
    _exit(code);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
bool has_finished(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

void expect_same(const TinyResult& result, const TinyResult& expected) {
  EXPECT_EQ(result.weights, expected.weights);
  EXPECT_EQ(result.checkpoint, expected.checkpoint);
  EXPECT_EQ(result.metrics, expected.metrics);
}

TEST(KillResume, TwentyKillsChangeNothing) {
  const TinyData data;
  const TempDir whole;
  const TinyResult expected = run_tiny(data, whole.path(), tiny_config());
  const auto files = std::make_unique<testing::UnsyncedFiles>();
  Philox random(20, 0);
  int kills = 0, inside_writes = 0, runs = 0;
  while (kills < kKills) {  // a run lives through several kills; then the next one begins
    const TempDir dir;
    ++runs;
    bool finished = false;
    while (!finished && kills < kKills) {
      const bool inside = random.bounded(3) != 0;
      const auto operation = static_cast<int64_t>(1 + random.bounded(160));
      const auto steps = static_cast<int64_t>(1 + random.bounded(5));
      const int status = in_child([&] {
        DeadlyFiles deadly(*files, inside ? operation : -1);
        TinyOptions options;
        options.files = &deadly;
        int64_t done = 0;
        options.after_step = [&](Engine&, int64_t) {
          if (!inside && ++done == steps) (void)std::raise(SIGKILL);
        };
        (void)run_tiny(data, dir.path(), tiny_config(), options);
        return 0;
      });
      ASSERT_TRUE(was_killed(status) || has_finished(status)) << "status " << status;
      finished = has_finished(status);
      kills += was_killed(status) ? 1 : 0;
      inside_writes += was_killed(status) && inside ? 1 : 0;
    }
    expect_same(run_tiny(data, dir.path(), tiny_config()), expected);
  }
  EXPECT_EQ(kills, kKills);
  EXPECT_GE(inside_writes, 5);
  EXPECT_LT(runs, kKills);
}

// Every operation of the second checkpoint, one after the other.
TEST(KillResume, KilledAtEveryOperationOfACheckpoint) {
  const TinyData data;
  TrainConfig config = tiny_config();
  config.steps = 4;
  config.early_stop.patience = 0;
  config.eval_every = 0;
  config.sample_every = 0;
  const TempDir whole;
  const TinyResult expected = run_tiny(data, whole.path(), config);
  const auto files = std::make_unique<testing::UnsyncedFiles>();
  int64_t first = 0;  // operations until the first checkpoint is whole
  int64_t all = 0;
  {
    const TempDir dir;
    FaultyFiles counting(*files);
    const auto total = [&] {
      int64_t n = 0;
      for (int op = 0; op < kFileOps; ++op) n += counting.count(static_cast<FileOp>(op));
      return n;
    };
    TinyOptions options;
    options.files = &counting;
    options.after_step = [&](Engine&, int64_t step) {
      if (step == 2) first = total();
    };
    (void)run_tiny(data, dir.path(), config, options);
    all = total();
  }
  ASSERT_GT(all, first + 10);
  constexpr int64_t kStride = 3;  // every third: the fast suite's share of time
  for (int64_t fatal = first + 1; fatal <= all; fatal += kStride) {
    const TempDir dir;
    const int status = in_child([&] {
      DeadlyFiles deadly(*files, fatal);
      TinyOptions options;
      options.files = &deadly;
      options.threads = 1;
      (void)run_tiny(data, dir.path(), config, options);
      return 0;
    });
    ASSERT_TRUE(was_killed(status)) << fatal << " of " << all;
    int64_t from = -1;
    TinyOptions options;
    options.threads = 1;
    options.note = [&](const std::string& text) {
      if (text.starts_with("train: continues at step ")) from = std::stoll(text.substr(25));
    };
    const TinyResult result = run_tiny(data, dir.path(), config, options);
    EXPECT_GE(from, 2) << "the first checkpoint was lost, operation " << fatal;
    expect_same(result, expected);
  }
}

/// The newest step folder; every one must hold a state. "" for none.
std::string newest_state(const std::string& checkpoints) {
  std::string newest;
  for (const std::string& name : real_files()->list(checkpoints)) {
    if (!name.starts_with("step-")) continue;
    newest = checkpoints + "/" + name;
    EXPECT_TRUE(file_exists(newest + "/state.json")) << newest;
  }
  return newest;
}

TEST(KillResume, AFullDiskEndsTheRunWithAnErrorAndLosesNothing) {
  const TinyData data;
  const TempDir whole;
  const TinyResult expected = run_tiny(data, whole.path(), tiny_config());
  const auto files = std::make_unique<testing::UnsyncedFiles>();
  for (const FileOp op : {FileOp::kOpen, FileOp::kWrite, FileOp::kSync, FileOp::kRename}) {
    const TempDir dir;
    FaultyFiles faulty(*files, {{.op = op, .nth = op == FileOp::kWrite ? 80 : 8, .tear = true}});
    TinyOptions options;
    options.files = &faulty;
    const std::string message =
        testing::message_of([&] { (void)run_tiny(data, dir.path(), tiny_config(), options); });
    EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
    const std::string left = newest_state(dir.file("checkpoints"));
    EXPECT_TRUE(message.ends_with(
        left.empty() ? " No checkpoint is whole yet: the same command begins the training again."
                     : " The checkpoint " + left + " is whole: the same command goes on from it."))
        << message;
    expect_same(run_tiny(data, dir.path(), tiny_config()), expected);
  }
}

TEST(KillResume, AFileSizeLimitIsAnErrorNotTheEndOfTheProcess) {
  const TinyData data;
  const TempDir whole;
  const TinyResult expected = run_tiny(data, whole.path(), tiny_config());
  const TempDir dir;
  TinyOptions stop;
  stop.should_stop = [](int64_t step) { return step == 2; };
  (void)run_tiny(data, dir.path(), tiny_config(), stop);  // a good checkpoint
  const int status = in_child([&] {
    const rlimit limit{20'000, 20'000};  // a checkpoint is larger, metrics are smaller
    (void)std::signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const std::string message =
        testing::message_of([&] { (void)run_tiny(data, dir.path(), tiny_config()); });
    if (message.find("File too large") == std::string::npos) return 2;
    return message.find("state.safetensors") == std::string::npos &&
                   message.find("best.safetensors") == std::string::npos
               ? 3
               : 0;
  });
  EXPECT_TRUE(has_finished(status)) << "status " << WEXITSTATUS(status);
  EXPECT_TRUE(file_exists(dir.file("checkpoints/step-00000002/state.json")));
  expect_same(run_tiny(data, dir.path(), tiny_config()), expected);
}

}  // namespace
}  // namespace ingot::train::kill_resume_test
