// SPDX-License-Identifier: Apache-2.0
// Every op of the table against its float64 truth: values, and gradients by central differences of
// the truth.
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "autograd/op_cases.h"
#include "autograd/op_table.h"

namespace ingot::testing::op_test {
namespace {

// Central differences of a float64 function with this step are off by about 1e-10 of its size.
constexpr double kStep = 1e-6;
// float32 gradients against them, relative to the largest element of the gradient (at least 1):
// sums of a few hundred products rounded to 2^-24 each.
constexpr double kGradientTolerance = 1e-5;

double weighted(const Doubles& y, const Doubles& w) {
  double sum = 0.0;
  for (size_t i = 0; i < y.size(); ++i) sum += w[i] * y[i];
  return sum;
}

/// d(Σ w·truth)/d(input k).
Doubles differences(const Sample& s, const Doubles& w, size_t k) {
  std::vector<Doubles> in;
  for (const Input& i : s.inputs) in.push_back(i.values);
  Doubles g;
  for (double& x : in[k]) {
    const double before = x;
    x = before + kStep;
    const double above = weighted(s.truth(in), w);
    x = before - kStep;
    const double below = weighted(s.truth(in), w);
    x = before;
    g.push_back((above - below) / (2.0 * kStep));
  }
  return g;
}

void expect_gradient(const Doubles& got, const Doubles& want, double factor) {
  ASSERT_EQ(got.size(), want.size());
  double largest = 1.0;
  for (const double g : want) largest = std::max(largest, std::abs(factor * g));
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], factor * want[i], kGradientTolerance * largest) << "element " << i;
  }
}

bool is_differentiable(const Sample& s) {
  const auto row = std::find_if(op_table().begin(), op_table().end(),
                                [&](const OpRow& r) { return r.name == s.op; });
  return (row->flags & kDifferentiable) != 0;
}

TEST(OpTable, EveryRowHasSamplesAndEverySampleARow) {
  std::set<std::string> rows, sampled;
  for (const OpRow& row : op_table()) EXPECT_TRUE(rows.insert(row.name).second) << row.name;
  for (const Sample& s : op_samples()) sampled.insert(s.op);
  for (const std::string& name : rows) EXPECT_TRUE(sampled.contains(name)) << "no sample: " << name;
  for (const std::string& name : sampled) EXPECT_TRUE(rows.contains(name)) << "no row: " << name;
}

/// An axis that no vector, tile or block divides.
bool is_odd(const Input& in) {
  for (int i = 0; i < in.shape.rank(); ++i) {
    if (in.shape[i] > 1 && in.shape[i] % 2 == 1) return true;
  }
  return false;
}

TEST(OpTable, EveryDifferentiableRowHasATinyAnOddALargeAndAViewedSample) {
  for (const OpRow& row : op_table()) {
    int tiny = 0, odd = 0, large = 0, views = 0, samples = 0;
    for (const Sample& s : op_samples()) {
      if (s.op != row.name) continue;
      ++samples;
      large += s.is_large ? 1 : 0;
      tiny += s.inputs[0].shape.size() <= 1 ? 1 : 0;
      for (const Input& in : s.inputs) {
        views += in.view != View::kDense ? 1 : 0;
        odd += is_odd(in) ? 1 : 0;
      }
    }
    EXPECT_GE(samples, 5) << row.name;
    EXPECT_GE(views, 1) << row.name << " is never given a view";
    if ((row.flags & kDifferentiable) == 0) continue;
    EXPECT_GE(tiny, 1) << row.name << " is never given an empty or one-element first input";
    EXPECT_GE(odd, 1) << row.name << " is never given an axis of odd size";
    EXPECT_GE(large, 1) << row.name << " has no sample with is_large";
  }
}

TEST(Ops, ForwardEqualsTheFloat64Truth) {
  Team team(2);
  Engine engine(team);
  for (const Sample& s : op_samples()) {
    SCOPED_TRACE(s.op + ": " + s.what);
    SampleRun run(engine, s);
    const Doubles got = read(run.forward());
    std::vector<Doubles> in;
    for (const Input& i : s.inputs) in.push_back(i.values);
    const Doubles want = s.truth(in);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const double limit = s.tolerance * std::max(1.0, std::abs(want[i]));
      ASSERT_LE(std::abs(got[i] - want[i]), limit)
          << "element " << i << ": " << got[i] << " for " << want[i];
    }
  }
}

TEST(Ops, RecordingDoesNotChangeTheValue) {
  Team team(2);
  Engine engine(team);
  for (const Sample& s : op_samples()) {
    SCOPED_TRACE(s.op + ": " + s.what);
    SampleRun run(engine, s);
    const std::string before = bytes_of(run.forward());
    run.step();
    EXPECT_EQ(bytes_of(run.y), before);
  }
}

TEST(Ops, GradientsEqualFiniteDifferencesOfTheTruth) {
  Team team(1);
  Engine engine(team);
  for (const Sample& s : op_samples()) {
    if (s.is_large || !is_differentiable(s)) continue;
    SCOPED_TRACE(s.op + ": " + s.what);
    SampleRun run(engine, s);
    run.step();
    for (size_t k = 0; k < s.inputs.size(); ++k) {
      if (!s.inputs[k].has_grad || s.inputs[k].dtype != DType::kF32) continue;
      if (run.y.dtype() != DType::kF32) continue;
      SCOPED_TRACE("input " + std::to_string(k));
      ASSERT_TRUE(run.grads[k].defined()) << "no gradient arrived";
      expect_gradient(run.grad(k), differences(s, run.weights(), k), 1.0);
    }
  }
}

TEST(Ops, AnInputUsedTwiceGetsTheSumOfItsGradients) {
  Team team(1);
  Engine engine(team);
  for (const Sample& s : op_samples()) {
    if (s.is_large || !is_differentiable(s) || s.op == "dropout") continue;  // two masks
    SCOPED_TRACE(s.op + ": " + s.what);
    SampleRun run(engine, s);
    run.step(true);
    for (size_t k = 0; k < s.inputs.size(); ++k) {
      if (!s.inputs[k].has_grad || s.inputs[k].dtype != DType::kF32) continue;
      if (run.y.dtype() != DType::kF32) continue;
      SCOPED_TRACE("input " + std::to_string(k));
      ASSERT_TRUE(run.grads[k].defined()) << "no gradient arrived";
      expect_gradient(run.grad(k), differences(s, run.weights(), k), 2.0);
    }
  }
}

}  // namespace
}  // namespace ingot::testing::op_test
