// SPDX-License-Identifier: Apache-2.0
#include "cost/planner.h"

#include <algorithm>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/checked.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/philox.h"
#include "base/text.h"
#include "train/step.h"

namespace ingot::cost {
namespace {

/// Next-token prediction on random tokens: the shapes and the work of the real task.
class SyntheticTask : public train::Task {
 public:
  SyntheticTask(Engine& engine, const PlanRequest& request)
      : request_(request), model_(engine, request.model) {
    for (int64_t i = 0; i < request.train.accumulate; ++i) slots_.push_back(make(engine));
  }

  nn::Module& module() override { return model_; }
  int64_t items() const override { return request_.train.micro_batch * request_.train.seq; }
  int64_t items_per_epoch() const override { return request_.tokens_per_epoch; }
  train::Evaluation evaluate() override { return {}; }

  int64_t load(int64_t index, int64_t slot) override {
    const Slot& s = slots_[static_cast<size_t>(slot)];
    Philox random(request_.seed, static_cast<uint64_t>(index));
    const auto vocab = static_cast<uint64_t>(request_.model.vocab);
    for (int64_t i = 0; i < s.ids.size(); ++i) {
      s.ids.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(vocab));
      s.targets.data<int32_t>()[i] = static_cast<int32_t>(random.bounded(vocab));
      if (s.positions.defined()) {
        s.positions.data<int32_t>()[i] = static_cast<int32_t>(i % request_.train.seq);
      }
    }
    return s.ids.size();
  }

  Tensor loss(int64_t slot, const Tensor& count) override {
    const Slot& s = slots_[static_cast<size_t>(slot)];
    nn::SequenceContext context;
    context.doc_start = s.doc_start;
    context.positions = s.positions;
    context.is_training = true;
    return model_.loss(s.ids, s.targets, count, context);
  }

 private:
  struct Slot {
    Tensor ids, targets, doc_start, positions;
  };
  Slot make(Engine& engine) const {
    const Shape shape{request_.train.micro_batch, request_.train.seq};
    const auto ints = [&] { return Tensor::zeros(engine, shape, DType::kI32); };
    return {ints(), ints(), request_.isolate_documents ? ints() : Tensor(),
            request_.restart_positions ? ints() : Tensor()};
  }

  PlanRequest request_;
  models::Transformer model_;
  std::vector<Slot> slots_;
};

/// What earlier work freed goes back to the system, so that it is not counted as the program's.
void return_free_memory() {
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
}

/// 6·(matrix weights) per token and 6·layers·dim·seq for causal attention, forward and backward.
int64_t customary_flops(const PlanRequest& r, nn::Module& module) {
  int64_t matrices = 0;
  for (const nn::NamedParameter& p : nn::parameters(module)) {
    const bool is_lookup = p.parameter->row_sparse || p.name.ends_with("wpe.weight");
    if (p.parameter->shape.rank() == 2 && !is_lookup) matrices += p.parameter->shape.size();
  }
  const int64_t tokens = r.train.micro_batch * r.train.accumulate * r.train.seq;
  return tokens * (6 * matrices + 6 * r.model.layers * r.model.dim * r.train.seq);
}

/// Bytes of weights, gradients and optimiser state from the declared shapes alone, padding not
/// counted; row-sparse gradients take none.
int64_t declared_state_bytes(const train::TrainConfig& config, nn::Module& module) {
  const bool is_adam = config.optimizer.name != optim::OptimizerKind::kSgd;
  const int64_t moments = is_adam ? 2 : config.optimizer.momentum != 0.0F ? 1 : 0;
  int64_t floats = 0;
  for (const nn::NamedParameter& p : nn::parameters(module)) {
    const int64_t copies = 1 + moments + (p.parameter->row_sparse ? 0 : 1);
    floats = checked_add(floats, copies * p.parameter->shape.size(), "plan: weights",
                         Code::kInvalidArgument);
  }
  return checked_mul<int64_t>(floats, sizeof(float), "plan: weights", Code::kInvalidArgument);
}

}  // namespace

TrainPlan plan_training(Team& team, const PlanRequest& r) {
  TrainPlan plan;
  return_free_memory();
  plan.program_bytes = resident_bytes();
  Engine engine(team, {r.seed, 0});
  SyntheticTask task(engine, r);
  const int64_t declared = declared_state_bytes(r.train, task.module());
  if (r.memory_bytes > 0 && plan.program_bytes + declared > r.memory_bytes) {
    plan.parameters = nn::parameter_count(task.module());  // nothing more is known without memory
    plan.state_bytes = declared;
    plan.peak_bytes = plan.program_bytes + declared;
    return plan;
  }
  train::Step step(engine, r.train, task);
  const Forecast forecast = step.forecast();
  plan.parameters = step.store().parameter_count();
  plan.flops_per_step = forecast.flops;
  plan.model_flops_per_step = customary_flops(r, task.module());
  plan.slab_bytes = forecast.slab_bytes;
  plan.state_bytes = engine.allocator().held_bytes();
  plan.peak_bytes = plan.program_bytes + plan.state_bytes + plan.slab_bytes;
  const int64_t per_step = task.items() * r.train.accumulate;
  if (r.measure_s > 0 && (r.memory_bytes == 0 || plan.peak_bytes <= r.memory_bytes)) {
    plan.seconds_per_step = step.measure_seconds(r.measure_s);
    plan.tokens_per_second = static_cast<double>(per_step) / plan.seconds_per_step;
  }
  plan.steps = train::horizon_steps(r.train, r.tokens_per_epoch, plan.seconds_per_step);
  plan.tokens = plan.steps * per_step;
  plan.seconds = static_cast<double>(plan.steps) * plan.seconds_per_step;
  if (r.train.eval_every > 0) {  // an evaluation is the forward third of a step's work
    const int64_t most = r.train.eval_batches > 0
                             ? std::min(r.validation_tokens, r.train.eval_batches * task.items())
                             : r.validation_tokens;
    const auto evaluations = static_cast<double>(plan.steps / r.train.eval_every + 1);
    plan.seconds += evaluations * static_cast<double>(most) / static_cast<double>(per_step) *
                    plan.seconds_per_step / 3.0;
  }
  return plan;
}

int64_t peak_memory(Team& team, const PlanRequest& request) {
  PlanRequest quiet = request;
  quiet.measure_s = 0.0;
  return plan_training(team, quiet).peak_bytes;
}

std::optional<Change> fitting_change(Team& team, const PlanRequest& request) {
  PlanRequest r = request;
  while (r.train.micro_batch > 1) {
    const int64_t batch = r.train.micro_batch * r.train.accumulate;
    r.train.micro_batch = r.train.micro_batch / 2;
    r.train.accumulate = (batch + r.train.micro_batch - 1) / r.train.micro_batch;
    const int64_t peak = peak_memory(team, r);
    if (peak <= request.memory_bytes) {
      return Change{fmt::format("train.micro_batch={} train.accumulate={}", r.train.micro_batch,
                                r.train.accumulate),
                    peak};
    }
  }
  while (r.train.seq > 32) {
    r.train.seq /= 2;
    const int64_t peak = peak_memory(team, r);
    if (peak <= request.memory_bytes) {
      return Change{fmt::format("train.micro_batch=1 train.accumulate={} train.seq={}",
                                r.train.accumulate, r.train.seq),
                    peak};
    }
  }
  return std::nullopt;
}

void require_fits(Team& team, const PlanRequest& request, int64_t peak_bytes) {
  if (request.memory_bytes == 0 || peak_bytes <= request.memory_bytes) return;
  const std::optional<Change> change = fitting_change(team, request);
  fail(Code::kOutOfMemory, "plan: needs {}, the cap is {}. {}", human_bytes(peak_bytes),
       human_bytes(request.memory_bytes),
       change ? fmt::format("{} needs {}", change->text, human_bytes(change->peak_bytes))
              : "No smaller batch or window fits; use a smaller model.dim or model.layers");
}

}  // namespace ingot::cost
