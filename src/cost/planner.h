// SPDX-License-Identifier: Apache-2.0
// What training a language model will take, before it starts: parameters, FLOPs, peak memory, time.
// Memory is not a formula: the step is recorded without running (tensor/plan.h), so its slab is
// known to the byte. Time is measured for up to two seconds on this machine on made-up tokens.
#pragma once

#include <optional>

#include "cost/memory.h"
#include "cost/timing.h"
#include "models/transformer.h"

namespace ingot::cost {

struct TrainPlan {
  int64_t parameters = 0;
  int64_t steps = 0;
  int64_t tokens = 0;
  int64_t flops_per_step = 0;        ///< as recorded: every kernel counts its own
  int64_t model_flops_per_step = 0;  ///< 6·N + causal attention, the customary count
  int64_t slab_bytes = 0;            ///< activations and temporaries of a step
  int64_t state_bytes = 0;           ///< weights, gradients, optimiser state
  int64_t sample_bytes = 0;          ///< sample texts while training: cache and one forward pass
  int64_t program_bytes = 0;  ///< the process itself: as it is now, and what it touches later
  int64_t peak_bytes = 0;     ///< the sum
  double seconds_per_step = 0.0;
  double seconds = 0.0;  ///< of all steps, evaluations included
  double tokens_per_second = 0.0;
};

struct PlanRequest {
  train::TrainConfig train;
  models::TransformerConfig model;
  uint64_t seed = 42;
  int64_t memory_bytes = 0;      ///< cap; 0: none
  int64_t tokens_per_epoch = 0;  ///< of the training split; 0: not known
  int64_t validation_tokens = 0;
  bool isolate_documents = true;
  bool restart_positions = true;
  int64_t eval_context = -1;  ///< eval.context, which must be below train.seq; -1: half of that
  /// The stages before it (texts, tokenizer) have not run in this process, as they do in that of a
  /// run: what they leave in it is counted too.
  bool is_alone = false;
  double measure_s = 2.0;  ///< at most, or a tenth of the run; 0: do not measure time
  Watch watch{};
};

/// The plan. Does not check it against the cap; but where the weights and the optimiser's state
/// alone are over the cap, nothing is allocated and only parameters, state_bytes and peak_bytes are
/// set; where the batches and what every layer keeps of them are, only peak_bytes. Both are lower
/// bounds that count weights, state and batches, whichever of them was over the cap.
/// Throws kInvalidArgument for a model that cannot be, or counts that do not fit in 64 bits;
/// kCancelled once the watch says stop.
[[nodiscard]] TrainPlan plan_training(Team& team, const PlanRequest& request);

/// Memory alone (time is not measured).
[[nodiscard]] int64_t peak_memory(Team& team, const PlanRequest& request);

/// A change that fits under the cap: a smaller micro-batch with as much more accumulation (their
/// product stays), else a shorter window, with eval.context=-1 where the value given is not below
/// it. nullopt when none does.
[[nodiscard]] std::optional<Change> fitting_change(Team& team, const PlanRequest& request);

/// The smallest setting that fitting_change tries and what it needs, when it may take `most` bytes;
/// more than those where it needs more. nullopt where it has so many micro-batches that recording
/// them would take long.
[[nodiscard]] std::optional<Change> smallest_change(Team& team, const PlanRequest& request,
                                                    int64_t most);

/// Throws kOutOfMemory naming need, cap and the change that fits, else a cap that is enough.
void require_fits(Team& team, const PlanRequest& request, int64_t peak_bytes);

}  // namespace ingot::cost
