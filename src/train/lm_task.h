// SPDX-License-Identifier: Apache-2.0
// Next-token prediction on token shards: batches, loss and validation for a causal language model
// that is given as a module and two functions. Knows no architecture.
#pragma once

#include <functional>
#include <optional>

#include "base/progress.h"
#include "base/signals.h"
#include "data/loader.h"
#include "nn/attention.h"
#include "tensor/plan.h"
#include "train/config.h"
#include "train/task.h"

namespace ingot::train {

struct LanguageModel {
  nn::Module& module;
  /// ids, targets [batch, seq], count int64 [] → mean loss; targets of -1 are ignored.
  std::function<Tensor(const Tensor& ids, const Tensor& targets, const Tensor& count,
                       const nn::SequenceContext& context)>
      loss;
  std::function<Sample()> sample = [] { return Sample(); };
};

class LmTask : public Task {
 public:
  /// Shards must outlive the task. A training shard that is smaller than a batch is refused when it
  /// is first asked for batches or its size; a task that only evaluates takes any. validation may
  /// be null or empty: then evaluate() gives a loss of 0.
  LmTask(Engine& engine, const TrainConfig& config, const data::PackConfig& pack,
         LanguageModel model, const data::ShardReader& train, const data::ShardReader* validation);

  [[nodiscard]] nn::Module& module() override { return model_.module; }
  int64_t load(int64_t index, int64_t slot) override;
  [[nodiscard]] Tensor loss(int64_t slot, const Tensor& count) override;
  [[nodiscard]] bool has_validation() const override {
    return validation_ != nullptr && validation_->tokens() > 0;
  }
  [[nodiscard]] Evaluation evaluate() override;
  [[nodiscard]] Sample sample() override { return model_.sample(); }
  [[nodiscard]] int64_t items() const override { return config_.micro_batch * config_.seq; }
  [[nodiscard]] int64_t items_per_epoch() const override {
    return loader().windows_per_epoch() * config_.seq;
  }

  /// Mean loss and bits per byte over a whole shard, each window seeing up to `context` tokens of
  /// the one before; batches 0: all. `progress`, where given, is kept up to date and finished.
  /// Throws kCancelled (between batches).
  [[nodiscard]] Evaluation evaluate_shard(const data::ShardReader& shard, int64_t context,
                                          int64_t batches, const StopFlag* stop = nullptr,
                                          Progress* progress = nullptr);

 private:
  struct Buffers {
    Tensor ids, targets, doc_start, positions;
  };
  [[nodiscard]] Buffers make_buffers() const;
  [[nodiscard]] const data::Loader& loader() const;
  [[nodiscard]] data::BatchView view(const Buffers& b) const;
  [[nodiscard]] Tensor loss_of(const Buffers& b, const Tensor& count, bool is_training);

  Engine& engine_;
  TrainConfig config_;
  data::PackConfig pack_;
  LanguageModel model_;
  const data::ShardReader& train_shard_;
  mutable std::optional<data::Loader> loader_;
  const data::ShardReader* validation_;
  std::vector<Buffers> train_;
  Buffers eval_;
  Tensor eval_count_, eval_loss_;
  std::optional<Plan> eval_plan_;
};

}  // namespace ingot::train
