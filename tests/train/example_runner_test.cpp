// SPDX-License-Identifier: Apache-2.0
// Answers for stored examples: what a network of one dense layer gives by hand, alone and averaged
// over the versions of a picture.
#include "train/example_runner.h"

#include <array>
#include <cmath>

#include "base/message_of.h"
#include "nn/parameter_store.h"

namespace ingot::train::example_runner_test {
namespace {

using testing::message_of;

/// Sums of a few float32 products of up to 10.
constexpr double kTolerance = 1e-4;

/// Mirrors and moves rows of three pixels, black outside.
class Moving final : public data::RowFiller {
 public:
  void fill(const data::ExampleField& /*field*/, std::span<const std::byte> stored,
            const data::RowView& view, std::span<std::byte> /*scratch*/,
            std::span<std::byte> out) const override {
    EXPECT_FALSE(view.is_training);
    auto* y = reinterpret_cast<float*>(out.data());
    for (int64_t i = 0; i < 6; ++i) {
      const int64_t row = i / 3, x = view.is_mirrored ? 2 - i % 3 : i % 3;
      const int64_t from = x + view.shift_x;
      const bool is_inside = from >= 0 && from < 3;
      const auto at = static_cast<size_t>(3 * row + from);
      y[i] = is_inside ? static_cast<float>(std::to_integer<int>(stored[at])) : 0.0F;
    }
  }
};

class ExampleRunnerTest : public ::testing::Test {
 protected:
  ExampleRunnerTest() {
    models::LayerConfig flatten, dense;
    flatten.type = models::LayerType::kFlatten;
    dense.units = 2;
    network_.emplace(std::vector<models::LayerConfig>{flatten, dense},
                     std::vector<models::Value>{{"photo", {2, 3, 1}, DType::kF32, 0, -1}});
    store_.emplace(engine_, *network_);
    for (const nn::NamedParameter& p : nn::parameters(*network_)) {
      for (int64_t i = 0; i < p.parameter->value.shape().size(); ++i) {
        weights_.push_back(0.01F * static_cast<float>(i) - 0.02F);
        p.parameter->value.data<float>()[i] = weights_.back();
      }
    }
  }
  [[nodiscard]] std::vector<float> answers(const ExampleRunnerOptions& options,
                                           const std::vector<std::vector<std::byte>>& records) {
    ExampleRunner runner(engine_, *network_, layout_, filler_, options, "here");
    const auto count = static_cast<int64_t>(records.size());
    const std::span<const float> y = runner.run(
        count,
        [&](int64_t i) -> std::span<const std::byte> { return records[static_cast<size_t>(i)]; });
    return {y.begin(), y.end()};
  }
  /// The last layer for pixels, in double.
  [[nodiscard]] std::array<double, 2> by_hand(const std::array<double, 6>& pixels) const {
    std::array<double, 2> y{};
    for (size_t unit = 0; unit < 2; ++unit) {
      y.at(unit) = double{weights_[12 + unit]};
      for (size_t i = 0; i < 6; ++i) y.at(unit) += pixels.at(i) * double{weights_[6 * unit + i]};
    }
    return y;
  }

  Team team_{2};
  Engine engine_{team_};
  std::optional<models::Network> network_;
  std::optional<nn::ParameterStore> store_;
  std::vector<float> weights_;
  const data::ExampleLayout layout_{{{"photo", DType::kU8, {2, 3, 1}, 0}}};
  const Moving filler_;
  const std::vector<std::byte> record_{std::byte{10}, std::byte{20}, std::byte{30}, std::byte{40},
                                       std::byte{50}, std::byte{60}, std::byte{0},  std::byte{0}};
};

TEST_F(ExampleRunnerTest, AnswersAreThoseOfTheNetwork) {
  ExampleRunnerOptions options;
  options.batch = 3;
  const std::vector<float> two = answers(options, {record_, record_});
  const std::array<double, 2> truth = by_hand({10, 20, 30, 40, 50, 60});
  ASSERT_EQ(two.size(), 4U);
  EXPECT_NEAR(two[0], truth[0], kTolerance);
  EXPECT_NEAR(two[3], truth[1], kTolerance);
  options.batch = 1;
  const std::vector<float> one = answers(options, {record_});
  EXPECT_EQ(one, (std::vector<float>{two[0], two[1]})) << "whatever the batch";
}

TEST_F(ExampleRunnerTest, VersionsAreAveragedBeforeTheLink) {
  const auto mean_of = [&](const std::vector<std::pair<double, std::array<double, 6>>>& views) {
    std::array<double, 2> mean{};
    for (const auto& [weight, pixels] : views) {
      for (size_t unit = 0; unit < 2; ++unit) mean.at(unit) += weight * by_hand(pixels).at(unit);
    }
    return mean;
  };
  const std::array<double, 6> plain{10, 20, 30, 40, 50, 60}, mirrored{30, 20, 10, 60, 50, 40};
  ExampleRunnerOptions options;
  options.batch = 2;
  options.tta = Tta::kFlip;
  const std::array<double, 2> flip = mean_of({{0.5, plain}, {0.5, mirrored}});
  EXPECT_NEAR(answers(options, {record_})[0], flip[0], kTolerance);
  EXPECT_NEAR(answers(options, {record_, record_})[3], flip[1], kTolerance);
  options.link = models::Link::kSoftmax;
  const double first = std::exp(flip[0]) / (std::exp(flip[0]) + std::exp(flip[1]));
  EXPECT_NEAR(answers(options, {record_})[0], first, kTolerance);
  options.tta = Tta::kFlipTranslate;
  options.link = models::Link::kNone;
  // Mirrored first, then moved: what Moving does with (2 - x) + shift.
  const std::array<double, 2> moved = mean_of({{0.25, plain},
                                               {0.25, mirrored},
                                               {0.125, {0, 10, 20, 0, 40, 50}},
                                               {0.125, {20, 10, 0, 50, 40, 0}},
                                               {0.125, {20, 30, 0, 50, 60, 0}},
                                               {0.125, {0, 30, 20, 0, 60, 50}}});
  EXPECT_NEAR(answers(options, {record_})[0], moved[0], kTolerance);
  EXPECT_NEAR(answers(options, {record_})[1], moved[1], kTolerance);
}

TEST_F(ExampleRunnerTest, WhatDoesNotFitIsNamed) {
  const auto refusal = [&](const std::vector<data::ExampleField>& fields, Tta tta = Tta::kNone) {
    ExampleRunnerOptions options;
    options.tta = tta;
    return message_of([&] {
      const data::ExampleLayout layout(fields);
      const ExampleRunner runner(engine_, *network_, layout, filler_, options, "here");
    });
  };
  EXPECT_EQ(refusal({{"other", DType::kU8, {2, 3, 1}, 0}}), "here: the examples hold no \"photo\"");
  EXPECT_EQ(refusal({{"photo", DType::kU8, {3, 2, 1}, 0}}),
            "here: \"photo\" is uint8 [3, 2, 1], the network takes float32 [2, 3, 1]");
  EXPECT_EQ(refusal({{"photo", DType::kI32, {2, 3, 1}, 0}}),
            "here: \"photo\" is int32 [2, 3, 1], the network takes float32 [2, 3, 1]");
  EXPECT_EQ(refusal({{"photo", DType::kF32, {2, 3, 1}, 0}}, Tta::kFlip),
            "here: predict.tta=flip is for pictures, and the network takes none; set "
            "predict.tta=none");
}

}  // namespace
}  // namespace ingot::train::example_runner_test
