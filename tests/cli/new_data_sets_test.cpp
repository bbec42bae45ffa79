// SPDX-License-Identifier: Apache-2.0
// `ingot new` on published tables: the recipe as written trains to its end and beats what needs no
// model: the mean of the numbers, the shares of the classes. Skipped without INGOT_DATA_DIR.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/message_of.h"
#include "base/text.h"
#include "cli/pipeline/table_pipeline.h"
#include "cli/verbs/verbs.h"
#include "io/byte_source.h"

namespace ingot::cli::new_data_sets_test {
namespace {

class SlowNewDataSets : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const root = std::getenv("INGOT_DATA_DIR");
    if (root == nullptr) GTEST_SKIP() << "INGOT_DATA_DIR is not set";
    root_ = root;
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
  }
  void TearDown() override {
    if (!before_.empty()) std::filesystem::current_path(before_);
  }

  [[nodiscard]] std::string data(const std::string& name) const { return root_ + "/" + name; }

  /// Numbers of the test after `ingot new` and `ingot run`.
  Json run(const std::string& path, std::vector<std::string> options = {}) {
    Invocation invocation = make();
    invocation.words = {"mine"};
    invocation.overrides = std::move(options);
    invocation.overrides.push_back("from=" + path);
    EXPECT_EQ(new_verb()->run(invocation), 0);
    Invocation next = make();
    next.words = {"mine.yaml"};
    EXPECT_EQ(run_verb()->run(next), 0);
    return parse_json(read_file("runs/mine/stages/evaluate.json"), "evaluate.json")["numbers"];
  }
  Invocation make() {
    Invocation invocation;
    invocation.clock = &clock_;
    invocation.files = files_.get();
    invocation.stop = &stop_;
    invocation.console = Console(true);
    return invocation;
  }
  /// Nats of the shares of the classes, from the rows of the confusion matrix.
  static double entropy(const Json& numbers) {
    const auto confusion = numbers["confusion"].get<std::vector<double>>();
    const size_t classes = numbers["classes"].size();
    double total = 0, sum = 0;
    for (const double count : confusion) total += count;
    for (size_t label = 0; label < classes; ++label) {
      double share = 0;
      for (size_t p = 0; p < classes; ++p) share += confusion[label * classes + p] / total;
      if (share > 0) sum -= share * std::log(share);
    }
    return sum;
  }
  static void expect_classes_learned(const Json& numbers) {
    EXPECT_LT(numbers["log_loss"]["value"].get<double>(), entropy(numbers)) << numbers.dump();
  }
  static void expect_numbers_learned(const Json& numbers) {
    EXPECT_GT(numbers["r2"]["value"].get<double>(), 0.0) << numbers.dump();
  }

  testing::TempDir folder_;
  std::filesystem::path before_;
  std::string root_;
  RealClock clock_;
  std::unique_ptr<FileSystem> files_ = real_files();
  StopFlag stop_;
};

TEST_F(SlowNewDataSets, CaliforniaHousing) {
  expect_numbers_learned(run(data("california_housing/housing.csv.gz")));
}
TEST_F(SlowNewDataSets, AmesHousing) {
  expect_numbers_learned(run(data("ames_housing/house.csv.gz")));
}
TEST_F(SlowNewDataSets, CreditDefault) {
  expect_classes_learned(run(data("credit_default/credit.csv.gz")));
}
TEST_F(SlowNewDataSets, PredictiveMaintenance) {
  expect_classes_learned(run(data("ai4i2020/ai4i2020.csv.gz")));
}
TEST_F(SlowNewDataSets, News) {
  expect_classes_learned(run(data("ag_news/train_subset5000.csv.gz")));
}
TEST_F(SlowNewDataSets, ChineseReviews) {
  expect_classes_learned(run(data("chnsenticorp/train.tsv.gz")));
}
TEST_F(SlowNewDataSets, SentencesFromTsv) {
  // The published file has "label text" lines; the first space becomes a tab.
  const auto source = io::open_source(data("sst2/stsa.binary.train.gz"));
  std::string text = "label\tsentence\n";
  const std::string all = io::read_all(*source);
  for (const std::string_view line : split(all, '\n')) {
    if (line.size() < 3) continue;
    text += std::string(1, line[0]) + "\t" + std::string(line.substr(2)) + "\n";
  }
  std::ofstream("sst2.tsv", std::ios::binary) << text;
  expect_classes_learned(run("sst2.tsv"));
}

}  // namespace
}  // namespace ingot::cli::new_data_sets_test
