// SPDX-License-Identifier: Apache-2.0
#include "compress/quantize.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "autograd/op.h"
#include "compress/quant_layers.h"
#include "models/hugging_face.h"

namespace ingot::compress {
namespace {

/// Copied when they are there: what a tokenizer or a sampler needs beside the weights.
constexpr const char* kCompanions[] = {"tokenizer.json",
                                       "tokenizer_config.json",
                                       "vocab.json",
                                       "merges.txt",
                                       "added_tokens.json",
                                       "special_tokens_map.json",
                                       "generation_config.json"};

struct Entry {
  std::string name;
  Shape shape;
  bool is_quantized = false;
};

/// Decides, parameter by parameter, what becomes blocks.
class Planner : public nn::Visitor {
 public:
  explicit Planner(const QuantizeConfig& config) : config_(config) {}

  bool layer(const std::string& name, std::unique_ptr<nn::Layer>& slot) override {
    const bool is_table = is_token_table(name);
    const bool is_matrix = dynamic_cast<nn::Linear*>(slot.get()) != nullptr;
    if (!is_matrix && !is_table) return false;
    layers_.push_back(name);
    if ((is_table || name == "lm_head") && !config_.embeddings) return false;
    if (!is_skipped(name)) matrices_.insert(name + ".weight");
    return false;  // and on to its parameters
  }
  void parameter(const std::string& name, nn::Parameter& p) override {
    entries_.push_back({name, p.shape, matrices_.contains(name)});
  }

  /// Blocks first, so that each starts at a multiple of 64 in the file.
  std::vector<Entry> take() {
    for (const std::string& part : config_.skip) {
      require(used_.contains(part), Code::kInvalidArgument,
              "compress.skip: \"{}\" is in the name of no layer; names look like \"{}\"", part,
              layers_.at(layers_.size() / 2));
    }
    std::stable_partition(entries_.begin(), entries_.end(),
                          [](const Entry& e) { return e.is_quantized; });
    return std::move(entries_);
  }

 private:
  bool is_skipped(const std::string& name) {
    bool found = false;
    for (const std::string& part : config_.skip) {
      if ((name + ".").find(part) == std::string::npos) continue;
      used_.insert(part);
      found = true;
    }
    return found;
  }

  const QuantizeConfig& config_;
  std::vector<Entry> entries_;
  std::set<std::string> matrices_, used_;
  std::vector<std::string> layers_;
};

void require_finite(const std::string& file, const std::string& name, const Tensor& w) {
  const float* p = w.data<float>();
  const float* const end = p + w.size();
  const float* const bad = std::find_if(p, end, [](float x) { return !std::isfinite(x); });
  require(bad == end, Code::kNumeric,
          "compress: {}: \"{}\" {} holds {} at element {}. The model is damaged; take an earlier "
          "checkpoint",
          file, name, w.shape().text(), bad == end ? 0.0F : *bad, bad - p);
}

/// ‖W − Ŵ‖ / ‖W‖; W contiguous.
double relative_error(const Tensor& w, const QuantMatrix& q) {
  const int64_t rows = w.dim(0), cols = w.dim(1);
  std::vector<float> row(static_cast<size_t>(cols));
  double error = 0, norm = 0;
  for (int64_t i = 0; i < rows; ++i) {
    kernels::dequantize_row(q.format(), q.blocks.raw(), cols, i, row.data());
    const float* p = w.data<float>() + i * cols;
    for (int64_t j = 0; j < cols; ++j) {
      const double d = static_cast<double>(p[j]) - row[static_cast<size_t>(j)];
      error += d * d;
      norm += static_cast<double>(p[j]) * p[j];
    }
  }
  return norm > 0 ? std::sqrt(error / norm) : 0.0;
}

/// What will be written, with the memory it lies in.
struct Output {
  std::vector<Tensor> kept;
  std::vector<io::TensorToWrite> tensors;
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  QuantizeReport report;
};

void add(Output& out, const Entry& entry, const Tensor& value, DType dtype, const Shape& shape,
         int64_t bytes, double error) {
  out.kept.push_back(value);
  out.tensors.push_back({entry.name, dtype, shape, {value.raw(), static_cast<size_t>(bytes)}});
  TensorReport r{entry.name, entry.shape, entry.is_quantized, 0, bytes, error};
  r.float_bytes = entry.shape.size() * dtype_size(DType::kF32);
  out.report.float_bytes += r.float_bytes;
  out.report.quantized_bytes += bytes;
  out.report.tensors.push_back(std::move(r));
}

/// The names of GPT-2's original files lack a prefix and float linears are transposed there:
/// load_weight gives our names and order, and a float tensor goes back to the file's.
void add_float(Output& out, const models::TransformerConfig& config, const Entry& entry,
               Tensor value) {
  Shape shape = value.shape();
  if (models::is_transposed(config, entry.name)) {
    value = ops::contiguous(value.strided({shape[1], shape[0]}, {1, shape[1]}, 0));
    shape = value.shape();
  }
  add(out, entry, value, DType::kF32, shape, value.size_bytes(), 0.0);
}

Output quantize_all(Engine& engine, const models::TransformerConfig& config,
                    const std::string& path, const std::vector<Entry>& entries, QuantFormat format,
                    const StopFlag* stop) {
  const io::Safetensors file(path);
  Output out;
  std::set<std::string> used;
  for (const Entry& entry : entries) {
    throw_if_stopped(stop);
    Tensor w = Tensor::empty(engine, entry.shape);
    used.insert(models::load_weight(config, file, entry.name, w));
    require_finite(path, entry.name, w);
    if (!entry.is_quantized) {
      add_float(out, config, entry, w);
      continue;
    }
    const QuantMatrix q = quantize_matrix(w, format);
    out.metadata[kQuantPrefix + entry.name] = describe_matrix(format, entry.shape);
    add(out, entry, q.blocks, DType::kU8, {q.size_bytes()}, q.size_bytes(), relative_error(w, q));
  }
  models::require_all_used(config, file, used);
  return out;
}

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

}  // namespace

QuantizeReport quantize_model(Engine& engine, const std::string& model_dir,
                              const std::string& out_dir, const QuantizeConfig& config,
                              FileSystem& files, const StopFlag* stop) {
  const std::string config_path = join_path(model_dir, kConfigFile);
  Json json = read_config(model_dir);
  const auto before = quantization_of(json, config_path);
  require(!before, Code::kUnsupported,
          "compress: {} is {} already; rounding twice would lose more. Start from the float model",
          model_dir, enum_name(before.value_or(QuantFormat::kQ8)));
  require(!same_folder(model_dir, out_dir), Code::kInvalidArgument,
          "compress: {} would overwrite the float model; choose another folder", out_dir);
  const models::TransformerConfig model_config =
      models::parse_config_json(dump_json(json), config_path);
  models::Transformer model(engine, model_config);  // shapes and names only, no weights
  Planner planner(config);
  model.visit(planner);
  Output out = quantize_all(engine, model_config, join_path(model_dir, kWeightsFile),
                            planner.take(), config.format, stop);

  make_directories(files, out_dir);
  for (const char* name : kCompanions) {
    const std::string from = join_path(model_dir, name);
    if (!file_exists(from)) continue;
    write_atomically(files, join_path(out_dir, name), std::string_view(read_file(from)));
  }
  io::write_safetensors(files, join_path(out_dir, kWeightsFile), out.tensors, out.metadata);
  json["quantization_config"] = quantization_json(config.format);
  write_atomically(files, join_path(out_dir, kConfigFile),
                   std::string_view(dump_json(json, 2) + "\n"));
  return std::move(out.report);
}

}  // namespace ingot::compress
