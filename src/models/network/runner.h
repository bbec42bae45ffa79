// SPDX-License-Identifier: Apache-2.0
// A network at inference: fixed buffers for a batch of examples, a recorded forward pass, and the
// link that turns the last layer's numbers into answers. Every kernel under it is row-invariant, so
// an example's answer does not depend on what else is in the batch. Used by evaluation, predict and
// serve.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "models/network/network.h"
#include "tensor/plan.h"

namespace ingot::models {

/// Last layer → answers.
enum class Link : uint8_t {
  kNone,     ///< numbers as they are
  kSigmoid,  ///< one number per example → probability of the second class
  kSoftmax,  ///< one number per class → probabilities
};

/// Answers from the last layer's numbers, float32 [batch, width]; the softmax is over the last
/// axis, the width.
[[nodiscard]] Tensor linked(const Tensor& numbers, Link link);

class NetworkRunner {
 public:
  /// engine and network must outlive it. With replay off every op runs eagerly, with the same
  /// bytes.
  NetworkRunner(Engine& engine, Network& network, int64_t batch, Link link, bool replay = true);

  [[nodiscard]] int64_t batch() const { return batch_; }
  /// Input `i` of the network, [batch, …]: to be filled before run.
  [[nodiscard]] const Tensor& input(size_t i) const { return inputs_[i]; }
  [[nodiscard]] const std::vector<Tensor>& inputs() const { return inputs_; }
  /// Answers of the first `rows` examples, [rows, width]; valid until the next run of any plan.
  [[nodiscard]] std::span<const float> run(int64_t rows);
  [[nodiscard]] int64_t width() const { return network_.output().shape.size(); }
  /// What a run takes, found by recording it without memory.
  [[nodiscard]] Forecast forecast() {
    return ingot::forecast(engine_, [this] { forward(); });
  }

 private:
  void forward();

  Engine& engine_;
  Network& network_;
  int64_t batch_;
  Link link_;
  bool replay_;
  std::vector<Tensor> inputs_;
  Tensor output_;
  std::optional<Plan> plan_;
};

/// Zeroed buffers [batch, …] for the inputs of a network. Throws kInvalidArgument when a tensor of
/// such a batch, or its FLOP, would be beyond 2^58.
[[nodiscard]] std::vector<Tensor> make_inputs(Engine& engine, const Network& network,
                                              int64_t batch);

}  // namespace ingot::models
