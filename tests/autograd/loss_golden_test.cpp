// SPDX-License-Identifier: Apache-2.0
// Losses and gradients against PyTorch's in float64 (scripts/golden/loss_golden.py), and what
// `count` and weights of 0 are for: micro-batches and padding that change nothing.
#include <functional>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "autograd/ops.h"
#include "autograd/tape.h"
#include "base/files.h"
#include "base/json.h"
#include "source_dir.h"

namespace ingot::testing::loss_golden_test {
namespace {

// float32 against float64: a few roundings of values around 1.
constexpr double kTolerance = 2e-6;

struct Inputs {
  Tensor targets, target, weights, class_weights, pos_weight, rows;
};
using Loss = std::function<Tensor(const Tensor&, const Inputs&)>;

const std::map<std::string, Loss>& losses() {
  namespace o = ops;
  using I = Inputs;
  using T = Tensor;
  static const std::map<std::string, Loss> all = {
      {"cross_entropy weights",
       [](const T& x, const I& i) {
         return o::cross_entropy(x, i.targets, {.class_weights = i.class_weights});
       }},
      {"cross_entropy weights smoothing",
       [](const T& x, const I& i) {
         return o::cross_entropy(x, i.targets,
                                 {.label_smoothing = 0.125F, .class_weights = i.class_weights});
       }},
      {"cross_entropy row weights",
       [](const T& x, const I& i) {
         return o::cross_entropy(x, i.targets, {.weights = i.weights});
       }},
      {"focal",
       [](const T& x, const I& i) {
         return o::focal(x, i.targets, {.class_weights = i.class_weights});
       }},
      {"multi_margin 1",
       [](const T& x, const I& i) {
         return o::multi_margin(x, i.targets, {.margin = 0.5F, .class_weights = i.class_weights});
       }},
      {"multi_margin 2",
       [](const T& x, const I& i) {
         return o::multi_margin(x, i.targets, {.margin = 0.5F, .power = 2});
       }},
      {"mse", [](const T& x, const I& i) { return o::mse(x, i.target); }},
      {"mae", [](const T& x, const I& i) { return o::mae(x, i.target); }},
      {"huber", [](const T& x, const I& i) { return o::huber(x, i.target, 0.75F); }},
      {"bce", [](const T& x, const I& i) { return o::bce_with_logits(x, i.target); }},
      {"bce pos_weight",
       [](const T& x, const I& i) {
         return o::bce_with_logits(x, i.target, {.pos_weight = i.pos_weight});
       }},
      {"bce weights count",
       [](const T& x, const I& i) {
         return o::bce_with_logits(x, i.target, {.weights = i.weights, .count = i.rows});
       }},
      {"binary_focal", [](const T& x, const I& i) { return o::binary_focal(x, i.target); }},
      {"kl_divergence", [](const T& x, const I& i) { return o::kl_divergence(x, i.target); }},
      {"hinge", [](const T& x, const I& i) { return o::hinge(x, i.target); }},
  };
  return all;
}

class LossGolden : public ::testing::Test {
 protected:
  Tensor floats(const Json& c, const char* key, const Shape& shape) {
    if (!c.contains(key)) return {};
    return Tensor::from<float>(engine_, c.at(key).get<std::vector<float>>(), shape);
  }
  /// The loss on its own step; its gradient by x in `grad`.
  double run(const Tensor& leaf, const std::function<Tensor(const Tensor&)>& loss) {
    Tape tape(engine_);
    tape.begin_step();
    Tensor x = leaf.detach();
    tape.watch(x);
    const Recording on(engine_, &tape);
    const Tensor y = loss(x);
    tape.backward(y);
    grad = tape.grad(x).to_vector<float>();
    return static_cast<double>(y.item());
  }

  Team team_{2};
  Engine engine_{team_};
  std::vector<float> grad;
};

TEST_F(LossGolden, ValuesAndGradientsEqualPyTorch) {
  const std::string path = std::string(INGOT_SOURCE_DIR) + "/tests/golden/autograd/losses.json";
  const Json golden = parse_json(read_file(path), path);
  ASSERT_EQ(golden.at("cases").size(), losses().size());
  for (const auto& [name, c] : golden.at("cases").items()) {
    SCOPED_TRACE(name);
    const auto dims = c.at("shape").get<std::vector<int64_t>>();
    const Shape shape = {dims[0], dims[1]};
    Inputs in;
    if (c.contains("targets")) {
      in.targets =
          Tensor::from<int64_t>(engine_, c.at("targets").get<std::vector<int64_t>>(), {dims[0]});
    }
    in.target = floats(c, "target", shape);
    in.weights = floats(c, "weights", {dims[0]});
    in.class_weights = floats(c, "class_weights", {dims[1]});
    in.pos_weight = floats(c, "pos_weight", {dims[1]});
    in.rows = Tensor::from<int64_t>(engine_, std::vector<int64_t>{dims[0]}, {});
    const Loss& loss = losses().at(name);
    const double got = run(floats(c, "x", shape), [&](const Tensor& x) { return loss(x, in); });
    EXPECT_NEAR(got, c.at("loss").get<double>(), kTolerance);
    const auto want = c.at("grad").get<std::vector<double>>();
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(grad[i], want[i], kTolerance) << i;
  }
}

/// Two micro-batches of 3 and 5 rows (the second padded by rows of weight 0 with NaN) against one
/// batch of 8, each loss with the count of the step.
TEST_F(LossGolden, AccumulatedMicroBatchesAndPaddedOnesEqualOneBatch) {
  std::vector<float> x(8 * 4), t(8 * 4);
  std::vector<int32_t> ids(8);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sin(static_cast<float>(i));
    t[i] = 0.5F + 0.5F * std::cos(static_cast<float>(3 * i));
  }
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 7 % 4);
  struct Batch {
    Tensor x, t, ids, weights;
  };
  const auto rows = [&](size_t begin, size_t end, size_t padding) {
    std::vector<float> bx(x.begin() + static_cast<long>(4 * begin),
                          x.begin() + static_cast<long>(4 * end));
    std::vector<float> bt(t.begin() + static_cast<long>(4 * begin),
                          t.begin() + static_cast<long>(4 * end));
    std::vector<int32_t> bi(ids.begin() + static_cast<long>(begin),
                            ids.begin() + static_cast<long>(end));
    std::vector<float> w(end - begin, 1.0F);
    bx.resize(bx.size() + 4 * padding, NAN);
    bt.resize(bt.size() + 4 * padding, NAN);
    bi.resize(bi.size() + padding, 0);
    w.resize(w.size() + padding, 0.0F);
    const auto n = static_cast<int64_t>(w.size());
    return Batch{Tensor::from<float>(engine_, bx, {n, 4}), Tensor::from<float>(engine_, bt, {n, 4}),
                 Tensor::from<int32_t>(engine_, bi, {n}), Tensor::from<float>(engine_, w, {n})};
  };
  const Tensor count = Tensor::from<int64_t>(engine_, std::vector<int64_t>{8}, {});
  const Tensor float_count = Tensor::full(engine_, {}, 8.0F);
  using Run = std::function<Tensor(const Tensor&, const Batch&, const Tensor&)>;
  const std::map<std::string, Run> all = {
      {"cross_entropy",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::cross_entropy(v, b.ids, {.count = n, .weights = b.weights});
       }},
      {"focal",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::focal(v, b.ids, {.count = n, .weights = b.weights});
       }},
      {"multi_margin",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::multi_margin(v, b.ids, {.count = n, .weights = b.weights});
       }},
      {"mse",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::mse(v, b.t, {b.weights, n});
       }},
      {"huber",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::huber(v, b.t, 0.5F, {b.weights, n});
       }},
      {"bce_with_logits",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::bce_with_logits(v, b.t, {b.weights, n, {}});
       }},
      {"kl_divergence",
       [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::kl_divergence(v, b.t, {b.weights, n});
       }},
      {"hinge", [](const Tensor& v, const Batch& b, const Tensor& n) {
         return ops::hinge(v, b.t, {.weights = b.weights, .count = n});
       }}};
  for (const auto& entry : all) {
    const Run& loss = entry.second;
    for (const Tensor& n : {count, float_count}) {
      SCOPED_TRACE(entry.first);
      const Batch whole = rows(0, 8, 0), first = rows(0, 3, 0), second = rows(3, 8, 2);
      const double all_rows = run(whole.x, [&](const Tensor& v) { return loss(v, whole, n); });
      const std::vector<float> want = grad;
      double sum = run(first.x, [&](const Tensor& v) { return loss(v, first, n); });
      std::vector<float> got = grad;
      sum += run(second.x, [&](const Tensor& v) { return loss(v, second, n); });
      EXPECT_NEAR(sum, all_rows, 1e-6 * std::abs(all_rows));
      for (size_t i = 20; i < grad.size(); ++i) EXPECT_EQ(grad[i], 0.0F) << "padding " << i;
      got.insert(got.end(), grad.begin(), grad.begin() + 20);
      EXPECT_EQ(got, want) << "a row's gradient does not depend on its batch";
    }
  }
}

}  // namespace
}  // namespace ingot::testing::loss_golden_test
