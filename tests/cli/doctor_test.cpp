// SPDX-License-Identifier: Apache-2.0
// The checks of `ingot doctor`: they pass on this build, cover what they claim, and notice a wrong
// outcome. The runs inside are the exactness tests of training: interrupted, any number of threads,
// op by op and replayed.
#include <map>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/made_up.h"

namespace ingot::cli::doctor_test {
namespace {

class Folder {
 public:
  // In memory where possible: some thousand fsyncs would be most of the test's time.
  Folder()
      : path_(directory_exists("/dev/shm") ? "/dev/shm/ingot_doctor_XXXXXX"
                                           : "/tmp/ingot_doctor_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) fail_system("test: cannot make", path_, errno);
  }
  ~Folder() { remove_tree(*files, path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string path(const char* name) const { return join_path(path_, name); }
  std::unique_ptr<FileSystem> files = real_files();

 private:
  std::string path_;
};

TEST(Doctor, NumbersAreExact) {
  int count = 0;
  number_checks([&](const Check& check) {
    EXPECT_TRUE(check.passed) << check.name << ": " << check.value;
    ++count;
  });
  EXPECT_EQ(count, 5);
}

TEST(Doctor, TrainingIsExact) {
  const Folder folder;
  const RealClock clock;
  std::map<std::string, std::string> values;
  training_checks(*folder.files, clock, folder.path("work"), [&](const Check& check) {
    EXPECT_TRUE(check.passed) << check.name << ": " << check.value;
    values[check.name] = check.value;
  });
  EXPECT_EQ(values.size(), 14U);
  for (const char* layout : {"llama", "gpt2"}) {
    EXPECT_EQ(values[std::string(layout) + ": replay is free of records"],
              "0 tape records, 0 allocator calls, 0 conversions");
    EXPECT_NE(values[std::string(layout) + ": killed and continued"].find("5 interruptions"),
              std::string::npos);
  }
}

TEST(Doctor, EagerRunsDoRecord) {  // the counters are alive
  const Folder folder;
  const MadeUpData data = make_up_data(*folder.files, folder.path("data"));
  const MadeUpOutcome eager = run_made_up(*folder.files, RealClock(), data, folder.path("run"),
                                          {models::ModelLayout::kGpt2, 1, false, {}});
  EXPECT_GT(eager.tape_records, 0);
  EXPECT_GT(eager.allocator_calls, 0);
}

TEST(Doctor, LayoutsTrainToDifferentWeights) {  // the digest says something
  const Folder folder;
  const MadeUpData data = make_up_data(*folder.files, folder.path("data"));
  const auto sha = [&](const char* name, models::ModelLayout layout) {
    return run_made_up(*folder.files, RealClock(), data, folder.path(name), {layout, 2, true, {}})
        .sha256;
  };
  EXPECT_NE(sha("a", models::ModelLayout::kGpt2), sha("b", models::ModelLayout::kLlama));
}

TEST(Doctor, MadeUpDataIsTheSameEverywhere) {
  const Folder folder;
  const MadeUpData a = make_up_data(*folder.files, folder.path("a"));
  const MadeUpData b = make_up_data(*folder.files, folder.path("b"));
  EXPECT_EQ(read_file(a.train), read_file(b.train));
  EXPECT_EQ(read_file(a.validation), read_file(b.validation));
  EXPECT_GT(a.vocab, 257);
}

}  // namespace
}  // namespace ingot::cli::doctor_test
