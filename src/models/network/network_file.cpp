// SPDX-License-Identifier: Apache-2.0
#include "models/network/network_file.h"

#include <cstring>
#include <set>
#include <string_view>

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
    require(in.vocab >= 0, Code::kCorruptFile, "{}: input \"{}\" has a vocab of {}", path, in.name,
            in.vocab);
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

/// Runs `work` on what a file says: what does not fit there is damage, not somebody's setting.
template <class Work>
auto blaming_file(const std::string& path, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    const Code code = error.code();
    const bool is_of_text = code == Code::kInvalidArgument || code == Code::kShapeMismatch ||
                            code == Code::kDtypeMismatch;
    if (!is_of_text) throw;
    const bool is_named = std::string_view(error.what()).starts_with(path);
    fail(Code::kCorruptFile, "{}{}{}", is_named ? "" : path, is_named ? "" : ": ", error.what());
  }
}

NetworkConfig config_of(const std::string& text, const std::string& path) {
  require(text.ends_with('\n'), Code::kCorruptFile,
          "{}: is empty or ends within a line: it was cut short. Copy the model folder again, or "
          "train again",
          path);
  NetworkConfig config;
  bind_text(text, path, config);
  require(config.format == kFormat, Code::kUnsupported, "{}: format {}, this program reads {}",
          path, config.format, kFormat);
  require(
      !config.inputs.empty() && !config.layers.empty(), Code::kCorruptFile,
      "{}: lists {} inputs and {} layers, one or more of each are needed. Copy the model folder "
      "again, or train again",
      path, config.inputs.size(), config.layers.size());
  return config;
}

/// Weights that no layer takes are those of layers that the list has lost.
void require_all_taken(const io::Safetensors& file, Network& network, const std::string& yaml) {
  std::set<std::string> names;
  for (const nn::NamedParameter& p : nn::parameters(network)) names.insert(p.name);
  for (const io::TensorInfo& tensor : file.header().tensors) {
    require(names.contains(tensor.name), Code::kCorruptFile,
            "{}: no layer has the weights \"{}\" of {}: layers are lost. Copy the model folder "
            "again, or train again",
            yaml, tensor.name, file.path());
  }
}

void load_weights(const nn::ParameterStore& store, const io::Safetensors& file) {
  const std::string& path = file.path();
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

ListedNetwork parse_network(const std::string& text, const std::string& path) {
  return blaming_file(path, [&] {
    NetworkConfig config = config_of(text, path);
    auto network = std::make_unique<Network>(config.layers, values_of(config, path));
    return ListedNetwork{std::move(network), std::move(config.layers)};
  });
}

std::string network_text(const Network& network, const std::vector<LayerConfig>& layers) {
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
  return to_yaml(config);
}

void save_network(FileSystem& files, Network& network, const std::vector<LayerConfig>& layers,
                  const std::string& folder) {
  make_directories(files, folder);
  std::vector<io::TensorToWrite> tensors;
  for (const nn::NamedParameter& p : nn::parameters(network)) {
    const Tensor& t = p.parameter->value;
    tensors.push_back(
        {p.name, t.dtype(), t.shape(), {t.raw(), static_cast<size_t>(t.size_bytes())}});
  }
  io::write_safetensors(files, join_path(folder, "model.safetensors"), tensors);
  write_atomically(files, join_path(folder, "network.yaml"), network_text(network, layers));
}

LoadedNetwork load_network(Engine& engine, const std::string& folder) {
  const std::string path = join_path(folder, "network.yaml");
  ListedNetwork listed = parse_network(read_file(path, kMaxYaml), path);
  LoadedNetwork loaded;
  loaded.network = std::move(listed.network);
  loaded.layers = std::move(listed.layers);
  loaded.store = blaming_file(
      path, [&] { return std::make_unique<nn::ParameterStore>(engine, *loaded.network); });
  const io::Safetensors file(join_path(folder, "model.safetensors"));
  load_weights(*loaded.store, file);
  require_all_taken(file, *loaded.network, path);
  return loaded;
}

}  // namespace ingot::models
