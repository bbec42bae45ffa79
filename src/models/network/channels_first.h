// SPDX-License-Identifier: Apache-2.0
// Weights of programs that keep channels before pixels (PyTorch, ONNX): a convolution's [out, in,
// kernel_h, kernel_w] becomes [out, kernel_h, kernel_w, in], and a dense layer behind flatten gets
// its columns from (channel, row, column) into (row, column, channel), as do the numbers of a norm
// there; an LSTM's two biases become their sum. Everything else has one layout everywhere. Networks
// that join or reshape flattened pictures before a weight are refused. Called by cli (import) and
// by benchmarks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/network/network.h"

namespace ingot::models {

/// A tensor of another program; float32.
struct ForeignTensor {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

/// Copies `from` into a parameter of `network` in our layout. Throws kShapeMismatch, beginning with
/// `what`, naming both tensors and the shape that would fit.
void copy_channels_first(const ForeignTensor& from, Network& network, const nn::NamedParameter& to,
                         const std::string& what);

/// The tensors of a file in its order are the network's parameters in theirs: names differ between
/// programs, the order of layers does not. Throws kShapeMismatch as above, and when there are more
/// of one than of the other; kUnsupported for a flattened picture that is joined or reshaped.
void load_channels_first(std::span<const ForeignTensor> tensors, Network& network,
                         const std::string& what);

/// What the names of a checkpoint's weights begin with: "state_dict.", "model_state_dict." or
/// "model." when some do (a checkpoint of a training); nothing when all of the tensors are as many
/// as the network's.
[[nodiscard]] std::string weights_prefix(std::span<const std::string> names, Network& network);

/// load_channels_first from a checkpoint of torch.save: its floating-point tensors below their
/// weights_prefix.
/// Returns their number. Throws as above and as io::TorchFile does.
int64_t load_torch_file(const std::string& path, Network& network);

}  // namespace ingot::models
