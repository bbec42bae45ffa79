// SPDX-License-Identifier: Apache-2.0
#include "cost/planner.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "base/philox.h"
#include "base/text.h"
#include "kernels/attention.h"
#include "models/paged_decoder.h"

namespace ingot::cost {
namespace {

/// Next-token prediction on random tokens: the shapes and the work of the real task.
class SyntheticTask : public train::Task {
 public:
  SyntheticTask(Engine& engine, const PlanRequest& request)
      : request_(request), model_(engine, request.model) {
    for (int64_t i = 0; i < request.train.accumulate; ++i) slots_.push_back(make(engine));
  }

  models::Transformer& model() { return model_; }
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

int64_t product(int64_t a, int64_t b, const char* what) {
  return checked_mul(a, b, fmt::format("plan: {} of the run", what), Code::kInvalidArgument);
}

/// What a run takes at the very least, from the numbers of the recipe alone: its batches, the
/// tables of positions, and of every layer the input and the inside of the MLP, kept for the way
/// back.
double least_bytes(const PlanRequest& r) {
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  const double tokens = real(r.train.micro_batch) * real(r.train.seq);
  const int ints = 2 + (r.isolate_documents ? 1 : 0) + (r.restart_positions ? 1 : 0);
  const double batches = tokens * real(r.train.accumulate) * ints;
  const double tables =
      real(r.model.context) *
      (r.model.layout == models::ModelLayout::kLlama ? real(r.model.head_dim()) : 1.0);
  const double kept = tokens * real(r.model.layers) * real(r.model.dim + r.model.mlp_width());
  return (batches + tables + kept) * sizeof(float);
}

/// Values, gradients and optimiser state of the matrices, from the numbers of the recipe alone.
double least_state_bytes(const PlanRequest& r) {
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  const models::TransformerConfig& m = r.model;
  const bool is_llama = m.layout == models::ModelLayout::kLlama;
  const double attention = 2.0 * real(m.dim) * real(m.dim + m.kv() * m.head_dim());
  const double mlp = (is_llama ? 3.0 : 2.0) * real(m.dim) * real(m.mlp_width());
  const double table = real(m.vocab) * real(m.dim);
  const double positions = is_llama ? 0.0 : real(m.context) * real(m.dim);
  const double dense = real(m.layers) * (attention + mlp) + positions + table;
  const double moments = real(optim::state_slabs(r.train.optimizer));
  // A table that is not the head's as well has a gradient of the rows that were looked up alone.
  const double sparse = m.tie_embeddings ? 0.0 : table;
  return (dense * (2.0 + moments) + sparse * (1.0 + moments)) * sizeof(float);
}

/// What sample texts take: the cache of one sequence and a forward pass of the prompt, run once.
int64_t sampler_bytes(Engine& engine, models::Transformer& model,
                      const train::TrainConfig& config) {
  constexpr int64_t kMaxRows = 256;
  const int64_t before = engine.allocator().held_bytes();
  const int64_t context = model.config().context;
  const int64_t pages = (context + kernels::kAttentionTile - 1) / kernels::kAttentionTile;
  models::PagedDecoder decoder(engine, model, {pages, 1, kMaxRows});
  const auto prompt = static_cast<int64_t>(config.sample_prompt.size()) + 1;  // at most: bytes, eos
  const int64_t count = std::min({kMaxRows, context, prompt});
  std::vector<models::DecodeRow> rows(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    rows[static_cast<size_t>(i)].position = static_cast<int32_t>(i);
  rows.back().wants_logits = true;
  std::vector<int32_t> table(static_cast<size_t>(pages));
  std::iota(table.begin(), table.end(), 0);
  std::vector<float> logits(static_cast<size_t>(model.config().vocab));
  decoder.forward(rows, table, logits);
  return engine.allocator().held_bytes() - before +
         static_cast<int64_t>(logits.size() * sizeof(float));
}

/// 6·(matrix weights) per token and 6·layers·dim·seq for causal attention, forward and backward.
int64_t customary_flops(const PlanRequest& r, nn::Module& module) {
  int64_t matrices = 0;
  for (const nn::NamedParameter& p : nn::parameters(module)) {
    const bool is_lookup = p.parameter->row_sparse || p.name.ends_with("wpe.weight");
    if (p.parameter->shape.rank() == 2 && !is_lookup) matrices += p.parameter->shape.size();
  }
  const int64_t tokens = r.train.micro_batch * r.train.accumulate * r.train.seq;
  return product(tokens, 6 * matrices + 6 * r.model.layers * r.model.dim * r.train.seq, "FLOPs");
}

/// Left in a process by the stages before the plan: 1.5 MiB of code of the libraries, 0.5 MiB of
/// our own, 0.5 MiB of tokenizer and shards were measured.
constexpr int64_t kStageBytes = int64_t{3} << 20;

/// Windows that are proposed are powers of two from here on.
constexpr int64_t kLeastWindow = 32;

/// Packing the record of a step takes the square of its micro-batches: of more than so many it
/// would take seconds, for a remark.
constexpr int64_t kMostToRecord = 64;

/// Looking beyond the cap, for a remark, allocates weights, gradients and the optimiser's state,
/// and no change of batch or window makes those smaller: no more of them than that.
constexpr double kMostStateToTry = 128.0 * (1 << 20);

/// The largest power of two below `seq`; 0 below 2.
int64_t shorter_window(int64_t seq) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(seq - 1, 0))));
}

/// All that a shorter window takes on the command line.
std::string window_text(const PlanRequest& r, const train::TrainConfig& config) {
  return fmt::format("{} train.seq={}{}", batch_text(config), config.seq,
                     r.eval_context >= config.seq ? " eval.context=-1" : "");
}

int64_t process_bytes(const PlanRequest& r) {
  return program_bytes() + (r.is_alone ? kStageBytes : 0);
}

TrainPlan memory_plan(Team& team, PlanRequest request) {
  request.measure_s = 0.0;
  return plan_training(team, request);
}

}  // namespace

TrainPlan plan_training(Team& team, const PlanRequest& r) {
  TrainPlan plan;
  plan.program_bytes = process_bytes(r);
  r.model.check();
  const double least = least_bytes(r);
  if (const double sum = static_cast<double>(plan.program_bytes) + least;
      r.memory_bytes > 0 && sum > static_cast<double>(r.memory_bytes)) {
    plan.peak_bytes = static_cast<int64_t>(std::min(sum + least_state_bytes(r), 9e18));
    return plan;
  }
  Engine engine(team, {r.seed, 0});
  engine.stop = r.watch.stop;
  SyntheticTask task(engine, r);
  const int64_t declared = declared_state_bytes(r.train, task.module());
  if (r.memory_bytes > 0 && plan.program_bytes + declared > r.memory_bytes) {
    plan.parameters = nn::parameter_count(task.module());  // nothing more is known without memory
    plan.state_bytes = declared;
    plan.peak_bytes = plan.program_bytes + declared + static_cast<int64_t>(least);
    return plan;
  }
  train::Step step(engine, r.train, task);
  const Forecast forecast = step.forecast();
  plan.parameters = step.store().parameter_count();
  plan.program_bytes += forecast.record_bytes;
  plan.flops_per_step = forecast.flops;
  plan.model_flops_per_step = customary_flops(r, task.module());
  plan.slab_bytes = forecast.slab_bytes;
  plan.state_bytes = engine.allocator().held_bytes();
  if (r.train.sample_every > 0) {
    plan.sample_bytes = sampler_bytes(engine, task.model(), r.train);
  }
  plan.peak_bytes = plan.program_bytes + plan.state_bytes + plan.slab_bytes + plan.sample_bytes;
  const int64_t per_step = task.items() * r.train.accumulate;
  const auto steps_of = [&](double step_s) {
    return train::horizon_steps(r.train, r.tokens_per_epoch, step_s);
  };
  if (r.measure_s > 0 && (r.memory_bytes == 0 || plan.peak_bytes <= r.memory_bytes)) {
    announce(r.watch, plan.flops_per_step);
    plan.seconds_per_step = seconds_per_step(step, r.measure_s, steps_of);
    plan.tokens_per_second = static_cast<double>(per_step) / plan.seconds_per_step;
  }
  plan.steps = steps_of(plan.seconds_per_step);
  plan.tokens = product(plan.steps, per_step, "tokens");
  plan.seconds = static_cast<double>(plan.steps) * plan.seconds_per_step;
  // An evaluation is the forward third of a step's work.
  const int64_t batches = r.train.eval_batches;
  const int64_t most = batches > 0 && batches <= r.validation_tokens / task.items()
                           ? batches * task.items()
                           : r.validation_tokens;
  const train::Passes passes{per_step, r.tokens_per_epoch};
  plan.seconds += static_cast<double>(evaluations(r.train, passes, plan.steps)) *
                  static_cast<double>(most) / static_cast<double>(per_step) *
                  plan.seconds_per_step / 3.0;
  return plan;
}

int64_t peak_memory(Team& team, const PlanRequest& request) {
  return memory_plan(team, request).peak_bytes;
}

std::optional<Change> fitting_change(Team& team, const PlanRequest& request) {
  PlanRequest r = request;
  const int64_t cap = request.memory_bytes;
  const auto need = [&](const train::TrainConfig& config) {
    r.train = config;
    return peak_memory(team, r);
  };
  train::TrainConfig config = request.train;
  if (const auto change = smaller_batch(config, cap, need)) return change;
  for (int64_t seq = shorter_window(config.seq); seq >= kLeastWindow; seq /= 2) {
    config.seq = seq;
    const int64_t peak = need(config);
    if (!fits(peak, cap)) continue;
    return Change{window_text(r, config), peak};
  }
  return std::nullopt;
}

std::optional<Change> smallest_change(Team& team, const PlanRequest& request, int64_t most) {
  PlanRequest r = request;
  r.memory_bytes = most;
  while (make_batch_smaller(r.train)) {
  }
  if (r.train.accumulate > kMostToRecord) return std::nullopt;
  r.train.seq = std::min(r.train.seq, kLeastWindow);
  return Change{window_text(r, r.train), peak_memory(team, r)};
}

void require_fits(Team& team, const PlanRequest& request, int64_t peak_bytes) {
  if (request.memory_bytes == 0 || peak_bytes <= request.memory_bytes) return;
  Refusal refusal;
  refusal.need = peak_bytes;
  refusal.is_bound = memory_plan(team, request).slab_bytes == 0;
  refusal.cap = request.memory_bytes;
  refusal.program = process_bytes(request);
  refusal.change = fitting_change(team, request);
  refusal.advice =
      "No smaller batch or window fits; use a smaller model.dim or model.layers, or a "
      "larger memory=";
  const bool is_large = least_state_bytes(request) > kMostStateToTry;
  refusal.need_under = [&, is_large](int64_t most) {
    if (is_large) return std::numeric_limits<int64_t>::max();
    PlanRequest r = request;
    r.memory_bytes = most;
    return peak_memory(team, r);
  };
  if (!is_large) {
    refusal.smallest = [&](int64_t most) { return smallest_change(team, request, most); };
  }
  refuse(refusal);
}

}  // namespace ingot::cost
