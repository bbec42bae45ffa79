// SPDX-License-Identifier: Apache-2.0
#include "models/hugging_face.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "io/safetensors.h"
#include "kernels/convert.h"
#include "nn/module.h"

namespace ingot::models {
namespace {

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kConfig = "config.json";
constexpr const char* kTokenizerDigest = "tokenizer_sha256";
constexpr int64_t kMaxConfig = int64_t{1} << 24;

std::vector<float> transposed(const float* x, int64_t rows, int64_t cols) {
  std::vector<float> y(static_cast<size_t>(rows * cols));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) y[static_cast<size_t>(j * rows + i)] = x[i * cols + j];
  }
  return y;
}

Json parse_object(const std::string& text, const std::string& where) {
  JsonLimits limits;
  limits.code = Code::kCorruptFile;
  Json j = parse_json(text, where, limits);
  require(j.is_object(), Code::kCorruptFile, "{}: a JSON object is needed", where);
  return j;
}

[[noreturn]] void wrong_value(const std::string& where, const char* key, const Json& value,
                              std::string_view wanted) {
  fail(Code::kCorruptFile, "{}: \"{}\" is {}, {} is needed", where, key, excerpt(dump_json(value)),
       wanted);
}

const Json& needed(const Json& json, const char* key, const std::string& where) {
  const Json* value = json_optional(json, key, where);
  require(value != nullptr, Code::kCorruptFile, "{}: \"{}\" is missing", where, key);
  return *value;
}

std::string get_text(const Json& json, const char* key, const std::string& where) {
  const Json& value = needed(json, key, where);
  if (!value.is_string()) wrong_value(where, key, value, "a text");
  return value.get<std::string>();
}

/// 32.0 is whole, 32.5 would be cut to 32 by the JSON library.
int64_t size_of(const Json& value, const char* key, const std::string& where) {
  constexpr double kLargest = 1e15;  // exact as a double; the model's own bounds are far below
  const double number = value.is_number() ? value.get<double>() : 0.0;
  if (number < 1.0 || number > kLargest || number != std::floor(number)) {
    wrong_value(where, key, value, "a whole number above 0");
  }
  return static_cast<int64_t>(number);
}

/// Of a number that the model computes with as float, or of more.
double number_or(const Json& json, const char* key, double fallback, float above,
                 const std::string& where) {
  const Json* value = json_optional(json, key, where);
  if (value == nullptr) return fallback;
  const double number = value->is_number() ? value->get<double>() : above;
  if (!(static_cast<float>(number) > above && std::isfinite(static_cast<float>(number)))) {
    wrong_value(where, key, *value, fmt::format("a number above {}", above));
  }
  return number;
}

bool flag_or(const Json& json, const char* key, bool fallback, const std::string& where) {
  const Json* value = json_optional(json, key, where);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) wrong_value(where, key, *value, "true or false");
  return value->get<bool>();
}

void require_equal(const Json& json, const char* key, const Json& only, const std::string& where) {
  if (!json.contains(key) || json.at(key).is_null()) return;
  require(json.at(key) == only, Code::kUnsupported, "{}: \"{}\" is {}, only {} is available here",
          where, key, json.at(key).dump(), only.dump());
}

/// A size of the model, its key of a recipe and that of the file.
struct SizeKey {
  const char* ours;
  const char* file;
  int64_t TransformerConfig::*value;
  bool is_optional = false;
};

constexpr SizeKey kGpt2Sizes[] = {{"model.vocab", "vocab_size", &TransformerConfig::vocab},
                                  {"model.context", "n_positions", &TransformerConfig::context},
                                  {"model.layers", "n_layer", &TransformerConfig::layers},
                                  {"model.heads", "n_head", &TransformerConfig::heads},
                                  {"model.dim", "n_embd", &TransformerConfig::dim},
                                  {"model.hidden", "n_inner", &TransformerConfig::hidden, true}};

constexpr SizeKey kLlamaSizes[] = {
    {"model.vocab", "vocab_size", &TransformerConfig::vocab},
    {"model.context", "max_position_embeddings", &TransformerConfig::context},
    {"model.layers", "num_hidden_layers", &TransformerConfig::layers},
    {"model.heads", "num_attention_heads", &TransformerConfig::heads},
    {"model.kv_heads", "num_key_value_heads", &TransformerConfig::kv_heads, true},
    {"model.dim", "hidden_size", &TransformerConfig::dim},
    {"model.hidden", "intermediate_size", &TransformerConfig::hidden}};

void read_sizes(const Json& j, std::span<const SizeKey> keys, const std::string& where,
                TransformerConfig& c) {
  for (const SizeKey& key : keys) {
    if (key.is_optional && json_optional(j, key.file, where) == nullptr) continue;
    c.*key.value = size_of(needed(j, key.file, where), key.file, where);
  }
}

/// Sizes that do not go together are told in the words of the file; what a recipe could set instead
/// would not fit the weights.
void check_sizes(const TransformerConfig& c, std::span<const SizeKey> keys,
                 const std::string& where) {
  try {
    c.check();
  } catch (const Error& error) {
    const std::string message = error.what();
    std::string cause = message.substr(0, message.find(". "));
    for (const SizeKey& key : keys) {
      const std::string name = fmt::format("\"{}\"", key.file);
      for (size_t at = 0; (at = cause.find(key.ours, at)) != cause.npos; at += name.size()) {
        cause.replace(at, std::strlen(key.ours), name);
      }
    }
    fail(Code::kCorruptFile, "{}: {}. Take the config.json that came with the weights", where,
         cause);
  }
}

TransformerConfig parse_gpt2(const Json& j, const std::string& where) {
  TransformerConfig c;
  c.layout = ModelLayout::kGpt2;
  read_sizes(j, kGpt2Sizes, where, c);
  c.norm_eps = static_cast<float>(number_or(j, "layer_norm_epsilon", 1e-5F, 0.0F, where));
  c.tie_embeddings = flag_or(j, "tie_word_embeddings", true, where);
  require_equal(j, "activation_function", "gelu_new", where);
  require_equal(j, "scale_attn_weights", true, where);
  require_equal(j, "scale_attn_by_inverse_layer_idx", false, where);
  check_sizes(c, kGpt2Sizes, where);
  return c;
}

TransformerConfig parse_llama(const Json& j, const std::string& where) {
  TransformerConfig c;
  c.layout = ModelLayout::kLlama;
  read_sizes(j, kLlamaSizes, where, c);
  c.norm_eps = static_cast<float>(number_or(j, "rms_norm_eps", 1e-6F, 0.0F, where));
  c.rope_theta = number_or(j, "rope_theta", 10000.0, 1.0F, where);
  if (j.contains("rope_parameters") && j.at("rope_parameters").is_object()) {
    const Json& rope = j.at("rope_parameters");
    c.rope_theta = number_or(rope, "rope_theta", c.rope_theta, 1.0F, where);
    require_equal(rope, "rope_type", "default", where);
    require_equal(rope, "partial_rotary_factor", 1.0, where);
  }
  c.tie_embeddings = flag_or(j, "tie_word_embeddings", false, where);
  require_equal(j, "hidden_act", "silu", where);
  require_equal(j, "attention_bias", false, where);
  require_equal(j, "mlp_bias", false, where);
  require_equal(j, "rope_scaling", nullptr, where);
  check_sizes(c, kLlamaSizes, where);
  require_equal(j, "head_dim", c.head_dim(), where);
  return c;
}

/// Widens a stored tensor to float32.
std::vector<float> as_float(const io::Safetensors& file, const io::TensorInfo& info, Team& team) {
  std::vector<float> out(static_cast<size_t>(info.shape.size()));
  const auto bytes = file.bytes(info);
  if (info.dtype == DType::kF32) {
    if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
  require(info.dtype == DType::kBF16 || info.dtype == DType::kF16, Code::kDtypeMismatch,
          "{}: \"{}\" is {}, float32, bfloat16 or float16 is needed", file.path(), info.name,
          dtype_name(info.dtype));
  kernels::ConvertArgs args;
  args.src = bytes.data();
  args.dst = out.data();
  args.n = info.shape.size();
  args.from = info.dtype == DType::kBF16 ? kernels::Element::kBFloat16 : kernels::Element::kFloat16;
  args.to = kernels::Element::kFloat32;
  kernels::convert(args, team);
  return out;
}

void copy_weight(const TransformerConfig& config, const io::Safetensors& file,
                 const io::TensorInfo& info, const std::string& name, const Tensor& target) {
  const bool flip = is_transposed(config, name);
  Shape expected = target.shape();
  if (flip) std::swap(expected[0], expected[1]);
  require(info.shape == expected, Code::kShapeMismatch, "{}: \"{}\" is {}, the model needs {}",
          file.path(), name, info.shape.text(), expected.text());
  std::vector<float> values = as_float(file, info, target.engine().team());
  if (flip) values = transposed(values.data(), info.shape[0], info.shape[1]);
  if (!values.empty()) std::memcpy(target.raw(), values.data(), values.size() * sizeof(float));
}

}  // namespace

std::string config_json(const TransformerConfig& c, int64_t eos,
                        const std::string& tokenizer_sha256) {
  Json j = Json::object();
  if (c.layout == ModelLayout::kGpt2) {
    j["architectures"] = {"GPT2LMHeadModel"};
    j["model_type"] = "gpt2";
    j["activation_function"] = "gelu_new";
    j["n_positions"] = c.context;
    j["n_embd"] = c.dim;
    j["n_layer"] = c.layers;
    j["n_head"] = c.heads;
    j["n_inner"] = c.mlp_width();
    j["layer_norm_epsilon"] = c.norm_eps;
    j["attn_pdrop"] = 0.0;
    j["embd_pdrop"] = c.dropout;
    j["resid_pdrop"] = c.dropout;
  } else {
    j["architectures"] = {"LlamaForCausalLM"};
    j["model_type"] = "llama";
    j["hidden_act"] = "silu";
    j["max_position_embeddings"] = c.context;
    j["hidden_size"] = c.dim;
    j["num_hidden_layers"] = c.layers;
    j["num_attention_heads"] = c.heads;
    j["num_key_value_heads"] = c.kv();
    j["intermediate_size"] = c.mlp_width();
    j["rms_norm_eps"] = c.norm_eps;
    j["rope_theta"] = c.rope_theta;
    j["attention_bias"] = false;
    j["mlp_bias"] = false;
  }
  if (!tokenizer_sha256.empty()) j[kTokenizerDigest] = tokenizer_sha256;
  j["vocab_size"] = c.vocab;
  j["tie_word_embeddings"] = c.tie_embeddings;
  j["initializer_range"] = c.init_std;
  j["torch_dtype"] = "float32";
  if (eos >= 0) j["bos_token_id"] = j["eos_token_id"] = eos;
  return j.dump(2) + "\n";
}

TransformerConfig parse_config_json(const std::string& text, const std::string& where) {
  const Json j = parse_object(text, where);
  const std::string type = get_text(j, "model_type", where);
  require(type == "gpt2" || type == "llama", Code::kUnsupported,
          "{}: model_type \"{}\" is not available, gpt2 and llama are", where, type);
  return type == "gpt2" ? parse_gpt2(j, where) : parse_llama(j, where);
}

std::string tokenizer_digest(const std::string& directory) {
  const std::string path = join_path(directory, kConfig);
  const Json config = parse_object(read_file(path, kMaxConfig), path);
  return config.contains(kTokenizerDigest) ? get_text(config, kTokenizerDigest, path) : "";
}

void save_model(FileSystem& files, Transformer& model, const std::string& directory, int64_t eos,
                const std::string& tokenizer_sha256) {
  const TransformerConfig& config = model.config();
  const std::vector<nn::NamedParameter> parameters = nn::parameters(model);
  require(!parameters.empty() && parameters[0].parameter->value.defined(), Code::kInvalidArgument,
          "save: the model has no weights yet");
  Transformer plain(parameters[0].parameter->value.engine(), config);
  require(parameters.size() == nn::parameters(plain).size(), Code::kUnsupported,
          "save: {} of the model's {} weights are packed or quantised; save it before that",
          nn::parameters(plain).size() - parameters.size(), nn::parameters(plain).size());
  make_directories(files, directory);
  std::vector<io::TensorToWrite> tensors;
  std::vector<std::vector<float>> flipped;
  std::set<const std::byte*> written;
  for (const nn::NamedParameter& p : parameters) {
    const Tensor& value = p.parameter->value;
    if (!written.insert(value.raw()).second) continue;  // tied
    Shape shape = value.shape();
    std::span<const std::byte> bytes(value.raw(), static_cast<size_t>(value.size_bytes()));
    if (is_transposed(config, p.name)) {
      flipped.push_back(transposed(value.data<float>(), shape[0], shape[1]));
      std::swap(shape[0], shape[1]);
      bytes = std::as_bytes(std::span(flipped.back()));
    }
    tensors.push_back({p.name, DType::kF32, shape, bytes});
  }
  io::write_safetensors(files, join_path(directory, kWeights), tensors, {{"format", "pt"}});
  write_atomically(files, join_path(directory, kConfig),
                   config_json(config, eos, tokenizer_sha256));
}

bool is_transposed(const TransformerConfig& config, const std::string& name) {
  if (config.layout != ModelLayout::kGpt2) return false;
  return name.ends_with(".c_attn.weight") || name.ends_with(".c_proj.weight") ||
         name.ends_with(".c_fc.weight");
}

std::string load_weight(const TransformerConfig& config, const io::Safetensors& file,
                        const std::string& name, const Tensor& target) {
  const io::TensorInfo* info = file.find(name);
  if (info == nullptr && name.starts_with("transformer.")) {  // GPT-2's original files
    info = file.find(name.substr(12));
  }
  const io::TensorInfo& found = info != nullptr ? *info : file.at(name);
  copy_weight(config, file, found, name, target);
  return found.name;
}

void require_all_used(const TransformerConfig& config, const io::Safetensors& file,
                      const std::set<std::string>& used) {
  for (const io::TensorInfo& t : file.header().tensors) {
    const bool is_buffer = t.name.ends_with(".attn.bias") || t.name.ends_with(".masked_bias") ||
                           t.name.ends_with(".rotary_emb.inv_freq");
    const bool is_tied_head = t.name == "lm_head.weight" && config.tie_embeddings;
    require(used.contains(t.name) || is_buffer || is_tied_head, Code::kCorruptFile,
            "{}: tensor \"{}\" has no place in the model that config.json describes", file.path(),
            t.name);
  }
}

void load_weights(Transformer& model, const std::string& path) {
  const io::Safetensors file(path);
  std::set<std::string> used;
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    used.insert(load_weight(model.config(), file, p.name, p.parameter->value));
  }
  require_all_used(model.config(), file, used);
}

std::unique_ptr<Transformer> load_model(Engine& engine, const std::string& directory) {
  const std::string config_path = join_path(directory, kConfig);
  require(directory_exists(directory), Code::kNotFound, "model: there is no folder {}", directory);
  const TransformerConfig config =
      parse_config_json(read_file(config_path, kMaxConfig), config_path);
  auto model = std::make_unique<Transformer>(engine, config);
  // Each parameter on its own, so that packing or quantising one can free it.
  for (const nn::NamedParameter& p : nn::parameters(*model)) {
    p.parameter->value = Tensor::empty(engine, p.parameter->shape);
  }
  load_weights(*model, join_path(directory, kWeights));
  return model;
}

}  // namespace ingot::models
