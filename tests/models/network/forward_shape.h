// SPDX-License-Identifier: Apache-2.0
// What a network gives, beside what it says that it gives: its forward pass is recorded, with
// neither memory nor numbers behind inputs and weights. Used by any_list_test.cpp and fuzz_layers.
#pragma once

#include <algorithm>
#include <vector>

#include "autograd/tape.h"
#include "models/network/network.h"
#include "tensor/plan.h"

namespace ingot::testing {

/// [batch, …] of examples of this shape.
inline Shape batch_shape(int64_t batch, const Shape& example) {
  Shape shape{batch};
  for (int i = 0; i < example.rank(); ++i) shape.push(example[i]);
  return shape;
}

/// Whether every layer is of a size that machines hold, which ops may count on; and the record
/// short enough to be made often.
inline bool is_recordable(models::Network& network) {
  constexpr int64_t kMostNumbers = int64_t{1} << 24, kMostLayers = 256;
  int64_t most = nn::parameter_count(network);
  for (const models::Value& in : network.inputs()) most = std::max(most, in.shape.size());
  network.each_layer("", [&](const std::string&, const models::Value&, const models::Value& out) {
    most = std::max(most, out.shape.size());
  });
  return most <= kMostNumbers && network.layer_count() <= kMostLayers;
}

/// Shape of the output for `batch` examples. The weights have no values afterwards. Throws what ops
/// refuse, and kInternal when a layer inside gives another shape than it says.
inline Shape forward_shape(Engine& engine, models::Network& network, int64_t batch) {
  Shape shape;
  (void)forecast(engine, [&] {
    const Recording off(engine, nullptr);
    for (const nn::NamedParameter& p : nn::parameters(network)) {
      p.parameter->value = Tensor::empty(engine, p.parameter->shape);
    }
    std::vector<Tensor> inputs;
    for (const models::Value& in : network.inputs()) {
      inputs.push_back(Tensor::empty(engine, batch_shape(batch, in.shape), in.dtype));
    }
    shape = network.forward(inputs, false).shape();
  });
  return shape;
}

}  // namespace ingot::testing
