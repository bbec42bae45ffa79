// SPDX-License-Identifier: Apache-2.0
// Whole steps of the engine: ten AdamW losses against PyTorch (golden files of
// scripts/golden/models_golden.py), and micro-batches against one batch, eager and replayed.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/hugging_face.h"
#include "models/model_testing.h"
#include "train/step.h"

namespace ingot::testing::model_golden_test {
namespace {

using models::Transformer;

/// The loss of a model on fixed rows, cut into micro-batches of equal size.
class FixedRows : public train::Task {
 public:
  FixedRows(Engine& engine, Transformer& model, const Tensor& ids, const Tensor& targets,
            int64_t micro_batch)
      : model_(model) {
    const int64_t rows = ids.dim(0), seq = ids.dim(1);
    for (int64_t at = 0; at < rows; at += micro_batch) {
      const auto part = [&](const Tensor& t) {
        const auto v = t.to_vector<int32_t>();
        return Tensor::from<int32_t>(engine, std::span(v).subspan(at * seq, micro_batch * seq),
                                     {micro_batch, seq});
      };
      ids_.push_back(part(ids));
      targets_.push_back(part(targets));
    }
  }
  nn::Module& module() override { return model_; }
  int64_t load(int64_t /*index*/, int64_t slot) override {
    int64_t count = 0;
    for (const int32_t t : targets_[static_cast<size_t>(slot)].to_vector<int32_t>()) {
      count += t != models::kIgnoredTarget ? 1 : 0;
    }
    return count;
  }
  Tensor loss(int64_t slot, const Tensor& count) override {
    const auto s = static_cast<size_t>(slot);
    return model_.loss(ids_[s], targets_[s], count);
  }
  train::Evaluation evaluate() override { return {}; }
  [[nodiscard]] int64_t items() const override { return ids_[0].size(); }
  [[nodiscard]] int64_t items_per_epoch() const override { return items(); }

 private:
  Transformer& model_;
  std::vector<Tensor> ids_, targets_;
};

train::TrainConfig config_of(int64_t accumulate, bool replay) {
  train::TrainConfig c;
  c.accumulate = accumulate;
  c.replay = replay;
  c.clip_norm = 0.0F;
  c.optimizer.weight_decay = 0.01F;
  return c;
}

// Losses near 5 in float32 on both sides, after up to nine updates of 1e-3 per weight.
constexpr double kLoss = 1e-5;

TEST(ModelGolden, TenAdamWLossesEqualThoseOfPyTorch) {
  Team team(2);
  for (const char* name : {"gpt2", "llama", "llama_tied"}) {
    const Golden golden(name);
    const std::vector<float> want = golden.values<float>("losses");
    ASSERT_EQ(want.size(), 10U);
    std::vector<float> eager;
    for (const bool replay : {false, true}) {
      SCOPED_TRACE(std::string(name) + (replay ? " replayed" : " eager"));
      Engine engine(team);
      const std::string path = golden_path(name, "config.json");
      Transformer model(engine, models::parse_config_json(read_file(path), path));
      FixedRows task(engine, model, golden.tensor(engine, "ids"), golden.tensor(engine, "targets"),
                     2);
      train::Step step(engine, config_of(1, replay), task);
      models::load_weights(model, golden_path(name, "model.safetensors"));
      std::vector<float> got;
      for (int64_t i = 0; i < 10; ++i) got.push_back(step.run(i, 1e-3).loss);
      for (size_t i = 0; i < 10; ++i) {
        EXPECT_NEAR(got[i], want[i], kLoss * static_cast<double>(want[i])) << "step " << i + 1;
      }
      if (!replay) eager = got;
      EXPECT_EQ(got, eager) << "replay has the eager bytes";
    }
  }
}

struct Outcome {
  std::vector<float> losses, weights, logits;
};

Outcome train(models::ModelLayout layout, bool tied, int64_t micro_batch, bool replay) {
  Team team(2);
  Engine engine(team);
  Transformer model(engine, small_config(layout, tied, 24));
  std::vector<int32_t> targets = random_ids(8 * 21, 2);
  for (size_t i = 0; i < targets.size(); i += 5) targets[i] = -1;
  std::fill(targets.begin() + 21, targets.begin() + 40, -1);  // micro-batches of unequal counts
  FixedRows task(engine, model, Tensor::from<int32_t>(engine, random_ids(8 * 21, 1), {8, 21}),
                 Tensor::from<int32_t>(engine, targets, {8, 21}), micro_batch);
  train::TrainConfig config = config_of(8 / micro_batch, replay);
  config.optimizer.name =
      optim::OptimizerKind::kSgd;  // Adam would magnify rounding of tiny gradients
  config.optimizer.momentum = 0.9F;
  train::Step step(engine, config, task);
  Outcome o;
  for (int64_t i = 0; i < 5; ++i) o.losses.push_back(step.run(i, 0.05).loss);
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    const auto v = p.parameter->value.to_vector<float>();
    o.weights.insert(o.weights.end(), v.begin(), v.end());
  }
  const Tensor prompt = Tensor::from<int32_t>(engine, random_ids(21, 1), {1, 21});
  o.logits = model.logits(model.forward(prompt)).to_vector<float>();
  return o;
}

std::vector<int64_t> greedy(const std::vector<float>& logits) {
  std::vector<int64_t> ids;
  for (auto row = logits.begin(); row != logits.end(); row += 97) {
    ids.push_back(std::max_element(row, row + 97) - row);
  }
  return ids;
}

TEST(ModelGolden, FourMicroBatchesOfTwoEqualOneBatchOfEight) {
  for (const bool tied : {false, true}) {
    for (const auto layout : {models::ModelLayout::kGpt2, models::ModelLayout::kLlama}) {
      const Outcome one = train(layout, tied, 8, true), four = train(layout, tied, 2, true);
      for (size_t i = 0; i < one.losses.size(); ++i) {
        EXPECT_NEAR(one.losses[i], four.losses[i], kLoss * static_cast<double>(one.losses[i]));
      }
      expect_near_max(four.weights, one.weights, 1e-5);
      EXPECT_EQ(greedy(four.logits), greedy(one.logits));
      const Outcome eager = train(layout, tied, 2, false);
      EXPECT_EQ(eager.weights, four.weights) << "replay has the eager bytes";
      EXPECT_LT(one.losses.back(), one.losses.front());
    }
  }
}

TEST(ModelGolden, AForecastIsWhatTheRecordedStepTakes) {
  Team team(2);
  Engine engine(team);
  Transformer model(engine, small_config(models::ModelLayout::kLlama, true, 24));
  const Tensor ids = Tensor::from<int32_t>(engine, random_ids(4 * 20, 1), {4, 20});
  FixedRows task(engine, model, ids, ids, 2);
  train::Step step(engine, config_of(2, true), task);
  const Forecast forecast = step.forecast();
  (void)step.run(0, 1e-3);
  ASSERT_NE(step.plan(), nullptr);
  EXPECT_EQ(forecast.slab_bytes, step.plan()->slab_bytes());
  EXPECT_EQ(forecast.flops, step.plan()->flops());
  EXPECT_EQ(forecast.calls, step.plan()->calls());
  const int64_t calls = engine.allocator().calls(), records = engine.counters.tape_records,
                conversions = engine.counters.conversions;
  step.plan()->run(0);
  step.plan()->run(1);
  EXPECT_EQ(engine.allocator().calls(), calls) << "no allocation while training";
  EXPECT_EQ(engine.counters.tape_records, records);
  EXPECT_EQ(engine.counters.conversions, conversions);
}

}  // namespace
}  // namespace ingot::testing::model_golden_test
