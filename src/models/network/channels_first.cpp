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

/// What a layer's input and output were flattened from; rank 0: nothing.
struct Flattened {
  Shape in, out;
};
Flattened flattened_at(const Network& network, std::string_view layer) {
  Flattened found;
  network.each_layer("", [&](const std::string& name, const Value& in, const Value& out) {
    if (name == layer) found = {in.flattened, out.flattened};
  });
  return found;
}

void require_ordered(const Network& network, const std::string& what) {
  network.each_layer("", [&](const std::string& name, const Value& /*in*/, const Value& out) {
    require(
        !out.is_unordered, Code::kUnsupported,
        "{}: the layer \"{}\" joins or reshapes a flattened picture, whose numbers stand in "
        "another order in programs with channels before pixels, so that weights behind it cannot "
        "be carried over. Put a dense layer between flatten and it",
        what, name);
  });
}

/// PyTorch's LSTM has two biases, which are only ever added; ours is their sum.
void add_second_bias(const ForeignTensor& from, const nn::NamedParameter& to,
                     const std::string& what) {
  require(from.shape == to.parameter->shape, Code::kShapeMismatch,
          "{}: \"{}\" is {}, the network's \"{}\" needs {}", what, from.name, from.shape.text(),
          to.name, to.parameter->shape.text());
  float* values = to.parameter->value.data<float>();
  for (size_t i = 0; i < from.values.size(); ++i) values[i] += from.values[i];
}

/// True when parameter i is a bias that stands for two of PyTorch's.
bool is_sum_of_biases(const std::vector<nn::NamedParameter>& parameters, size_t i) {
  return parameters[i].name.ends_with(".bias_ih") &&
         (i + 1 == parameters.size() || !parameters[i + 1].name.ends_with(".bias_hh"));
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
  const Flattened at = flattened_at(network, to.name.substr(0, to.name.rfind('.')));
  const Shape picture =
      ours.rank() == 2 ? at.in : at.out;  // columns of a product; a norm's numbers
  if (picture.rank() == 3 && ours.rank() <= 2) {
    const int64_t rows = ours.rank() == 2 ? ours[0] : 1;
    channels_last(from.values.data(), values, rows, picture[2], picture[0] * picture[1]);
    return;
  }
  std::copy(from.values.begin(), from.values.end(), values);
}

void load_channels_first(std::span<const ForeignTensor> tensors, Network& network,
                         const std::string& what) {
  require_ordered(network, what);
  const std::vector<nn::NamedParameter> parameters = nn::parameters(network);
  size_t next = 0, done = 0;  // of the tensors, of the parameters
  while (next < tensors.size() && done < parameters.size()) {
    const nn::NamedParameter& to = parameters[done];
    copy_channels_first(tensors[next++], network, to, what);
    const bool has_two = is_sum_of_biases(parameters, done++) && next < tensors.size() &&
                         tensors[next].name.find("bias_hh") != std::string::npos;
    if (has_two) add_second_bias(tensors[next++], to, what);
  }
  if (next == tensors.size() && done == parameters.size()) return;
  fail(Code::kShapeMismatch,
       "{}: holds {} tensors, the network has {}; the first that is left over is \"{}\"", what,
       tensors.size(), parameters.size(),
       done < parameters.size() ? parameters[done].name : tensors[next].name);
}

std::string weights_prefix(std::span<const std::string> names, Network& network) {
  const std::vector<nn::NamedParameter> parameters = nn::parameters(network);
  int64_t most = std::ssize(parameters);
  for (size_t i = 0; i < parameters.size(); ++i) most += is_sum_of_biases(parameters, i) ? 1 : 0;
  if (std::ssize(names) >= std::ssize(parameters) && std::ssize(names) <= most) return "";
  for (const char* prefix : {"state_dict.", "model_state_dict.", "model."}) {
    const auto is_below = [&](const std::string& name) { return name.starts_with(prefix); };
    if (std::any_of(names.begin(), names.end(), is_below)) return prefix;
  }
  return "";
}

int64_t load_torch_file(const std::string& path, Network& network) {
  const io::TorchFile file(path);
  std::vector<const io::TorchTensor*> weights;
  std::vector<std::string> names;
  for (const io::TorchTensor& t : file.tensors()) {
    const bool is_count = t.dtype == DType::kI64 || t.dtype == DType::kI32 ||
                          t.dtype == DType::kU8;  // batch norm's num_batches_tracked, say
    if (is_count) continue;
    weights.push_back(&t);
    names.push_back(t.name);
  }
  const std::string prefix = weights_prefix(names, network);
  std::vector<std::vector<float>> values;
  std::vector<ForeignTensor> tensors;
  values.reserve(weights.size());
  for (const io::TorchTensor* t : weights) {
    if (!t->name.starts_with(prefix)) continue;
    values.push_back(io::torch_numbers(*t));
    tensors.push_back({t->name, t->shape, values.back()});
  }
  load_channels_first(tensors, network, path);
  return std::ssize(tensors);
}

}  // namespace ingot::models
