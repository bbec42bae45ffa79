// SPDX-License-Identifier: Apache-2.0
// Numbers and classes as text, literally.
#include "serve/answer.h"

#include <cstdlib>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::serve::answer_test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Answer, NumbersAreTheShortestThatReadBack) {
  EXPECT_EQ(number_text(8.0F), "8");
  EXPECT_EQ(number_text(0.1F), "0.1");
  EXPECT_EQ(number_text(-2.5e-7F), "-2.5e-07");
  EXPECT_EQ(number_text(16777216.0F), "16777216");
  for (const float x : {0.33333334F, 1e-38F, 3.4028235e38F, 0.69999999F}) {
    EXPECT_EQ(std::strtof(number_text(x).c_str(), nullptr), x);
  }
}

TEST(Answer, JsonHasNoInfinities) {
  EXPECT_EQ(number_json(0.5F), "0.5");
  EXPECT_EQ(number_json(kInfinity), "null");
  EXPECT_EQ(number_json(std::numeric_limits<float>::quiet_NaN()), "null");
}

TEST(Answer, ANumberIsItsOwnPrediction) {
  const AnswerForm form({});
  EXPECT_EQ(form.width(), 1);
  EXPECT_EQ(form.json(std::vector<float>{0.25F}), R"({"prediction":0.25})");
  EXPECT_EQ(form.json({}), R"({"prediction":null})");
  EXPECT_EQ(form.prediction_json(std::vector<float>{kInfinity}), "null");
}

TEST(Answer, AClassComesWithAllProbabilities) {
  const AnswerForm form({"a \"b\"", "c", "d"});
  EXPECT_EQ(form.width(), 3);
  EXPECT_EQ(form.json(std::vector<float>{0.25F, 0.5F, 0.25F}),
            R"({"prediction":"c","probabilities":{"a \"b\"":0.25,"c":0.5,"d":0.25}})");
  EXPECT_EQ(form.prediction_json(std::vector<float>{0.4F, 0.2F, 0.4F}), R"("a \"b\"")");
  EXPECT_EQ(form.json({}), R"({"prediction":null})");
}

}  // namespace
}  // namespace ingot::serve::answer_test
