// SPDX-License-Identifier: Apache-2.0
#include "models/network/network_file.h"

#include <cstring>

#include "base/config.h"
#include "io/safetensors.h"

namespace ingot::models {
namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kMaxYaml = int64_t{1} << 24;
constexpr int64_t kMaxInput = int64_t{1} << 30;

enum class InputType : uint8_t { kFloat32, kInt32 };
constexpr EnumName kInputTypeNames[] = {{"float32", InputType::kFloat32},
                                        {"int32", InputType::kInt32}};
constexpr std::span<const EnumName> enum_names(InputType /*tag*/) { return kInputTypeNames; }

struct InputConfig {
  std::string name;
  InputType dtype = InputType::kFloat32;
  std::vector<int64_t> shape;
  int64_t vocab = 0;
  void visit(auto& field) {
    field("name", name, "of the feature block");
    field("dtype", dtype, "numbers, or ids");
    field("shape", shape, "of one example");
    field("vocab", vocab, "ids are below it");
  }
};

struct NetworkConfig {
  int64_t format = kFormat;
  std::vector<InputConfig> inputs;
  std::vector<LayerConfig> layers;
  void visit(auto& field) {
    field("format", format, "version of this layout");
    field("inputs", inputs, "what the network takes");
    field("layers", layers, "as in a recipe");
  }
};

std::vector<Value> values_of(const NetworkConfig& config, const std::string& path) {
  std::vector<Value> values;
  for (const InputConfig& in : config.inputs) {
    Value v;
    v.name = in.name;
    v.dtype = in.dtype == InputType::kInt32 ? DType::kI32 : DType::kF32;
    v.vocab = in.vocab;
    int64_t size = 1;
    for (const int64_t dim : in.shape) {
      require(dim >= 1 && dim <= kMaxInput / size, Code::kCorruptFile,
              "{}: input \"{}\" has an axis of {}", path, in.name, dim);
      size *= dim;
      v.shape.push(dim);
    }
    values.push_back(std::move(v));
  }
  return values;
}

void load_weights(const nn::ParameterStore& store, const std::string& path) {
  const io::Safetensors file(path);
  for (const nn::StoredParameter& p : store.list()) {
    const io::TensorInfo& info = file.at(p.name);
    const Tensor& value = p.parameter->value;
    require(info.dtype == DType::kF32 && info.shape == value.shape(), Code::kShapeMismatch,
            "{}: \"{}\" is {} {}, the layers need float32 {}", path, p.name, dtype_name(info.dtype),
            info.shape.text(), value.shape().text());
    const auto bytes = file.bytes(info);
    if (!bytes.empty()) std::memcpy(value.raw(), bytes.data(), bytes.size());
  }
}

}  // namespace

void save_network(FileSystem& files, Network& network, const std::vector<LayerConfig>& layers,
                  const std::string& folder) {
  make_directories(files, folder);
  NetworkConfig config;
  config.layers = layers;
  for (const Value& in : network.inputs()) {
    InputConfig input;
    input.name = in.name;
    input.dtype = in.dtype == DType::kI32 ? InputType::kInt32 : InputType::kFloat32;
    for (int i = 0; i < in.shape.rank(); ++i) input.shape.push_back(in.shape[i]);
    input.vocab = in.vocab;
    config.inputs.push_back(std::move(input));
  }
  std::vector<io::TensorToWrite> tensors;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    const Tensor& t = p.parameter->value;
    tensors.push_back(
        {p.name, t.dtype(), t.shape(), {t.raw(), static_cast<size_t>(t.size_bytes())}});
  }
  io::write_safetensors(files, join_path(folder, "model.safetensors"), tensors);
  write_atomically(files, join_path(folder, "network.yaml"), to_yaml(config));
}

LoadedNetwork load_network(Engine& engine, const std::string& folder) {
  const std::string path = join_path(folder, "network.yaml");
  NetworkConfig config;
  bind_text(read_file(path, kMaxYaml), path, config);
  require(config.format == kFormat, Code::kUnsupported, "{}: format {}, this program reads {}",
          path, config.format, kFormat);
  LoadedNetwork loaded;
  loaded.network = std::make_unique<Network>(config.layers, values_of(config, path));
  loaded.store = std::make_unique<nn::ParameterStore>(engine, *loaded.network);
  load_weights(*loaded.store, join_path(folder, "model.safetensors"));
  loaded.layers = std::move(config.layers);
  return loaded;
}

}  // namespace ingot::models
