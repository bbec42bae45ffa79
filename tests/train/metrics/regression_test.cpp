// SPDX-License-Identifier: Apache-2.0
// RegressionMetrics against scikit-learn's figures (scripts/golden/metrics_golden.py), in batches;
// intervals against the normal approximation; refusals.
#include "train/metrics/regression.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/message_of.h"
#include "base/philox.h"
#include "source_dir.h"

namespace ingot::train::regression_test {
namespace {

using testing::message_of;

// The same sums in double, in another order.
constexpr double kScoreTolerance = 1e-12;

TEST(RegressionMetrics, EqualScikitLearn) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/train/metrics.json";
  const Json golden = parse_json(read_file(path), path);
  ASSERT_EQ(golden.at("regression").size(), 4U);
  for (const auto& [name, c] : golden.at("regression").items()) {
    SCOPED_TRACE(name);
    RegressionOptions o;
    o.outputs = c.at("outputs").get<int64_t>();
    RegressionMetrics m(o);
    const auto p = c.at("predictions").get<std::vector<float>>();
    const auto t = c.at("targets").get<std::vector<float>>();
    const size_t first = static_cast<size_t>(o.outputs);  // one row, then the rest
    m.add(std::span(p).first(first), std::span(t).first(first));
    m.add(std::span(p).subspan(first), std::span(t).subspan(first));
    const RegressionResult r = m.result();
    EXPECT_EQ(r.count, static_cast<int64_t>(t.size()) / o.outputs);
    for (const MetricValue& v : r.values) {
      const auto want = c.at("values").at(v.name).get<double>();
      EXPECT_NEAR(v.value, want, kScoreTolerance * std::abs(want)) << v.name;
    }
  }
}

TEST(RegressionMetrics, IntervalsAreThoseOfTheNormalApproximation) {
  constexpr size_t kRows = 4000;
  std::vector<float> p, t;
  Philox random(5);
  for (size_t i = 0; i < kRows; ++i) {
    t.push_back(static_cast<float>(3.0 * random.normal()));
    p.push_back(t.back() + static_cast<float>(random.normal()));
  }
  RegressionOptions o;
  o.bootstrap.replicates = 1000;
  RegressionMetrics m(o);
  m.add(p, t);
  EXPECT_EQ(m.bytes_per_example(), 8);
  const RegressionResult r = m.result();
  // Squares of standard normal errors have variance 2; percentiles of 1000 draws wobble.
  const double half = 1.96 * std::sqrt(2.0 / kRows);
  const MetricValue& mse = find_metric(r.values, "mse");
  EXPECT_NEAR(mse.low, mse.value - half, 0.2 * half);
  EXPECT_NEAR(mse.high, mse.value + half, 0.2 * half);
  for (const MetricValue& v : r.values) EXPECT_TRUE(v.low < v.value && v.value < v.high) << v.name;
}

TEST(RegressionMetrics, FewRowsLeaveValuesUndefined) {
  RegressionMetrics m;
  EXPECT_EQ(m.bytes_per_example(), 0);
  EXPECT_TRUE(std::isnan(m.result()["mse"]));
  m.add(std::vector<float>{1.0F}, std::vector<float>{3.0F});
  EXPECT_EQ(m.result()["mse"], 4.0);
  EXPECT_TRUE(std::isnan(m.result()["r2"]));
}

TEST(RegressionMetrics, AnUndefinedValueHasNoInterval) {
  RegressionOptions o;
  o.bootstrap.replicates = 100;  // some draw the one row twice
  RegressionMetrics m(o);
  m.add(std::vector<float>{1.0F}, std::vector<float>{3.0F});
  const RegressionResult result = m.result();
  const MetricValue& r2 = find_metric(result.values, "r2");
  EXPECT_TRUE(std::isnan(r2.value) && std::isnan(r2.low) && std::isnan(r2.high));
  EXPECT_EQ(find_metric(result.values, "mse").low, 4.0);
}

/// Two outputs, so that a pair is not taken for another.
TEST(RegressionMetrics, AReplicateIsTheFiguresOfTheRowsAsOftenAsTheyCount) {
  const std::vector<float> p = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, t = {0, 4, 3, 1, 7, 6, 2, 2, 9, 5};
  StopFlag stop;
  RegressionOptions o;
  o.outputs = 2;
  o.bootstrap.replicates = 1;
  o.bootstrap.seed = 4;
  o.bootstrap.stop = &stop;
  RegressionMetrics m(o);
  m.add(p, t);
  std::vector<uint8_t> weights(5);
  poisson_weights(4, 0, weights);
  double sums[2] = {0.0, 0.0}, count = 0.0;
  for (size_t i = 0; i < p.size(); ++i) {
    sums[i % 2] += weights[i / 2] * static_cast<double>(std::abs(p[i] - t[i]));
    count += i % 2 == 0 ? weights[i / 2] : 0;
  }
  ASSERT_GT(count, 0.0);
  const RegressionResult r = m.result();
  EXPECT_EQ(r.replicates, 1);
  EXPECT_DOUBLE_EQ(find_metric(r.values, "mae").low, (sums[0] + sums[1]) / 2.0 / count);
  stop.request();
  EXPECT_EQ(testing::code_of([&] { (void)m.result(); }), "cancelled");
}

TEST(RegressionMetrics, BadInputNamesTheRowAndChangesNothing) {
  RegressionOptions o;
  o.outputs = 2;
  RegressionMetrics m(o);
  const auto add = [&](const std::vector<float>& p, const std::vector<float>& t) {
    return message_of([&] { m.add(p, t); });
  };
  EXPECT_EQ(add({1.0F, 2.0F, 3.0F}, {1.0F, 2.0F, 3.0F}),
            "metrics: 3 predictions and 3 targets; equal numbers of rows of 2 are needed");
  EXPECT_EQ(add({1.0F, 2.0F}, {1.0F}),
            "metrics: 2 predictions and 1 targets; equal numbers of rows of 2 are needed");
  EXPECT_EQ(add({1.0F, 2.0F, 3.0F, NAN}, {1.0F, 2.0F, 3.0F, 4.0F}),
            "metrics: row 1: prediction nan and target 4 must be finite");
  EXPECT_EQ(m.result().count, 0);
  o.outputs = 0;
  EXPECT_EQ(message_of([&] { RegressionMetrics none(o); }),
            "metrics: 0 outputs, at least 1 is needed");
}

}  // namespace
}  // namespace ingot::train::regression_test
