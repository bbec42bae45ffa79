// SPDX-License-Identifier: Apache-2.0
#include "models/network/channels_first.h"

#include <algorithm>

#include "io/torch_file.h"

namespace ingot::models {
namespace {

/// [rows, channels, pixels] → [rows, pixels, channels].
void channels_last(const float* from, float* to, int64_t rows, int64_t channels, int64_t pixels) {
  for (int64_t row = 0; row < rows; ++row, from += channels * pixels, to += channels * pixels) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) to[p * channels + c] = from[c * pixels + p];
    }
  }
}

/// The shape that a file of channels-first weights has for one of ours.
Shape foreign_shape(const Shape& ours) {
  return ours.rank() == 4 ? Shape{ours[0], ours[3], ours[1], ours[2]} : ours;
}

}  // namespace

void copy_channels_first(const ForeignTensor& from, Network& network, const nn::NamedParameter& to,
                         const std::string& what) {
  const Shape ours = to.parameter->shape, theirs = foreign_shape(ours);
  require(from.shape == theirs, Code::kShapeMismatch,
          "{}: \"{}\" is {}, the network's \"{}\" needs {}", what, from.name, from.shape.text(),
          to.name, theirs.text());
  float* values = to.parameter->value.data<float>();
  if (ours.rank() == 4) {
    channels_last(from.values.data(), values, ours[0], ours[3], ours[1] * ours[2]);
    return;
  }
  const size_t dot = to.name.rfind('.');
  const Shape picture = network.flattened_before(to.name.substr(0, dot));
  if (picture.rank() == 3 && ours.rank() == 2) {
    channels_last(from.values.data(), values, ours[0], picture[2], picture[0] * picture[1]);
    return;
  }
  std::copy(from.values.begin(), from.values.end(), values);
}

void load_channels_first(std::span<const ForeignTensor> tensors, Network& network,
                         const std::string& what) {
  const std::vector<nn::NamedParameter> parameters = nn::parameters(network);
  for (size_t i = 0; i < std::min(parameters.size(), tensors.size()); ++i) {
    copy_channels_first(tensors[i], network, parameters[i], what);
  }
  require(parameters.size() == tensors.size(), Code::kShapeMismatch,
          "{}: holds {} tensors, the network has {}; the first that is left over is \"{}\"", what,
          tensors.size(), parameters.size(),
          parameters.size() > tensors.size() ? parameters[tensors.size()].name
                                             : tensors[parameters.size()].name);
}

int64_t load_torch_file(const std::string& path, Network& network) {
  const io::TorchFile file(path);
  const auto holds = [&](const std::string& prefix) {
    return std::any_of(file.tensors().begin(), file.tensors().end(),
                       [&](const io::TorchTensor& t) { return t.name.starts_with(prefix); });
  };
  std::string prefix;
  for (const char* name : {"state_dict.", "model_state_dict.", "model."}) {
    if (prefix.empty() && holds(name)) prefix = name;
  }
  std::vector<std::vector<float>> values;
  std::vector<ForeignTensor> tensors;
  values.reserve(file.tensors().size());
  for (const io::TorchTensor& t : file.tensors()) {
    const bool is_count = t.dtype == DType::kI64 || t.dtype == DType::kI32 ||
                          t.dtype == DType::kU8;  // batch norm's num_batches_tracked, say
    if (is_count || !t.name.starts_with(prefix)) continue;
    values.push_back(io::torch_numbers(t));
    tensors.push_back({t.name, t.shape, values.back()});
  }
  load_channels_first(tensors, network, path);
  return std::ssize(tensors);
}

}  // namespace ingot::models
