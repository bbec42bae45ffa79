// SPDX-License-Identifier: Apache-2.0
#include "models/network/runner.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/norm.h"
#include "autograd/tape.h"

namespace ingot::models {

std::vector<Tensor> make_inputs(Engine& engine, const Network& network, int64_t batch) {
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
