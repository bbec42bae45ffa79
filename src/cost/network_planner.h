// SPDX-License-Identifier: Apache-2.0
// What training a network of tables, pictures or texts will take, before it starts. As for language
// models (planner.h) a step is recorded without running, so its memory is known to the byte; time
// is measured on the examples themselves, with what is done to them on the way.
// The files of examples are mapped. Their pages are in the process' peak, as the system shows it,
// but they are not held against the cap: they can be dropped and read again at any time, so a table
// larger than the memory is slow, not impossible.
#pragma once

#include <vector>

#include "cost/memory.h"
#include "cost/timing.h"
#include "train/supervised_task.h"

namespace ingot::cost {

struct NetworkPlan {
  int64_t parameters = 0;
  int64_t steps = 0;
  int64_t examples = 0;        ///< learned from, every turn of each counted
  int64_t flops_per_step = 0;  ///< as recorded: every kernel counts its own
  int64_t state_bytes = 0;     ///< weights, gradients, optimiser state, batches
  int64_t slab_bytes = 0;      ///< activations and temporaries: of a step or of an evaluated batch
  int64_t metric_bytes = 0;    ///< answers that an evaluation keeps for its figures
  int64_t judged_bytes = 0;    ///< of the evaluation after training: weights, batch, what is kept
  int64_t program_bytes = 0;   ///< the process itself: as it is now, and what it touches later
  /// The program and the larger of training (state, slab, metrics) and the evaluation after it:
  /// what is held against the cap.
  int64_t needed_bytes = 0;
  int64_t mapped_bytes = 0;  ///< pages of the examples that training looks at
  int64_t peak_bytes = 0;    ///< needed and mapped
  double seconds_per_step = 0.0;
  double seconds_per_evaluation = 0.0;
  double seconds = 0.0;  ///< of all steps and evaluations
  double examples_per_second = 0.0;
};

/// All that it refers to must outlive it.
struct NetworkRequest {
  train::TrainConfig train;
  const std::vector<models::LayerConfig>& layers;
  std::vector<models::Value> inputs;
  const train::Objective& objective;
  train::SupervisedData data;
  uint64_t seed = 42;
  int64_t memory_bytes = 0;  ///< cap; 0: none
  double measure_s = 2.0;    ///< at most; a run that is short itself is measured for a tenth of it
  Watch watch{};
  int64_t judged_rows = 0;  ///< of the evaluation after training, which has intervals; 0: none
};

/// The plan. Does not check it against the cap; but time is measured only where it fits, and where
/// weights, optimiser state and batches alone are over the cap, nothing is allocated and only
/// parameters and their sums are set. Throws what SupervisedTask throws, and kCancelled once
/// the watch says stop.
[[nodiscard]] NetworkPlan plan_network(Team& team, const NetworkRequest& request);

/// A smaller micro-batch that fits under the cap. nullopt when none does.
[[nodiscard]] std::optional<Change> fitting_change(Team& team, const NetworkRequest& request);

/// Throws kOutOfMemory naming need, cap and the change that fits.
void require_fits(Team& team, const NetworkRequest& request, const NetworkPlan& plan);

}  // namespace ingot::cost
