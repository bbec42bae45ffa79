// SPDX-License-Identifier: Apache-2.0
// Inference of a network: links, batches that are not full, and a row that is the same bytes
// whoever stands beside it.
#include "models/network/runner.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/team.h"
#include "nn/parameter_store.h"

namespace ingot::models::runner_test {
namespace {

std::vector<LayerConfig> two_layers(int64_t outputs) {
  LayerConfig hidden, last;
  hidden.units = 33;
  hidden.activation = ActivationName::kGelu;
  last.units = outputs;
  return {hidden, last};
}

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest()
      : network_(two_layers(3), {{"table", {7}, DType::kF32, 0, -1}}), store_(engine_, network_) {
    std::mt19937 random(1);
    for (float& x : rows_) x = static_cast<float>(random()) / 4e9F - 0.5F;
  }
  std::vector<float> run(NetworkRunner& runner, int64_t first, int64_t rows) {
    std::copy_n(rows_.data() + first * 7, rows * 7, runner.input(0).data<float>());
    const std::span<const float> y = runner.run(rows);
    return {y.begin(), y.end()};
  }
  Team team_{2};
  Engine engine_{team_};
  Network network_;
  nn::ParameterStore store_;
  std::vector<float> rows_ = std::vector<float>(64 * 7);
};

TEST_F(RunnerTest, ARowIsTheSameAloneAndInAnyBatch) {
  NetworkRunner many(engine_, network_, 64, Link::kSoftmax);
  const std::vector<float> all = run(many, 0, 64);
  NetworkRunner one(engine_, network_, 1, Link::kSoftmax);
  NetworkRunner eager(engine_, network_, 5, Link::kSoftmax, false);
  for (int64_t row : {0, 17, 63}) {
    const std::vector<float> expected(all.begin() + row * 3, all.begin() + row * 3 + 3);
    EXPECT_EQ(run(one, row, 1), expected);
  }
  EXPECT_EQ(run(eager, 30, 2), std::vector<float>(all.begin() + 90, all.begin() + 96));
}

TEST_F(RunnerTest, LinksAreTheirFormulas) {
  NetworkRunner plain(engine_, network_, 4, Link::kNone);
  const std::vector<float> z = run(plain, 0, 4);
  NetworkRunner soft(engine_, network_, 4, Link::kSoftmax);
  NetworkRunner sigmoid(engine_, network_, 4, Link::kSigmoid);
  const std::vector<float> p = run(soft, 0, 4), s = run(sigmoid, 0, 4);
  constexpr double kFloat = 1e-6;
  for (size_t i = 0; i < z.size(); ++i) {
    double sum = 0.0;
    for (size_t j = i / 3 * 3; j < i / 3 * 3 + 3; ++j) sum += std::exp(double{z[j]});
    EXPECT_NEAR(p[i], std::exp(double{z[i]}) / sum, kFloat);
    EXPECT_NEAR(s[i], 1.0 / (1.0 + std::exp(-double{z[i]})), kFloat);
  }
}

TEST(RunnerErrors, ABatchBeyondAllCountingIsRefused) {
  Team team(1);
  Engine engine(team);
  const Network network(two_layers(3), {{"table", {7}, DType::kF32, 0, -1}});
  // the hidden layer's 2 x 7 x 33 and the last one's 2 x 33 x 3 FLOP
  EXPECT_EQ(
      testing::message_of([&] { (void)make_inputs(engine, network, int64_t{1} << 60); }),
      "layers: a batch of 1152921504606846976 examples with 660 numbers or FLOP each is beyond "
      "2^58; make the layers or the batch smaller");
}

}  // namespace
}  // namespace ingot::models::runner_test
