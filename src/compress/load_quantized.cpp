// SPDX-License-Identifier: Apache-2.0
#include "compress/load_quantized.h"

#include <set>

#include <nlohmann/json.hpp>

#include "compress/quant_format.h"
#include "compress/quant_layers.h"
#include "models/hugging_face.h"

namespace ingot::compress {
namespace {

/// Swaps the layers whose matrices are blocks and loads the parameters of the others.
class Loader : public nn::Visitor {
 public:
  Loader(Engine& engine, const models::TransformerConfig& config, const std::string& path)
      : engine_(engine), config_(config), file_(std::make_shared<const io::Safetensors>(path)) {}

  bool layer(const std::string& name, std::unique_ptr<nn::Layer>& slot) override {
    const std::string weight = name + ".weight";
    const auto it = file_->header().metadata.find(kQuantPrefix + weight);
    if (it == file_->header().metadata.end()) return false;
    if (const auto* linear = dynamic_cast<nn::Linear*>(slot.get())) {
      QuantMatrix m = matrix(weight, it->second, linear->weight.shape);
      slot = std::make_unique<QuantLinear>(std::move(m), bias(name, linear->bias),
                                           linear->activation());
      return true;
    }
    if (const auto* embedding = dynamic_cast<nn::Embedding*>(slot.get())) {
      QuantMatrix m = matrix(weight, it->second, embedding->weight.shape);
      if (is_token_table(name)) table_ = std::make_unique<QuantMatrix>(m);
      slot = std::make_unique<QuantEmbedding>(std::move(m));
      return true;
    }
    return false;
  }

  void parameter(const std::string& name, nn::Parameter& p) override {
    p.value = load(name, p.shape);
  }

  /// The token table when it is quantised, else null.
  [[nodiscard]] const QuantMatrix* table() const { return table_.get(); }

  /// Everything in the file must have found its place.
  void finish() const {
    for (const auto& [key, value] : file_->header().metadata) {
      if (!key.starts_with(kQuantPrefix)) continue;
      const std::string name = key.substr(std::string_view(kQuantPrefix).size());
      require(swapped_.contains(name), Code::kCorruptFile,
              "{}: metadata \"{}\" names no matrix of the model that config.json describes",
              file_->path(), key);
    }
    models::require_all_used(config_, *file_, used_);
  }

 private:
  Tensor load(const std::string& name, const Shape& shape) {
    Tensor value = Tensor::empty(engine_, shape);
    used_.insert(models::load_weight(config_, *file_, name, value));
    return value;
  }

  Tensor bias(const std::string& layer, const nn::Parameter& p) {
    return p.defined() ? load(layer + ".bias", p.shape) : Tensor();
  }

  QuantMatrix matrix(const std::string& name, const std::string& description, const Shape& shape) {
    const std::string where = file_->path() + ": \"" + name + "\"";
    const MatrixDescription m = parse_matrix(description, where);
    require(m.shape == shape, Code::kShapeMismatch, "{} is {}, the model needs {}", where,
            m.shape.text(), shape.text());
    const io::TensorInfo& info = file_->at(name);
    const int64_t bytes = kernels::quant_matrix_bytes(m.format, shape[0], shape[1]);
    require(info.dtype == DType::kU8 && info.shape == Shape{bytes}, Code::kCorruptFile,
            "{}: {} takes {} bytes, the file holds {} {}", where, description, bytes,
            dtype_name(info.dtype), info.shape.text());
    const int64_t at = file_->header().data_begin + info.begin;
    require(at % kernels::kQuantAlignment == 0, Code::kCorruptFile,
            "{}: it starts at byte {} of the file, a multiple of {} is needed", where, at,
            kernels::kQuantAlignment);
    used_.insert(name);
    swapped_.insert(name);
    // Tensors are mutable by type; the mapping is read-only and no kernel writes to weights.
    auto* data = const_cast<std::byte*>(file_->bytes(info).data());
    return {Tensor::borrow(engine_, data, bytes, shape, dtype_of(m.format), Layout::kBlocks),
            file_};
  }

  Engine& engine_;
  const models::TransformerConfig& config_;
  std::shared_ptr<const io::Safetensors> file_;
  std::unique_ptr<QuantMatrix> table_;
  std::set<std::string> used_, swapped_;
};

}  // namespace

std::string model_format(const std::string& directory) {
  const auto format = quantization_of(read_config(directory), join_path(directory, kConfigFile));
  return format ? std::string(enum_name(*format)) : "float32";
}

std::unique_ptr<models::Transformer> load_model(Engine& engine, const std::string& directory,
                                                LoadOptions options) {
  const std::string config_path = join_path(directory, kConfigFile);
  const Json json = read_config(directory);
  std::unique_ptr<models::Transformer> model;
  if (!quantization_of(json, config_path)) {
    model = models::load_model(engine, directory);
  } else {
    model = std::make_unique<models::Transformer>(
        engine, models::parse_config_json(dump_json(json), config_path));
    Loader loader(engine, model->config(), join_path(directory, kWeightsFile));
    model->visit(loader);
    loader.finish();
    if (model->config().tie_embeddings && loader.table() != nullptr) {
      model->set_head(std::make_unique<QuantLinear>(*loader.table()));
    }
  }
  if (options.prepare) model->prepare_inference();
  return model;
}

}  // namespace ingot::compress
