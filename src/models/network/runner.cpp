// SPDX-License-Identifier: Apache-2.0
#include "models/network/runner.h"

#include <algorithm>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"
#include "autograd/tape.h"

namespace ingot::models {

namespace {

/// No tensor and no count of FLOP of a batch, forward and backward, comes near the end of 64 bits.
void require_batch(const Network& network, int64_t batch) {
  constexpr int64_t kMax = int64_t{1} << 58;
  int64_t most = std::max<int64_t>(1, network.flops());
  for (const Value& in : network.inputs()) most = std::max(most, in.shape.size());
  network.each_layer("", [&](const std::string&, const Value&, const Value& out) {
    most = std::max(most, out.shape.size());
  });
  require(batch <= kMax / most, Code::kInvalidArgument,
          "layers: a batch of {} examples with {} numbers or FLOP each is beyond 2^58; make the "
          "layers or the batch smaller",
          batch, most);
}

}  // namespace

std::vector<Tensor> make_inputs(Engine& engine, const Network& network, int64_t batch) {
  require_batch(network, batch);
  std::vector<Tensor> inputs;
  for (const Value& in : network.inputs()) {
    Shape shape{batch};
    for (int i = 0; i < in.shape.rank(); ++i) shape.push(in.shape[i]);
    inputs.push_back(Tensor::zeros(engine, shape, in.dtype));
  }
  return inputs;
}

Tensor linked(const Tensor& numbers, Link link) {
  if (link == Link::kSigmoid) return ops::sigmoid(numbers);
  return link == Link::kSoftmax ? ops::softmax(numbers) : numbers;
}

NetworkRunner::NetworkRunner(Engine& engine, Network& network, int64_t batch, Link link,
                             bool replay)
    : engine_(engine),
      network_(network),
      batch_(batch),
      link_(link),
      replay_(replay),
      inputs_(make_inputs(engine, network, batch)) {
  require(batch >= 1, Code::kInvalidArgument, "network: a batch of {} examples", batch);
}

void NetworkRunner::forward() {
  const Recording off(engine_, nullptr);
  output_ = linked(network_.forward(inputs_, false), link_);
}

std::span<const float> NetworkRunner::run(int64_t rows) {
  INGOT_ASSERT(rows >= 0 && rows <= batch_);
  if (replay_ && !plan_) plan_.emplace(engine_, [this] { forward(); });
  if (plan_) {
    plan_->run();
  } else {
    forward();
  }
  return {output_.data<float>(), static_cast<size_t>(rows * width())};
}

}  // namespace ingot::models
