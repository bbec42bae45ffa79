// SPDX-License-Identifier: Apache-2.0
// Permutation importance: of y = 3 a exchanged, the loss grows by what theory says; b, which the
// model does not look at, leaves it as it is.
#include "train/importance.h"

#include <cstring>

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "base/philox.h"
#include "data/table_examples.h"
#include "tensor/runtime.h"

namespace ingot::train::importance_test {
namespace {

constexpr double kSampling = 0.1;  // relative, of 2,000 draws of a variance

TEST(Importance, IsTheLossThatExchangedValuesCost) {
  constexpr int64_t kRows = 2000;
  Runtime runtime({2, 1, 0});
  models::LayerConfig dense;
  dense.units = 1;
  models::Network network({dense}, {{"table", {2}, DType::kF32, 0, -1}});
  const nn::ParameterStore store(runtime.engine, network);
  for (const nn::StoredParameter& p : store.list()) {
    float* w = p.parameter->value.data<float>();
    std::fill(w, w + p.parameter->shape.size(), 0.0F);
    if (p.parameter->shape.rank() == 2) w[0] = 3.0F;  // y = 3 a
  }
  const data::ExampleLayout layout(
      {{"table", DType::kF32, {2}, 0}, {std::string(data::kTargetField), DType::kF32, {1}, 0}});
  Philox random(5);
  std::vector<std::byte> records(static_cast<size_t>(kRows * layout.record_bytes()));
  for (int64_t i = 0; i < kRows; ++i) {
    const float a = static_cast<float>(random.bounded(1000)) / 1000.0F;
    const float row[3] = {a, static_cast<float>(random.bounded(1000)), 3.0F * a};
    std::memcpy(records.data() + i * layout.record_bytes(), row, sizeof(row));
  }
  const data::ExampleReader examples("rows", layout, std::move(records));
  const Objective objective = make_objective({}, 0, network.output());
  const data::RowFiller plain;
  ExampleRunner runner(runtime.engine, network, layout, plain,
                       {objective.link, 64, Tta::kNone, true}, "rows");
  const std::vector<InputSlice> slices = {{"a", "table", 0, 1}, {"b", "table", 1, 1}};
  const Importance found = permutation_importance(runner, objective, examples, slices, {kRows, 3});
  EXPECT_EQ(found.rows, kRows);
  EXPECT_NEAR(found.loss, 0.0, 1e-9);
  // E(3a − 3a')² = 2·9·Var(a), and Var of the uniform is 1/12.
  EXPECT_NEAR(found.increases[0], 1.5, 1.5 * kSampling);
  EXPECT_NEAR(found.increases[1], 0.0, 1e-9);
  const Importance fewer = permutation_importance(runner, objective, examples, slices, {100, 3});
  EXPECT_EQ(fewer.rows, 100);
  ImportanceOptions small;
  small.max_bytes = 50 * layout.record_bytes();
  EXPECT_EQ(permutation_importance(runner, objective, examples, slices, small).rows, 50);
  small.max_bytes = 1;
  EXPECT_EQ(permutation_importance(runner, objective, examples, slices, small).rows, 2);
  StopFlag stop;
  stop.request();
  small.stop = &stop;
  EXPECT_EQ(testing::code_of(
                [&] { (void)permutation_importance(runner, objective, examples, slices, small); }),
            "cancelled");
}

}  // namespace
}  // namespace ingot::train::importance_test
