// SPDX-License-Identifier: Apache-2.0
// What the tests of compress/ share: an engine with its team, random models written as directories,
// the weights of a compressed file as plain floats (through the reference, not the kernels), and
// running tokens through a model in one piece or row by row.
#pragma once

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "autograd/tape.h"
#include "base/message_of.h"
#include "compress/load_quantized.h"
#include "compress/quant_layers.h"
#include "compress/quantize.h"
#include "io/safetensors.h"
#include "kernels/attention.h"
#include "kernels/reference/quant.h"
#include "models/hugging_face.h"
#include "models/paged_decoder.h"

namespace ingot::compress::testing {

using ingot::testing::code_of;
using ingot::testing::message_of;
using ingot::testing::TempDir;
using models::ModelLayout;
using models::Transformer;
using models::TransformerConfig;
using Tokens = std::vector<int32_t>;

struct World {
  explicit World(int threads = 2) : team(threads), engine(team) {}
  Team team;
  Engine engine;
};

/// Nothing is a multiple of 32 or of 16: every padding is in use.
inline TransformerConfig tiny(ModelLayout layout, bool tied) {
  TransformerConfig c;
  c.layout = layout;
  c.vocab = 51;
  c.context = 24;
  c.layers = 2;
  c.heads = 2;
  c.kv_heads = layout == ModelLayout::kLlama ? 1 : 0;
  c.dim = 44;
  c.hidden = 75;
  c.tie_embeddings = tied;
  return c;
}

/// About 30 MB of float32 with the proportions of a small language model.
inline TransformerConfig medium(ModelLayout layout) {
  TransformerConfig c;
  c.layout = layout;
  c.vocab = 8192;
  c.context = 256;
  c.layers = 6;
  c.heads = 4;
  c.dim = 256;
  c.tie_embeddings = true;
  return c;
}

inline std::vector<float> normals(int64_t count, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(random);
  return values;
}

/// Matrices normal with deviation 1/√in, norms around 1, biases small: activations stay near 1.
inline void write_random(const TransformerConfig& config, const std::string& directory,
                         uint32_t seed = 1) {
  World w;
  Transformer model(w.engine, config);
  for (const nn::NamedParameter& p : nn::parameters(model)) {
    const Shape& shape = p.parameter->shape;
    const bool is_matrix = shape.rank() == 2;
    const float deviation = is_matrix ? 1.0F / std::sqrt(static_cast<float>(shape[1])) : 0.1F;
    std::vector<float> values = normals(shape.size(), deviation, seed++);
    if (!is_matrix && !p.name.ends_with("bias")) {
      for (float& v : values) v += 1.0F;
    }
    p.parameter->value = Tensor::from<float>(w.engine, values, shape);
  }
  const auto files = real_files();
  models::save_model(*files, model, directory, 7);
}

inline QuantizeReport compress_to(const std::string& from, const std::string& to,
                                  const QuantizeConfig& config = {}) {
  World w;
  const auto files = real_files();
  return quantize_model(w.engine, from, to, config, *files);
}

/// The float model whose matrices are the rounded ones of a compressed directory, read element by
/// element with the reference.
inline std::unique_ptr<Transformer> rounded_model(Engine& engine, const std::string& float_dir,
                                                  const std::string& compressed_dir) {
  auto model = models::load_model(engine, float_dir);
  const io::Safetensors file(compressed_dir + "/model.safetensors");
  for (const nn::NamedParameter& p : nn::parameters(*model)) {
    const auto it = file.header().metadata.find("quant." + p.name);
    if (it == file.header().metadata.end()) continue;
    const auto format = it->second.starts_with("q8") ? QuantFormat::kQ8 : QuantFormat::kQ4;
    const int64_t rows = p.parameter->shape[0], cols = p.parameter->shape[1];
    const auto* blocks = reinterpret_cast<const uint8_t*>(file.bytes(file.at(p.name)).data());
    for (int64_t i = 0; i < rows * cols; ++i) {
      p.parameter->value.data<float>()[i] = static_cast<float>(
          kernels::reference::quant_weight(format, blocks, cols, i / cols, i % cols));
    }
  }
  return model;
}

/// Logits [tokens, vocab] of one sequence, computed in one piece.
inline std::vector<float> logits_of(Engine& engine, Transformer& model, const Tokens& tokens) {
  const Recording off(engine, nullptr);
  const auto n = static_cast<int64_t>(tokens.size());
  const Tensor ids = Tensor::from<int32_t>(engine, tokens, {1, n});
  return model.logits(model.forward(ids)).to_vector<float>();
}

/// ‖a − b‖ / ‖b‖
inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    error += d * d;
    norm += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(error / norm);
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Logits of every token of every sequence through the paged cache, `rows` tokens per call, the
/// sequences side by side when `together`, else one after the other. → [sequence][token · vocab]
inline std::vector<std::vector<float>> decode(Engine& engine, Transformer& model,
                                              const std::vector<Tokens>& sequences, int64_t rows,
                                              bool together) {
  const int64_t context = model.config().context, page = kernels::kAttentionTile;
  const int64_t pages = (context + page - 1) / page;  // of one sequence
  models::PagedDecoderOptions options;
  options.max_sequences = static_cast<int64_t>(sequences.size());
  options.pages = pages * options.max_sequences;
  models::PagedDecoder decoder(engine, model, options);
  const auto vocab = static_cast<size_t>(decoder.spec().vocab);
  std::vector<int32_t> table(static_cast<size_t>(options.pages));
  std::iota(table.begin(), table.end(), 0);
  std::vector<std::vector<float>> out(sequences.size());
  std::vector<models::DecodeRow> batch;
  const auto flush = [&] {
    std::vector<float> logits(batch.size() * vocab);
    decoder.forward(batch, table, logits);
    for (size_t i = 0; i < batch.size(); ++i) {
      auto& to = out[static_cast<size_t>(batch[i].sequence)];
      to.insert(to.end(), logits.begin() + static_cast<std::ptrdiff_t>(i * vocab),
                logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * vocab));
    }
    batch.clear();
  };
  const size_t length = sequences[0].size();
  for (size_t begin = 0; begin < length; begin += static_cast<size_t>(rows)) {
    const size_t end = std::min(length, begin + static_cast<size_t>(rows));
    for (size_t s = 0; s < sequences.size(); ++s) {
      for (size_t t = begin; t < end; ++t) {
        batch.push_back({sequences[s][t], static_cast<int32_t>(s), static_cast<int32_t>(t), true});
      }
      if (!together) flush();
    }
    if (together) flush();
  }
  return out;
}

/// Rewrites the weights file of a directory after `change` had its way.
struct FileParts {
  std::vector<io::TensorToWrite> tensors;
  std::map<std::string, std::string> metadata;
};
inline void rewrite(const std::string& directory, const std::function<void(FileParts&)>& change) {
  const std::string path = directory + "/model.safetensors";
  const io::Safetensors file(path);  // the old mapping outlives the rename
  FileParts parts;
  for (const io::TensorInfo& t : file.header().tensors) {
    parts.tensors.push_back({t.name, t.dtype, t.shape, file.bytes(t)});
  }
  parts.metadata = file.header().metadata;
  change(parts);
  const auto files = real_files();
  io::write_safetensors(*files, path, parts.tensors, parts.metadata);
}

}  // namespace ingot::compress::testing
