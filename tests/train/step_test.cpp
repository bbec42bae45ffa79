// SPDX-License-Identifier: Apache-2.0
// One optimiser step: accumulated micro-batches equal the big batch, replay equals eager, clipping
// bounds the update, and a gradient that is not finite is named and never reaches the weights.
#include "train/step.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "train/tiny_run.h"

namespace ingot::train::step_test {
namespace {

using testing::code_of;
using testing::message_of;
using testing::tiny_config;
using testing::tiny_model;
using testing::TinyData;
using testing::TinyStep;

/// Sums in another order: accumulated against big batch, relative to the largest number.
constexpr double kReordered = 1e-5;

class StepTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { data_ = new TinyData; }
  static void TearDownTestSuite() { delete data_; }

  static models::TransformerConfig plain_model() {
    models::TransformerConfig m = tiny_model();
    m.dropout = 0.0F;
    return m;
  }
  static TrainConfig sgd(double clip_norm) {
    TrainConfig c = tiny_config();
    c.optimizer = {};
    c.optimizer.name = optim::OptimizerKind::kSgd;
    c.optimizer.weight_decay = 0.0F;
    c.clip_norm = static_cast<float>(clip_norm);
    return c;
  }
  static TinyData* data_;
};
TinyData* StepTest::data_ = nullptr;

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0.0, scale = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    scale = std::max(scale, std::abs(static_cast<double>(a[i])));
  }
  return most / scale;
}

double norm_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return std::sqrt(sum);
}

TEST_F(StepTest, AccumulatedMicroBatchesEqualTheBigBatch) {
  const auto run = [](int64_t micro_batch, int64_t accumulate) {
    TrainConfig c = sgd(0.0);
    c.micro_batch = micro_batch;
    c.accumulate = accumulate;
    TinyStep t(*data_, c, plain_model());
    StepResult result;
    for (int64_t step = 0; step < 3; ++step) result = t.step.run(step, 0.5);
    return std::pair(t.weights(), result);
  };
  const auto [big, big_result] = run(4, 1);
  for (const auto& [micro_batch, accumulate] : {std::pair<int64_t, int64_t>{2, 2}, {1, 4}}) {
    const auto [weights, result] = run(micro_batch, accumulate);
    EXPECT_LT(largest_difference(big, weights), kReordered) << micro_batch;
    EXPECT_NEAR(result.loss, big_result.loss, kReordered * big_result.loss);
    EXPECT_NEAR(result.grad_norm, big_result.grad_norm, 10 * kReordered * big_result.grad_norm);
  }
}

TEST_F(StepTest, ReplayEqualsEagerBitForBit) {
  for (const bool tied : {true, false}) {  // false: a row-sparse embedding gradient
    models::TransformerConfig model = tiny_model();
    model.tie_embeddings = tied;
    const auto run = [&](bool replay) {
      TrainConfig c = tiny_config();
      c.replay = replay;
      TinyStep t(*data_, c, model);
      std::vector<float> all;
      for (int64_t step = 0; step < 3; ++step) {
        const StepResult r = t.step.run(step, 0.01);
        all.push_back(r.loss);
        all.push_back(r.grad_norm);
      }
      const std::vector<float> weights = t.weights();
      all.insert(all.end(), weights.begin(), weights.end());
      EXPECT_EQ(t.step.plan() != nullptr, replay);
      return all;
    };
    EXPECT_EQ(run(true), run(false)) << "tied " << tied;
  }
}

TEST_F(StepTest, ClippingBoundsTheUpdate) {
  for (const bool tied : {true, false}) {
    models::TransformerConfig model = plain_model();
    model.tie_embeddings = tied;
    TinyStep free(*data_, sgd(0.0), model);
    const std::vector<float> before = free.weights();
    const StepResult unclipped = free.step.run(0, 1.0);
    const double whole = norm_of_difference(free.weights(), before);
    EXPECT_NEAR(whole, unclipped.grad_norm, 1e-4 * whole) << "tied " << tied;  // w − 1·g rounds
    const double bound = 0.25 * whole;
    TinyStep clipped(*data_, sgd(bound), model);
    const StepResult result = clipped.step.run(0, 1.0);
    EXPECT_EQ(result.grad_norm, unclipped.grad_norm);  // reported before clipping
    EXPECT_NEAR(norm_of_difference(clipped.weights(), before), bound, 1e-3 * bound);
  }
}

// clip_value cuts every number, then the norm is taken of what is left, and only then cut.
TEST_F(StepTest, ClippingByValueComesBeforeTheNorm) {
  constexpr float kBound = 0.01F;
  for (const bool tied : {true, false}) {  // false: a row-sparse embedding gradient
    for (const bool replay : {true, false}) {
      models::TransformerConfig model = plain_model();
      model.tie_embeddings = tied;
      TrainConfig config = sgd(0.0);
      config.replay = replay;
      TinyStep free(*data_, config, model);
      const std::vector<float> before = free.weights();
      (void)free.step.run(0, 1.0);
      config.clip_value = kBound;
      TinyStep cut(*data_, config, model);
      const StepResult result = cut.step.run(0, 1.0);
      const std::vector<float> whole = free.weights(), after = cut.weights();
      double squares = 0.0;
      int64_t bounded = 0;
      for (size_t i = 0; i < before.size(); ++i) {  // a rate of 1: the update is the gradient
        const float gradient = before[i] - whole[i];
        const float want = std::clamp(gradient, -kBound, kBound);
        ASSERT_NEAR(before[i] - after[i], want, 1e-6) << i;
        squares += static_cast<double>(want) * static_cast<double>(want);
        bounded += std::abs(gradient) > kBound ? 1 : 0;
      }
      EXPECT_GT(bounded, 10) << "the example proves nothing";
      EXPECT_NEAR(result.grad_norm, std::sqrt(squares), 1e-4 * std::sqrt(squares));

      config.clip_norm = 0.5F * result.grad_norm;
      TinyStep both(*data_, config, model);
      EXPECT_EQ(both.step.run(0, 1.0).grad_norm, result.grad_norm);
      EXPECT_NEAR(norm_of_difference(both.weights(), before), config.clip_norm,
                  1e-3 * static_cast<double>(config.clip_norm));
    }
  }
}

// Weights that a step overwrites between a forward and its backward pass would give gradients of
// neither; the pass says so.
TEST_F(StepTest, AStepBetweenForwardAndBackwardIsNoticed) {
  for (const bool replay : {true, false}) {
    TrainConfig config = tiny_config();
    config.replay = replay;
    TinyStep t(*data_, config);
    Tensor weight = t.step.store().list()[0].parameter->value.detach();
    Tape tape(t.engine);
    tape.begin_step();
    tape.watch(weight);
    Tensor loss;
    {
      const Recording on(t.engine, &tape);
      loss = ops::sum(ops::mul(weight, weight));
    }
    (void)t.step.run(0, 0.01);
    EXPECT_EQ(message_of([&] { tape.backward(loss); }),
              "backward: a tensor that mul saved was changed in place since. Change it after "
              "backward");
  }
}

TEST_F(StepTest, MeasuringAnEagerRunRecordsNothing) {
  TrainConfig config = tiny_config();
  config.replay = false;
  TinyStep t(*data_, config);
  EXPECT_GT(t.step.measure_seconds(0.0), 0.0);
  EXPECT_EQ(t.step.plan(), nullptr);
  EXPECT_EQ(t.engine.slab_bytes(), 0);
}

/// Puts `value` into one weight whose name contains `part`.
void poison(Step& step, const std::string& part, float value) {
  for (const nn::StoredParameter& p : step.store().list()) {
    if (p.name.find(part) == std::string::npos) continue;
    p.parameter->value.data<float>()[1] = value;
    return;
  }
  FAIL() << "no parameter is called " << part;
}

TEST_F(StepTest, ANanInALayerIsNamedAndTheWeightsStay) {
  const struct {
    const char* weight;
    const char* where;
  } cases[] = {{"layers.0.mlp.", "layer 0"},
               {"layers.1.self_attn.", "layer 1"},
               {"layers.1.post_attention_layernorm.", "layer 1"},
               {"model.norm.", "the final norm and head"}};
  for (const auto& c : cases) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const bool replay : {true, false}) {
        TrainConfig config = tiny_config();
        config.replay = replay;
        TinyStep t(*data_, config);
        (void)t.step.run(0, 0.01);
        poison(t.step, c.weight, bad);
        const std::vector<float> before = t.weights();
        std::vector<std::vector<float>> states;
        for (const auto& s : t.step.optimizer().state()) {
          states.push_back(s.tensor.to_vector<float>());
        }
        const auto step = [&] { (void)t.step.run(1, 0.01); };
        const std::string message = message_of(step);
        EXPECT_NE(message.find("train: step 1: loss "), std::string::npos) << message;
        EXPECT_NE(message.find(" in " + std::string(c.where)), std::string::npos) << message;
        EXPECT_NE(message.find("The weights are those of before this step. Lower train.lr or "
                               "train.clip_norm"),
                  std::string::npos)
            << message;
        EXPECT_EQ(code_of(step), "numeric");
        const std::vector<float> after = t.weights();
        EXPECT_EQ(std::memcmp(after.data(), before.data(), before.size() * sizeof(float)), 0);
        size_t i = 0;
        for (const auto& s : t.step.optimizer().state()) {
          EXPECT_EQ(s.tensor.to_vector<float>(), states[i++]);
        }
      }
    }
  }
}

TEST_F(StepTest, ANanInTheEmbeddingIsNamed) {
  models::TransformerConfig model = tiny_model();
  model.tie_embeddings = false;
  TinyStep t(*data_, tiny_config(), model);
  (void)t.step.run(0, 0.01);  // leaves the scope of the last op behind
  for (const nn::StoredParameter& p : t.step.store().list()) {
    if (p.name.find("embed_tokens") == std::string::npos) continue;
    std::fill_n(p.parameter->value.data<float>(), p.parameter->value.size(),
                std::numeric_limits<float>::quiet_NaN());
  }
  const std::string message = message_of([&] { (void)t.step.run(1, 0.01); });
  EXPECT_NE(message.find("the result of gather in the embedding is nan at element 0"),
            std::string::npos)
      << message;
}

TEST_F(StepTest, TheOpIsNamed) {
  TinyStep t(*data_, tiny_config());
  poison(t.step, "layers.1.mlp.", std::numeric_limits<float>::quiet_NaN());
  const std::string message = message_of([&] { (void)t.step.run(0, 0.01); });
  EXPECT_NE(message.find("the result of linear in layer 1 is nan at element"), std::string::npos)
      << message;
}

TEST_F(StepTest, ForecastEqualsTheRecordedPlan) {
  TinyStep forecast(*data_, tiny_config());
  const Forecast expected = forecast.step.forecast();
  EXPECT_EQ(forecast.engine.slab_bytes(), 0);  // nothing was touched
  TinyStep real(*data_, tiny_config());
  (void)real.step.run(0, 0.01);
  ASSERT_NE(real.step.plan(), nullptr);
  EXPECT_EQ(real.step.plan()->slab_bytes(), expected.slab_bytes);
  EXPECT_EQ(real.step.plan()->flops(), expected.flops);
  EXPECT_EQ(real.step.plan()->calls(), expected.calls);
  EXPECT_EQ(real.engine.slab_bytes(), expected.slab_bytes);
}

TEST_F(StepTest, ForecastDoesNotDisturbTheRun) {
  TinyStep plain(*data_, tiny_config()), disturbed(*data_, tiny_config());
  (void)disturbed.step.forecast();
  for (int64_t step = 0; step < 2; ++step) {
    EXPECT_EQ(plain.step.run(step, 0.01).loss, disturbed.step.run(step, 0.01).loss);
  }
  EXPECT_EQ(plain.weights(), disturbed.weights());
}

TEST_F(StepTest, MeasuringLeavesWeightsAndOptimiserAsTheyWere) {
  for (const auto kind : {optim::OptimizerKind::kAdamW, optim::OptimizerKind::kSgd}) {
    TrainConfig config = tiny_config();
    config.optimizer.name = kind;
    if (kind == optim::OptimizerKind::kSgd) config.optimizer.momentum = 0.9F;
    TinyStep plain(*data_, config), measured(*data_, config);
    EXPECT_GT(measured.step.measure_seconds(0.0), 0.0);
    EXPECT_EQ(plain.weights(), measured.weights());
    for (int64_t step = 0; step < 2; ++step) {
      EXPECT_EQ(plain.step.run(step, 0.01).loss, measured.step.run(step, 0.01).loss);
    }
    EXPECT_EQ(plain.weights(), measured.weights());
  }
}

TEST_F(StepTest, DropoutDependsOnTheStepAlone) {
  TinyStep a(*data_, tiny_config()), b(*data_, tiny_config());
  const float first = a.step.run(3, 0.0).loss;  // a rate of 0: the weights stay
  const float other = a.step.run(103, 0.0).loss;
  EXPECT_EQ(b.step.run(3, 0.0).loss, first);
  EXPECT_NE(first, other);
}

TEST_F(StepTest, WrongOptimiserOptionsAreRefused) {
  const auto message = [](const auto& change) {
    TrainConfig c = tiny_config();
    change(c.optimizer);
    return message_of([&] { const TinyStep t(*data_, c); });
  };
  EXPECT_EQ(message([](optim::OptimizerConfig& o) { o.momentum = 1.0F; }),
            "train.optimizer.momentum: 1 is not in [0, 1); 0.9 is usual");
  EXPECT_EQ(message([](optim::OptimizerConfig& o) { o.beta2 = 1.0; }),
            "train.optimizer.beta2: 1 is not in [0, 1); 0.999 is usual");
  EXPECT_EQ(message([](optim::OptimizerConfig& o) { o.eps = 0.0; }),
            "train.optimizer.eps: 0 must be positive; 1e-8 is usual");
  EXPECT_EQ(message([](optim::OptimizerConfig& o) { o.weight_decay = -1.0F; }),
            "train.optimizer.weight_decay: -1 is negative; 0.01 is usual");
  EXPECT_EQ(message([](optim::OptimizerConfig& o) {
              o.name = optim::OptimizerKind::kSgd;
              o.nesterov = true;
            }),
            "train.optimizer.nesterov needs momentum; set train.optimizer.momentum=0.9");
}

}  // namespace
}  // namespace ingot::train::step_test
