// SPDX-License-Identifier: Apache-2.0
// What the loop trains: a module, batches by number, a loss, a validation. The loop knows neither
// models nor data sets; the command line hands them in through this.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "nn/module.h"

namespace ingot::train {

struct Evaluation {
  /// Mean per target, in nats, or squared error as people read numbers: what best and early
  /// stopping look at.
  double loss = 0.0;
  std::map<std::string, double> metrics;  ///< e.g. bits_per_byte
};

/// What the model does now, for people: how it goes on from a prompt, or any other short text.
struct Sample {
  std::string prompt;
  std::string text;  ///< the continuation alone; both empty: none
};

/// What a task counts. `plural` names figures ("tokens_per_second"), `unit` the pace of progress.
struct ItemName {
  std::string_view plural = "tokens";
  std::string_view unit = "tok";
};

class Task {
 public:
  virtual ~Task() = default;
  [[nodiscard]] virtual nn::Module& module() = 0;
  /// Fills the input buffers of micro-batch `slot` of a step with batch number `index` (a pure
  /// function of it). Returns the targets that count.
  virtual int64_t load(int64_t index, int64_t slot) = 0;
  /// Builds the loss of micro-batch `slot` from its buffers, divided by `count` (int64 []): the
  /// targets of the whole step. Called while recording.
  [[nodiscard]] virtual Tensor loss(int64_t slot, const Tensor& count) = 0;
  /// What the loss of a step is multiplied with before anyone sees it, so that it has the unit of
  /// evaluate()'s.
  [[nodiscard]] virtual double loss_scale() const { return 1.0; }
  /// False: there is nothing to validate on, so evaluate() is not called and no weights are "best".
  [[nodiscard]] virtual bool has_validation() const { return true; }
  /// Runs the validation split with the present weights.
  [[nodiscard]] virtual Evaluation evaluate() = 0;
  [[nodiscard]] virtual Sample sample() { return {}; }
  /// Items (tokens, examples) per micro-batch, for throughput.
  [[nodiscard]] virtual int64_t items() const = 0;
  [[nodiscard]] virtual ItemName item_name() const { return {}; }
  /// Items in one pass over the training data.
  [[nodiscard]] virtual int64_t items_per_epoch() const = 0;
};

}  // namespace ingot::train
