// SPDX-License-Identifier: Apache-2.0
// ClassificationMetrics against scikit-learn's figures (scripts/golden/metrics_golden.py), whatever
// the batches; two classes given as one column or two; ignored rows; bounds; every refusal.
#include "train/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "base/philox.h"
#include "source_dir.h"

namespace ingot::train::classification_test {
namespace {

using testing::message_of;

// The same sums in double, in another order.
constexpr double kRelative = 1e-12;

const Json& golden() {
  static const Json json = [] {
    const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/train/metrics.json";
    return parse_json(read_file(path), path);
  }();
  return json;
}

struct Data {
  std::vector<float> probabilities;
  std::vector<int64_t> labels;
};

Data data_of(const Json& c) {
  Data data;
  const auto p = c.at("probabilities").get<std::vector<double>>();
  const auto labels = c.at("labels").get<std::vector<int64_t>>();
  if (c.at("classes").get<int64_t>() == 2) {  // 1 - p is not exact in float32: one column
    for (size_t i = 1; i < p.size(); i += 2) data.probabilities.push_back(static_cast<float>(p[i]));
  } else {
    data.probabilities.assign(p.begin(), p.end());
  }
  data.labels = labels;
  return data;
}

ClassificationOptions options_of(const Json& c) {
  ClassificationOptions o;
  o.classes = c.at("classes").get<int64_t>();
  o.top_k = c.at("top_k").get<int64_t>();
  return o;
}

/// Fed in batches of `batch` rows.
ClassificationMetrics fed(const ClassificationOptions& o, const Data& data, size_t batch) {
  ClassificationMetrics metrics(o);
  const size_t width = data.probabilities.size() / data.labels.size();
  const std::span<const float> p(data.probabilities);
  const std::span<const int64_t> labels(data.labels);
  for (size_t at = 0; at < labels.size(); at += batch) {
    const size_t n = std::min(batch, labels.size() - at);
    metrics.add(p.subspan(at * width, n * width), labels.subspan(at, n));
  }
  return metrics;
}

void expect_close(double got, double want, const std::string& what) {
  EXPECT_NEAR(got, want, kRelative * std::abs(want)) << what;
}

TEST(ClassificationMetrics, EqualScikitLearnWhateverTheBatches) {
  ASSERT_EQ(golden().at("classification").size(), 5U);
  for (const auto& [name, c] : golden().at("classification").items()) {
    const Data data = data_of(c);
    for (const size_t batch : {size_t{1}, size_t{7}, data.labels.size()}) {
      SCOPED_TRACE(name + ", batches of " + std::to_string(batch));
      const ClassificationResult r = fed(options_of(c), data, batch).result();
      EXPECT_EQ(r.values.size(), c.at("values").size());
      for (const MetricValue& v : r.values) {
        expect_close(v.value, c.at("values").at(v.name).get<double>(), v.name);
        EXPECT_TRUE(std::isnan(v.low) && std::isnan(v.high));
      }
      EXPECT_EQ(r.confusion, c.at("confusion").get<std::vector<int64_t>>());
      for (size_t k = 0; k < r.per_class.size(); ++k) {
        const Json& each = c.at("per_class");
        expect_close(r.per_class[k].precision, each.at("precision")[k].get<double>(), "precision");
        expect_close(r.per_class[k].recall, each.at("recall")[k].get<double>(), "recall");
        expect_close(r.per_class[k].f1, each.at("f1")[k].get<double>(), "f1");
        EXPECT_EQ(r.per_class[k].support, each.at("support")[k].get<int64_t>());
      }
      const auto judged = c.at("judged").get<std::vector<size_t>>();
      for (size_t k = 0; k < judged.size(); ++k) {
        const ClassValues& each = r.per_class[judged[k]];
        expect_close(each.roc_auc, c.at("roc_auc")[k].get<double>(), "roc_auc");
        expect_close(each.average_precision, c.at("pr_auc")[k].get<double>(), "pr_auc");
      }
    }
  }
}

TEST(ClassificationMetrics, TwoColumnsAndInt32LabelsSayTheSameAsOne) {
  const std::vector<float> one = {0.25F, 0.75F, 0.5F, 1.0F};
  const std::vector<float> two = {0.75F, 0.25F, 0.25F, 0.75F, 0.5F, 0.5F, 0.0F, 1.0F};
  ClassificationMetrics a({}), b({});
  a.add(one, std::vector<int64_t>{0, 0, 1, 1});
  b.add(two, std::vector<int32_t>{0, 0, 1, 1});
  for (const MetricValue& v : a.result().values) EXPECT_EQ(v.value, b.result()[v.name]) << v.name;
  EXPECT_EQ(a.result()["accuracy"], 0.5) << "an even row is class 0";
}

TEST(ClassificationMetrics, IgnoredRowsDoNotCount) {
  ClassificationOptions o;
  o.classes = 3;
  ClassificationMetrics plain(o), padded(o);
  plain.add(std::vector<float>{0.5F, 0.25F, 0.25F, 0.0F, 0.25F, 0.75F}, std::vector<int64_t>{0, 1});
  padded.add(std::vector<float>{0.5F, 0.25F, 0.25F, 9.0F, 9.0F, 9.0F, 0.0F, 0.25F, 0.75F},
             std::vector<int64_t>{0, -100, 1});
  const ClassificationResult a = plain.result(), b = padded.result();
  EXPECT_EQ(b.count, 2);
  EXPECT_EQ(b.ignored, 1);
  for (size_t k = 0; k < a.values.size(); ++k) EXPECT_EQ(a.values[k].value, b.values[k].value);
}

TEST(ClassificationMetrics, TopKCountsTheLabelAmongEqualScoresByItsPosition) {
  ClassificationOptions o;
  o.classes = 4;
  o.top_k = 2;
  for (const auto& [label, hit] : {std::pair{0, 1.0}, std::pair{1, 1.0}, std::pair{2, 0.0}}) {
    ClassificationMetrics m(o);
    m.add(std::vector<float>{0.25F, 0.25F, 0.25F, 0.25F}, std::vector<int64_t>{label});
    EXPECT_EQ(m.result()["top_2_accuracy"], hit) << label;
  }
}

TEST(ClassificationMetrics, CalibrationBinsTouchFromBelow) {
  ClassificationOptions o;
  o.bins = 4;
  ClassificationMetrics m(o);
  m.add(std::vector<float>{0.75F, 0.76F, 1.0F}, std::vector<int64_t>{1, 1, 0});
  const ClassificationResult r = m.result();
  EXPECT_EQ(r.calibration[2].count, 1) << "0.75 belongs to (0.5, 0.75]";
  EXPECT_EQ(r.calibration[3].count, 2);
  EXPECT_EQ(r.calibration[3].accuracy, 0.5);
  EXPECT_NEAR(r.calibration[3].confidence, 0.88, 1e-7);
  EXPECT_NEAR(r["calibration_error"], (0.25 + std::abs(1.0 - 1.76)) / 3.0, 1e-7);
}

TEST(ClassificationMetrics, NothingOrOneKindLeavesValuesUndefined) {
  const ClassificationResult none = ClassificationMetrics({}).result();
  EXPECT_EQ(none.count, 0);
  for (const MetricValue& v : none.values) EXPECT_TRUE(std::isnan(v.value)) << v.name;
  ClassificationMetrics m({});
  m.add(std::vector<float>{0.25F, 0.75F}, std::vector<int64_t>{0, 0});
  EXPECT_TRUE(std::isnan(m.result()["roc_auc"]));
  EXPECT_TRUE(std::isnan(m.result()["pr_auc"]));
  EXPECT_EQ(m.result()["recall"], 0.0);
}

TEST(ClassificationMetrics, ScoresAreKeptForTheRankingOnlyAndUpToTheCap) {
  ClassificationOptions o;
  EXPECT_EQ(ClassificationMetrics(o).bytes_per_example(), 8);
  o.classes = 10;
  EXPECT_EQ(ClassificationMetrics(o).bytes_per_example(), 44);
  o.bootstrap.replicates = 10;
  EXPECT_EQ(ClassificationMetrics(o).bytes_per_example(), 64);
  o = {};
  o.ranking = false;
  EXPECT_EQ(ClassificationMetrics(o).bytes_per_example(), 0);
  o.ranking = true;
  o.max_ranking_bytes = 16;
  const std::vector<float> p = {0.25F, 0.75F, 0.5F};
  ClassificationMetrics two(o), three(o);
  two.add(std::span(p).first(2), std::vector<int64_t>{0, 1});
  three.add(p, std::vector<int64_t>{0, 1, 1});
  EXPECT_EQ(two.result().ranking_dropped, "");
  EXPECT_EQ(two.result()["roc_auc"], 1.0);
  EXPECT_EQ(three.result().ranking_dropped,
            "roc_auc and pr_auc need every probability in order, 8 bytes of a row, which are kept "
            "of up to 2 rows (16 B); there are 3");
  EXPECT_TRUE(std::isnan(three.result()["roc_auc"]));
  EXPECT_FALSE(std::isnan(three.result()["log_loss"]));
}

TEST(ClassificationMetrics, ManyClassesDoWithoutTheMatrix) {
  ClassificationOptions o;
  o.classes = kMaxConfusionClasses + 1;
  std::vector<float> p(static_cast<size_t>(o.classes));
  p[1000] = 1.0F;
  ClassificationMetrics m(o);
  m.add(p, std::vector<int64_t>{1000});
  EXPECT_TRUE(m.result().confusion.empty());
  EXPECT_EQ(m.result()["f1_macro"], 1.0);
}

/// Intervals of the accuracy of 4000 coin-like examples.
TEST(ClassificationMetrics, IntervalsAreThoseOfTheBinomialAndDoNotDependOnBatches) {
  constexpr size_t kRows = 4000;
  constexpr double kRight = 0.8;
  Data data;
  Philox random(3);
  for (size_t i = 0; i < kRows; ++i) {
    const bool right = random.uniform_double() < kRight;
    const float p = 0.5F + 0.49F * random.uniform();
    data.labels.push_back(static_cast<int64_t>(i % 2));
    data.probabilities.push_back((i % 2 == 1) == right ? p : 1.0F - p);
  }
  ClassificationOptions o;
  o.bootstrap.replicates = 1000;
  const ClassificationResult r = fed(o, data, 64).result();
  const double accuracy = r["accuracy"];
  const double half = 1.96 * std::sqrt(accuracy * (1.0 - accuracy) / kRows);
  // Percentiles of 1000 draws are themselves known to about a tenth of the half width.
  const double slack = 0.15 * half;
  const MetricValue& v = find_metric(r.values, "accuracy");
  EXPECT_NEAR(v.low, accuracy - half, slack);
  EXPECT_NEAR(v.high, accuracy + half, slack);
  const ClassificationResult other = fed(o, data, 4000).result();
  for (size_t k = 0; k < r.values.size(); ++k) {
    EXPECT_EQ(r.values[k].low, other.values[k].low) << r.values[k].name;
    EXPECT_EQ(r.values[k].high, other.values[k].high);
    // A replicate of the calibration error is biased upwards, so its value may lie below.
    if (r.values[k].name == "calibration_error") continue;
    EXPECT_LT(r.values[k].low, r.values[k].value) << r.values[k].name;
    EXPECT_GT(r.values[k].high, r.values[k].value) << r.values[k].name;
  }
}

/// 60 rows of three classes, none of whose figures are round.
Data three_classes() {
  Data data;
  Philox random(11);
  for (int64_t i = 0; i < 60; ++i) {
    float parts[3], sum = 0.0F;
    for (float& part : parts) sum += part = 0.125F + random.uniform();
    for (const float part : parts) data.probabilities.push_back(part / sum);
    data.labels.push_back(i % 3);
  }
  return data;
}

/// One replicate is its own bounds: the figures of the rows, each as often as its weight says.
TEST(ClassificationMetrics, AReplicateWeighsAllClassesAndFiguresAlike) {
  const Data data = three_classes();
  std::vector<uint8_t> weights(data.labels.size()), is_positive(data.labels.size());
  poisson_weights(9, 0, weights);
  double roc = 0.0, pr = 0.0, right = 0.0, count = 0.0;
  for (size_t c = 0; c < 3; ++c) {
    std::vector<float> scores;
    for (size_t i = 0; i < data.labels.size(); ++i) {
      const float* p = data.probabilities.data() + 3 * i;
      scores.push_back(p[c]);
      is_positive[i] = data.labels[i] == static_cast<int64_t>(c) ? 1 : 0;
      const bool is_right = is_positive[i] == 1 && p[c] == std::max({p[0], p[1], p[2]});
      right += is_right ? weights[i] : 0;
      count += is_positive[i] == 1 ? weights[i] : 0;
    }
    const RankingAreas areas = ScoreOrder(scores, is_positive).areas(weights);
    roc += areas.roc_auc;
    pr += areas.average_precision;
  }
  ClassificationOptions o;
  o.classes = 3;
  o.bootstrap.replicates = 1;
  o.bootstrap.seed = 9;
  const ClassificationResult r = fed(o, data, 60).result();
  EXPECT_EQ(r.replicates, 1);
  EXPECT_EQ(find_metric(r.values, "roc_auc").low, roc / 3.0);
  EXPECT_EQ(find_metric(r.values, "pr_auc").high, pr / 3.0);
  EXPECT_EQ(find_metric(r.values, "accuracy").low, right / count);
}

TEST(ClassificationMetrics, IntervalsDoNotDependOnThreadsAndStopWhenAsked) {
  Data data = three_classes();  // again and again, so that threads share the work
  const Data once = data;
  for (int i = 0; i < 200; ++i) {
    data.probabilities.insert(data.probabilities.end(), once.probabilities.begin(),
                              once.probabilities.end());
    data.labels.insert(data.labels.end(), once.labels.begin(), once.labels.end());
  }
  ClassificationOptions o;
  o.classes = 3;
  o.bootstrap.replicates = 5;
  const ClassificationResult alone = fed(o, data, 600).result();
  Team team(3);
  StopFlag stop;
  o.bootstrap.team = &team;
  o.bootstrap.stop = &stop;
  const ClassificationMetrics metrics = fed(o, data, 600);
  const ClassificationResult together = metrics.result();
  for (size_t k = 0; k < alone.values.size(); ++k) {
    EXPECT_EQ(alone.values[k].low, together.values[k].low) << alone.values[k].name;
    EXPECT_EQ(alone.values[k].high, together.values[k].high) << alone.values[k].name;
  }
  stop.request();
  EXPECT_EQ(testing::code_of([&] { (void)metrics.result(); }), "cancelled");
}

TEST(ClassificationMetrics, BadInputNamesTheRowAndChangesNothing) {
  ClassificationOptions o;
  o.classes = 3;
  ClassificationMetrics m(o);
  const std::vector<float> good = {0.5F, 0.25F, 0.25F};
  m.add(good, std::vector<int64_t>{0});
  const auto add = [&](const std::vector<float>& p, const std::vector<int64_t>& labels) {
    return message_of([&] { m.add(p, labels); });
  };
  EXPECT_EQ(add({0.5F, 0.5F}, {0}),
            "metrics: 2 probabilities for 1 labels, 3 per label are needed");
  EXPECT_EQ(add({0.5F, 0.25F, 0.25F, 0.5F, 0.25F, 0.25F}, {0, 3}),
            "metrics: row 2: label 3 is outside [0, 3) and not ignore_label -100");
  EXPECT_EQ(add({1.5F, -0.25F, -0.25F}, {0}),
            "metrics: row 1: 1.5 is no probability; apply softmax or sigmoid first");
  EXPECT_EQ(add({std::numeric_limits<float>::quiet_NaN(), 0.0F, 1.0F}, {0}),
            "metrics: row 1: nan is no probability; apply softmax or sigmoid first");
  EXPECT_EQ(add({0.5F, 0.25F, 0.5F}, {0}),
            "metrics: row 1: the probabilities add up to 1.25, not 1; apply softmax first");
  EXPECT_EQ(m.result().count, 1);
  o.classes = 1;
  EXPECT_EQ(message_of([&] { ClassificationMetrics one(o); }),
            "metrics: classes 1, top_k 5 and bins 15 must be at least 2, 1 and 1");
}

TEST(ClassificationMetrics, NamesComeInAFixedOrder) {
  ClassificationOptions o;
  o.classes = 10;
  EXPECT_EQ(metric_names(o), (std::vector<std::string>{
                                 "accuracy", "top_5_accuracy", "precision_micro", "recall_micro",
                                 "f1_micro", "precision_macro", "recall_macro", "f1_macro",
                                 "precision_weighted", "recall_weighted", "f1_weighted", "roc_auc",
                                 "pr_auc", "log_loss", "brier", "calibration_error"}));
  o.classes = 2;
  EXPECT_EQ(metric_names(o)[1], "precision");
}

}  // namespace
}  // namespace ingot::train::classification_test
