// SPDX-License-Identifier: Apache-2.0
#include "train/lm_task.h"

#include <algorithm>
#include <cmath>

namespace ingot::train {

LmTask::LmTask(Engine& engine, const TrainConfig& config, const data::PackConfig& pack,
               LanguageModel model, const data::ShardReader& train,
               const data::ShardReader* validation)
    : engine_(engine),
      config_(config),
      pack_(pack),
      model_(std::move(model)),
      train_shard_(train),
      validation_(validation),
      eval_count_(Tensor::zeros(engine, {}, DType::kI64)) {
  for (int64_t slot = 0; slot < config.accumulate; ++slot) train_.push_back(make_buffers());
  eval_ = make_buffers();
}

LmTask::Buffers LmTask::make_buffers() const {
  const Shape shape{config_.micro_batch, config_.seq};
  return {Tensor::zeros(engine_, shape, DType::kI32), Tensor::zeros(engine_, shape, DType::kI32),
          pack_.isolate_documents ? Tensor::zeros(engine_, shape, DType::kI32) : Tensor(),
          pack_.restart_positions ? Tensor::zeros(engine_, shape, DType::kI32) : Tensor()};
}

const data::Loader& LmTask::loader() const {
  if (!loader_) {
    loader_.emplace(train_shard_, config_.micro_batch, config_.seq, engine_.seed(), pack_);
  }
  return *loader_;
}

data::BatchView LmTask::view(const Buffers& b) const {
  const auto span = [](const Tensor& t) {
    if (!t.defined()) return std::span<int32_t>();
    ++t.storage().version;  // the caller writes to it
    return std::span<int32_t>(t.data<int32_t>(), static_cast<size_t>(t.size()));
  };
  return {span(b.ids), span(b.targets), span(b.doc_start), span(b.positions)};
}

int64_t LmTask::load(int64_t index, int64_t slot) {
  return loader().batch(index, view(train_[static_cast<size_t>(slot)]));
}

Tensor LmTask::loss_of(const Buffers& b, const Tensor& count, bool is_training) {
  nn::SequenceContext context;
  context.doc_start = b.doc_start;
  context.positions = b.positions;
  context.is_training = is_training;
  return model_.loss(b.ids, b.targets, count, context);
}

Tensor LmTask::loss(int64_t slot, const Tensor& count) {
  return loss_of(train_[static_cast<size_t>(slot)], count, true);
}

Evaluation LmTask::evaluate() {
  if (!has_validation()) return {};
  return evaluate_shard(*validation_, 0, config_.eval_batches);
}

Evaluation LmTask::evaluate_shard(const data::ShardReader& shard, int64_t context, int64_t batches,
                                  const StopFlag* stop, Progress* progress) {
  const data::EvalWindows windows(shard, config_.micro_batch, config_.seq, context, pack_);
  const int64_t all = windows.batches();
  const int64_t count = batches > 0 ? std::min(batches, all) : all;
  const Recording off(engine_, nullptr);
  const auto forward = [&] { eval_loss_ = loss_of(eval_, eval_count_, false); };
  if (config_.replay && !eval_plan_) eval_plan_.emplace(engine_, forward);
  double nats = 0.0;
  int64_t tokens = 0;
  ProgressState state;
  state.total = count;
  for (int64_t i = 0; i < count; ++i) {
    throw_if_stopped(stop);
    const int64_t n = windows.batch(i, view(eval_));
    *eval_count_.data<int64_t>() = n;
    if (eval_plan_) {
      eval_plan_->run();
    } else {
      forward();
    }
    nats += static_cast<double>(*eval_loss_.data<float>()) * static_cast<double>(n);
    tokens += n;
    state.step = i + 1;
    state.loss = nats / static_cast<double>(std::max<int64_t>(tokens, 1));
    if (progress != nullptr) progress->update(state);
  }
  if (progress != nullptr) progress->finish(state);
  Evaluation e;
  e.loss = tokens > 0 ? nats / static_cast<double>(tokens) : 0.0;
  e.metrics["perplexity"] = std::exp(e.loss);
  if (count == all) {
    e.metrics["bits_per_byte"] = data::bits_per_byte(nats, windows.text_bytes());
    e.metrics["tokens"] = static_cast<double>(tokens);
  }
  return e;
}

}  // namespace ingot::train
