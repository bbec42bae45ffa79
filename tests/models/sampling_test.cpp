// SPDX-License-Identifier: Apache-2.0
// Sampling against probabilities written out in double, and against exact small cases.
#include "models/sampling.h"

#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "models/fake_model.h"

namespace ingot::models::sampling_test {
namespace {

using testing::error_of;

const std::vector<float> kLogits = {1.0F, 3.0F, 2.0F, 3.0F, -1.0F, 0.5F};

std::vector<double> softmax(const std::vector<double>& logits) {
  std::vector<double> p(logits.size());
  double sum = 0.0;
  for (size_t i = 0; i < p.size(); ++i) sum += p[i] = std::exp(logits[i]);
  for (double& x : p) x /= sum;
  return p;
}

std::vector<double> frequencies(const SamplingOptions& options, int64_t draws) {
  Sampler sampler(static_cast<int64_t>(kLogits.size()));
  std::vector<double> share(kLogits.size());
  for (int64_t i = 0; i < draws; ++i) {
    const auto index = static_cast<uint64_t>(i);
    share[static_cast<size_t>(sampler.draw(kLogits, options, {}, 0, index).token)] +=
        1.0 / static_cast<double>(draws);
  }
  return share;
}

// Five standard deviations of a share over the draws below: sqrt(0.25 / 40000) * 5.
constexpr int64_t kDraws = 40000;
constexpr double kShareTolerance = 0.0125;

void expect_shares(const SamplingOptions& options, const std::vector<double>& expected) {
  const std::vector<double> share = frequencies(options, kDraws);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(share[i], expected[i], kShareTolerance) << "token " << i;
    EXPECT_EQ(share[i] == 0.0, expected[i] == 0.0) << "token " << i;
  }
}

TEST(Sampling, TemperatureZeroTakesTheLowestIdOfTheLargest) {
  Sampler sampler(6);
  SamplingOptions options;
  options.temperature = 0.0F;
  EXPECT_EQ(sampler.draw(kLogits, options, {}, 0, 0).token, 1);
}

TEST(Sampling, SharesFollowTheSoftmaxAtATemperature) {
  SamplingOptions options;
  options.temperature = 0.7F;
  std::vector<double> scaled;
  for (const float x : kLogits) scaled.push_back(x / 0.7);
  expect_shares(options, softmax(scaled));
}

TEST(Sampling, TopKKeepsTheLargestAndTheLowerIdAmongEquals) {
  SamplingOptions options;
  options.top_k = 1;
  expect_shares(options, {0, 1, 0, 0, 0, 0});
  options.top_k = 3;  // 1, 3 (equal) and 2
  const double a = std::exp(1.0);
  expect_shares(options, {0, a / (2 * a + 1), 1 / (2 * a + 1), a / (2 * a + 1), 0, 0});
}

TEST(Sampling, TopPKeepsTheSmallestSetWithTheMass) {
  SamplingOptions options;
  const std::vector<double> p = softmax({1, 3, 2, 3, -1, 0.5});
  options.top_p = static_cast<float>(p[1] + p[3] / 2);  // needs both of the equals
  expect_shares(options, {0, 0.5, 0, 0.5, 0, 0});
  options.top_p = static_cast<float>(p[1] / 2);
  expect_shares(options, {0, 1, 0, 0, 0, 0});
}

TEST(Sampling, TopPCountsTheMassThatTopKLeaves) {
  SamplingOptions options;
  options.top_k = 2;
  options.top_p = 0.5F;  // exactly the first of two halves
  expect_shares(options, {0, 1, 0, 0, 0, 0});
}

TEST(Sampling, ANucleusLargerThanTheFirstRankedGroupIsTheSameAsNoFilter) {
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7) * 0.01F;
  Sampler sampler(1000);
  SamplingOptions options;
  options.top_p = 0.9F;
  std::vector<int64_t> seen(7);
  for (uint64_t i = 0; i < 4000; ++i) {
    const int32_t token = sampler.draw(logits, options, {}, 0, i).token;
    ++seen[static_cast<size_t>(token % 7)];
  }
  // Nearly flat logits: of seven groups the six best and a part of the worst fit into 0.9.
  for (size_t group = 1; group < 7; ++group) EXPECT_GT(seen[group], 450);
  EXPECT_LT(seen[0], 250);
}

TEST(Sampling, PenaltiesAndBiasAreAppliedInTheDocumentedOrder) {
  Sampler sampler(6);
  SamplingOptions options;
  options.temperature = 0.0F;
  const std::vector<int32_t> history = {1, 3, 3, 4};  // prompt 1, completion 3 3 4
  options.repetition_penalty = 2.0F;                  // 1: 1.5, 3: 1.5, 4: -2
  EXPECT_EQ(sampler.draw(kLogits, options, history, 1, 0).token, 2);
  options.logit_bias = {{1, 0.6F}};  // 1: 2.1
  EXPECT_EQ(sampler.draw(kLogits, options, history, 1, 0).token, 1);
  options.presence_penalty = 1.0F;  // 3: 0.5; token 1 is prompt only
  EXPECT_EQ(sampler.draw(kLogits, options, history, 1, 0).token, 1);
  options = SamplingOptions();
  options.temperature = 0.0F;
  options.frequency_penalty = 0.6F;  // 3 twice: 1.8; 1 untouched: 3
  EXPECT_EQ(sampler.draw(kLogits, options, history, 1, 0).token, 1);
  const std::vector<int32_t> all_written = {1, 3, 3, 4};
  options.presence_penalty = 0.5F;  // 1: 1.9, 3: 1.3, 2: 2
  EXPECT_EQ(sampler.draw(kLogits, options, all_written, 0, 0).token, 2);
  EXPECT_EQ(sampler.draw(kLogits, options, {}, 0, 0).token, 1) << "scratch was not cleared";
}

TEST(Sampling, LogprobsAreTheModelsOwnWhateverThePenalties) {
  Sampler sampler(6);
  SamplingOptions options;
  options.temperature = 0.0F;
  options.logprobs = 3;
  options.logit_bias = {{4, 50.0F}};
  const std::vector<double> p = softmax({1, 3, 2, 3, -1, 0.5});
  const Draw draw = sampler.draw(kLogits, options, {}, 0, 0);
  EXPECT_EQ(draw.token, 4);
  constexpr double kRounding = 1e-6;  // one float rounding of a logarithm near 4
  EXPECT_NEAR(draw.logprob, std::log(p[4]), kRounding);
  ASSERT_EQ(draw.top.size(), 3U);
  EXPECT_EQ(draw.top[0].id, 1);
  EXPECT_EQ(draw.top[1].id, 3);
  EXPECT_EQ(draw.top[2].id, 2);
  EXPECT_NEAR(draw.top[2].logprob, std::log(p[2]), kRounding);
}

TEST(Sampling, ADrawDependsOnSeedStreamAndIndexOnly) {
  Sampler sampler(6);
  SamplingOptions options;
  options.seed = 7;
  std::map<int, std::vector<int32_t>> runs;
  for (int run = 0; run < 2; ++run) {
    for (uint64_t i = 0; i < 50; ++i) {
      runs[run].push_back(sampler.draw(kLogits, options, {}, 0, i).token);
      if (run == 1) (void)sampler.draw(kLogits, SamplingOptions(), {}, 0, i);  // somebody else
    }
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(sampling_uniform(7, 0, 3), sampling_uniform(8, 0, 3));
  EXPECT_NE(sampling_uniform(7, 0, 3), sampling_uniform(7, 1, 3));
  EXPECT_NE(sampling_uniform(7, 0, 3), sampling_uniform(7, 0, 4));
}

TEST(Sampling, MinusInfinityIsNeverDrawnAndNaNIsAnError) {
  Sampler sampler(3);
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> masked = {-inf, 0.0F, -inf};
  for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(sampler.draw(masked, {}, {}, 0, i).token, 1);
  const std::vector<float> broken = {0.0F, std::nanf(""), 1.0F};
  EXPECT_EQ(error_of([&] { (void)sampler.draw(broken, {}, {}, 0, 0); }),
            "sample: a logit is NaN; the weights or the cache are damaged");
  const std::vector<float> hopeless = {-inf, -inf, -inf};
  EXPECT_EQ(error_of([&] { (void)sampler.draw(hopeless, {}, {}, 0, 0); }),
            "sample: a logit is infinite, or all are; the weights or the cache are damaged");
}

TEST(Sampling, OptionsOutsideTheirRangeAreNamed) {
  const auto message = [](auto change) {
    SamplingOptions options;
    change(options);
    return error_of([&] { check_sampling(options, 10); });
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_NE(message([](auto& o) { o.temperature = -1; }).find("sample: temperature is -1"),
            std::string::npos);
  EXPECT_NE(message([](auto& o) { o.temperature = std::nanf(""); }).find("temperature is nan"),
            std::string::npos);
  EXPECT_EQ(message([](auto& o) { o.top_p = 0; }),
            "sample: top_p is 0 but must be above 0, at most 1");
  EXPECT_EQ(message([](auto& o) { o.top_k = -2; }), "sample: top_k is -2 but must be >= 0");
  EXPECT_EQ(message([](auto& o) { o.logprobs = 11; }),
            "sample: logprobs is 11 but must be between -1 and the vocabulary 10");
  EXPECT_EQ(message([](auto& o) {
              o.logit_bias = {{10, 1.0F}};
            }),
            "sample: logit_bias names token 10 but the vocabulary has 10");
}

}  // namespace
}  // namespace ingot::models::sampling_test
